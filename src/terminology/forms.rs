//! Code systems whose codes are told by their form, or by a list that is no FHIR resource: languages, media types, units,
//! countries, currencies, addresses, time zones.

use super::lists;
use super::ucum;

/// What decides about a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Language tags (BCP 47), by the grammar of RFC 5646; two-letter languages and regions by ISO's lists.
    Language,
    /// Media types (BCP 13), by the grammar of RFC 6838.
    MediaType,
    /// Units (UCUM), by its grammar and its list of atoms.
    Unit,
    /// Units of time (UCUM).
    UnitOfTime,
    /// Units of length (UCUM).
    UnitOfLength,
    /// Countries (ISO 3166-1): two letters, three letters or three digits.
    Country,
    /// Countries (ISO 3166-1), two letters.
    CountryOfTwoLetters,
    /// Countries (ISO 3166-1), three letters.
    CountryOfThreeLetters,
    /// Countries (ISO 3166-1), three digits.
    CountryOfThreeDigits,
    /// Currencies (ISO 4217), three letters.
    Currency,
    /// Addresses (RFC 3986).
    Uri,
}

/// The code system of units.
pub const UCUM: &str = "http://unitsofmeasure.org";
/// The code system of countries.
const COUNTRIES: &str = "urn:iso:std:iso:3166";

/// The longest code that is looked into, in bytes.
const CODE_BYTES_MAX: usize = 256;

impl Form {
    /// The code systems that have one.
    pub(super) const SYSTEMS: &[&str] =
        &["urn:ietf:bcp:47", "urn:ietf:bcp:13", UCUM, COUNTRIES, "urn:iso:std:iso:4217", "urn:ietf:rfc:3986"];

    /// What decides about the codes of a system where no package lists them.
    pub(super) fn of_system(url: &str) -> Option<Form> {
        match url {
            "urn:ietf:bcp:47" => Some(Form::Language),
            "urn:ietf:bcp:13" => Some(Form::MediaType),
            UCUM => Some(Form::Unit),
            COUNTRIES => Some(Form::Country),
            "urn:iso:std:iso:4217" => Some(Form::Currency),
            "urn:ietf:rfc:3986" => Some(Form::Uri),
            _ => None,
        }
    }

    /// What decides about the codes of `system` that a filter leaves; none when the filter needs more than form.
    pub(super) fn filtered(self, property: &str, op: &str, value: &str) -> Option<Form> {
        match (self, property, op, value) {
            (Form::Unit, "canonical", "=", "s" | "a") => Some(Form::UnitOfTime),
            (Form::Unit, "canonical", "=", "m") => Some(Form::UnitOfLength),
            (Form::Country, "code", "regex", "([A-Z]{2})" | "[A-Z]{2}") => Some(Form::CountryOfTwoLetters),
            (Form::Country, "code", "regex", "([A-Z]{3})" | "[A-Z]{3}") => Some(Form::CountryOfThreeLetters),
            (Form::Country, "code", "regex", "([0-9]{3})" | "[0-9]{3}") => Some(Form::CountryOfThreeDigits),
            (_, _, _, _) => None,
        }
    }

    /// Whether there is such a code.
    pub fn holds(self, code: &str) -> bool {
        if code.len() > CODE_BYTES_MAX {
            return false;
        }
        match self {
            Form::Language => is_language_tag(code),
            Form::MediaType => is_media_type(code),
            Form::Unit => ucum::is_unit(code),
            Form::UnitOfTime => ucum::is_of(code, ucum::Dimension::Time),
            Form::UnitOfLength => ucum::is_of(code, ucum::Dimension::Length),
            Form::Country => lists::is_country_2(code) || lists::is_country_3(code) || lists::is_country_number(code),
            Form::CountryOfTwoLetters => lists::is_country_2(code),
            Form::CountryOfThreeLetters => lists::is_country_3(code),
            Form::CountryOfThreeDigits => lists::is_country_number(code),
            Form::Currency => lists::is_currency(code),
            Form::Uri => is_uri(code),
        }
    }

    /// What its codes look like, for hints.
    pub fn about(self) -> &'static str {
        match self {
            Form::Language => "a language tag of BCP 47, for example `en-GB`",
            Form::MediaType => "a media type of BCP 13, for example `application/pdf`",
            Form::Unit => "a unit of UCUM, for example `mg/dL`",
            Form::UnitOfTime => "a unit of time of UCUM: `s`, `min`, `h`, `d`, `wk`, `mo` or `a`",
            Form::UnitOfLength => "a unit of length of UCUM, for example `m` or `km`",
            Form::Country => "a country of ISO 3166-1, for example `GB` or `GBR`",
            Form::CountryOfTwoLetters => "a country of ISO 3166-1 in two letters, for example `GB`",
            Form::CountryOfThreeLetters => "a country of ISO 3166-1 in three letters, for example `GBR`",
            Form::CountryOfThreeDigits => "a country of ISO 3166-1 in three digits, for example `826`",
            Form::Currency => "a currency of ISO 4217, for example `GBP`",
            Form::Uri => "an absolute address (RFC 3986)",
        }
    }
}

/// RFC 5646, 2.1, without the grandfathered tags but those that are still met.
fn is_language_tag(tag: &str) -> bool {
    let parts: Vec<&str> = tag.split('-').collect();
    let is_alnum = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_alpha = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphabetic());
    if parts.iter().any(|part| part.is_empty() || part.len() > 8 || !is_alnum(part)) {
        return false;
    }
    let (Some(first), rest) = (parts.first(), parts.get(1..).unwrap_or(&[])) else { return false };
    if first.eq_ignore_ascii_case("x") {
        return !rest.is_empty();
    }
    if first.eq_ignore_ascii_case("i") {
        return rest.len() == 1;
    }
    let is_language = is_alpha(first) && (first.len() != 2 || lists::is_language_2(first)) && first.len() >= 2;
    if !is_language {
        return false;
    }
    let mut rest = rest.iter().peekable();
    let mut extended_count = 0;
    while first.len() <= 3 && extended_count < 3 && rest.next_if(|part| part.len() == 3 && is_alpha(part)).is_some() {
        extended_count += 1;
    }
    // Script, then region, then variants.
    rest.next_if(|part| part.len() == 4 && is_alpha(part));
    let is_number = |part: &str| part.len() == 3 && part.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(region) = rest.next_if(|part| (part.len() == 2 && is_alpha(part)) || is_number(part))
        && region.len() == 2
        && !lists::is_region(region)
    {
        return false;
    }
    let is_variant =
        |part: &str| part.len() >= 5 || (part.len() == 4 && part.starts_with(|c: char| c.is_ascii_digit()));
    while rest.next_if(|part| is_variant(part)).is_some() {}
    // Extensions and private use: a single letter or digit, and what belongs to it.
    while let Some(single) = rest.next() {
        let is_private = single.eq_ignore_ascii_case("x");
        let least = if is_private { 1 } else { 2 };
        let mut count = 0;
        while rest.next_if(|part| part.len() >= least).is_some() {
            count += 1;
        }
        if single.len() != 1 || count == 0 {
            return false;
        }
    }
    true
}

/// RFC 6838, 4.2, with parameters as RFC 2045 writes them; and the words that R4 lets stand for FHIR's own formats
/// (`CapabilityStatement.format`).
fn is_media_type(text: &str) -> bool {
    if matches!(text, "xml" | "json" | "ttl") {
        return true;
    }
    let mut parts = text.split(';');
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    let is_type = parts
        .next()
        .and_then(|full| full.split_once('/'))
        .is_some_and(|(main, sub)| is_name(main) && is_name(sub.trim_end()));
    is_type
        && parts.all(|parameter| {
            parameter.trim().split_once('=').is_some_and(|(name, value)| is_name(name) && !value.is_empty())
        })
}

fn is_uri(text: &str) -> bool {
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    };
    let has_rest = text.split_once(':').is_some_and(|(scheme, rest)| is_scheme(scheme) && !rest.is_empty());
    has_rest && !text.contains(|c: char| c.is_whitespace() || c.is_control() || "<>\"{}|\\^`".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(form: Form, yes: &[&str], no: &[&str]) {
        for code in yes {
            assert!(form.holds(code), "{form:?} has {code}");
        }
        for code in no {
            assert!(!form.holds(code), "{form:?} does not have {code}");
        }
    }

    #[test]
    fn languages_are_told_by_the_grammar_and_the_lists_of_two_letters() {
        check(
            Form::Language,
            &[
                "en",
                "en-GB",
                "cy",
                "zh-Hant-TW",
                "de-CH-1996",
                "x-ward",
                "en-x-ward",
                "es-419",
                "zh-yue",
                "en-US-u-islamcal",
                "i-klingon",
                "EN-gb",
                "eng",
            ],
            &[
                "",
                "e",
                "english language",
                "en_GB",
                "xx",
                "en-",
                "en-ZZZZZZZZZ",
                "urn:oid:2.16.840.1",
                "en-u",
                "x",
                "en-XY",
            ],
        );
    }

    #[test]
    fn media_types_are_told_by_their_grammar() {
        check(
            Form::MediaType,
            &[
                "application/pdf",
                "text/plain; charset=utf-8",
                "image/svg+xml",
                "application/fhir+json;fhirVersion=4.0",
                "text/cql",
                "json",
            ],
            &["", "pdf", "application/", "/pdf", "text /plain", "text/plain; charset", "a/b/c", "application/hl7 cda"],
        );
    }

    #[test]
    fn countries_and_currencies_are_told_by_their_lists() {
        check(Form::Country, &["GB", "GBR", "826", "IE"], &["UK", "gb", "GBX", "ZZ", "999", ""]);
        check(Form::CountryOfTwoLetters, &["GB"], &["GBR", "826"]);
        check(Form::Currency, &["GBP", "EUR", "USD"], &["gbp", "XXQ", "£", ""]);
    }

    #[test]
    fn addresses_are_absolute() {
        check(Form::Uri, &["urn:oid:1.2.3", "https://a.b/c"], &["a", "a b:c", "", ":x", "http:", "1a:b"]);
    }
}
