//! The primitive types of FHIR R4 (section 2.24.0.1): their JSON form, their lexical form and their range.
//!
//! The forms are checked by hand and not by the regular expressions of the definitions: this runs for every leaf of
//! every submission.

use super::address::{is_id, scheme};
use super::{moment, xhtml};
use crate::document::Scalar;

/// The longest string, in characters (R4: 1 MB).
const STRING_CHARS_MAX: usize = 1024 * 1024;
const OID_FORM: &str = "an oid is urn:oid: and numbers with points between them";

macro_rules! primitives {
    ($($(#[$doc:meta])* $variant:ident = $code:literal,)+) => {
        /// A primitive type of FHIR R4.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Primitive { $($(#[$doc])* $variant,)+ }

        impl Primitive {
            /// Every primitive type.
            pub const ALL: &'static [Primitive] = &[$(Primitive::$variant),+];

            /// FHIR's name for it.
            pub fn as_str(self) -> &'static str {
                match self { $(Primitive::$variant => $code,)+ }
            }

            /// The type of this name.
            pub fn named(code: &str) -> Option<Primitive> {
                match code { $($code => Some(Primitive::$variant),)+ _ => None }
            }
        }
    };
}

primitives! {
    /// `true` or `false`.
    Boolean = "boolean",
    /// A whole number of 32 bits.
    Integer = "integer",
    /// A whole number from 0.
    UnsignedInt = "unsignedInt",
    /// A whole number from 1.
    PositiveInt = "positiveInt",
    /// A number with the precision it is written in.
    Decimal = "decimal",
    /// Text.
    String = "string",
    /// Text with GitHub's marks.
    Markdown = "markdown",
    /// A token of a list.
    Code = "code",
    /// A logical id.
    Id = "id",
    /// An object identifier as a URN.
    Oid = "oid",
    /// A UUID as a URN.
    Uuid = "uuid",
    /// A uniform resource identifier.
    Uri = "uri",
    /// An address that can be followed.
    Url = "url",
    /// The url of a definition, with or without `|version`.
    Canonical = "canonical",
    /// Bytes in base 64.
    Base64Binary = "base64Binary",
    /// A date to the year, month or day.
    Date = "date",
    /// A date, or a date and time with offset.
    DateTime = "dateTime",
    /// A date and time to the second, with offset.
    Instant = "instant",
    /// A time of day.
    Time = "time",
    /// A narrative's XHTML.
    Xhtml = "xhtml",
}

/// What is wrong with a primitive's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It has another JSON type than the one named here.
    JsonType(&'static str),
    /// It has the right JSON type and the wrong form or range; one clause says what is asked.
    Form(&'static str),
    /// It may stand so, and is hardly meant; one clause says what is usual.
    Doubt(&'static str),
}

impl Primitive {
    /// How JSON writes it.
    pub fn json_type(self) -> &'static str {
        match self {
            Primitive::Boolean => "true or false without quotes",
            Primitive::Integer | Primitive::UnsignedInt | Primitive::PositiveInt | Primitive::Decimal => {
                "a JSON number without quotes"
            }
            Primitive::String
            | Primitive::Markdown
            | Primitive::Code
            | Primitive::Id
            | Primitive::Oid
            | Primitive::Uuid
            | Primitive::Uri
            | Primitive::Url
            | Primitive::Canonical
            | Primitive::Base64Binary
            | Primitive::Date
            | Primitive::DateTime
            | Primitive::Instant
            | Primitive::Time
            | Primitive::Xhtml => "a JSON string",
        }
    }

    /// What is wrong with `value` as a primitive of this type; nothing when it is one.
    pub(super) fn fault(self, value: Scalar<'_>) -> Option<Fault> {
        let form = match (self, value) {
            (Primitive::Boolean, Scalar::Boolean(_)) => None,
            (Primitive::Integer, Scalar::Number(text)) => integer_fault(text),
            (Primitive::UnsignedInt, Scalar::Number(text)) => whole_fault(text, true),
            (Primitive::PositiveInt, Scalar::Number(text)) => whole_fault(text, false),
            // A JSON number has a decimal's form already.
            (Primitive::Decimal, Scalar::Number(text)) => decimal_fault(text),
            (Primitive::String | Primitive::Markdown, Scalar::String(text)) => string_fault(text),
            (Primitive::Code, Scalar::String(text)) => code_fault(text),
            (Primitive::Id, Scalar::String(text)) => id_fault(text),
            (Primitive::Oid, Scalar::String(text)) => oid_fault(text),
            (Primitive::Uuid, Scalar::String(text)) => uuid_fault(text),
            (Primitive::Uri | Primitive::Url, Scalar::String(text)) => uri_fault(text),
            (Primitive::Canonical, Scalar::String(text)) => canonical_fault(text),
            (Primitive::Base64Binary, Scalar::String(text)) => base64_fault(text),
            (Primitive::Date, Scalar::String(text)) => moment::date_fault(text),
            (Primitive::DateTime, Scalar::String(text)) => moment::date_time_fault(text),
            (Primitive::Instant, Scalar::String(text)) => moment::instant_fault(text),
            (Primitive::Time, Scalar::String(text)) => moment::time_fault(text),
            (Primitive::Xhtml, Scalar::String(text)) => xhtml::fault(text),
            (_, Scalar::Boolean(_) | Scalar::Number(_) | Scalar::String(_)) => {
                return Some(Fault::JsonType(self.json_type()));
            }
        };
        form.map(Fault::Form).or_else(|| self.doubt(value).map(Fault::Doubt))
    }

    /// What is hardly meant in a value that has its form: HL7's validator warns of the same.
    fn doubt(self, value: Scalar<'_>) -> Option<&'static str> {
        let Scalar::String(text) = value else { return None };
        match self {
            Primitive::String | Primitive::Markdown if has_control(text) => {
                Some("a string has no control characters but tab and line ends; XML cannot carry others")
            }
            Primitive::String => (text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace))
                .then_some("a string does not begin or end with white space"),
            Primitive::Base64Binary => text
                .bytes()
                .any(|byte| byte.is_ascii_whitespace())
                .then_some("base 64 is written in one piece, without white space"),
            Primitive::Date | Primitive::DateTime | Primitive::Instant => moment::doubt(text),
            Primitive::Boolean
            | Primitive::Integer
            | Primitive::UnsignedInt
            | Primitive::PositiveInt
            | Primitive::Decimal
            | Primitive::Markdown
            | Primitive::Code
            | Primitive::Id
            | Primitive::Oid
            | Primitive::Uuid
            | Primitive::Uri
            | Primitive::Url
            | Primitive::Canonical
            | Primitive::Time
            | Primitive::Xhtml => None,
        }
    }
}

fn integer_fault(text: &str) -> Option<&'static str> {
    const FAULT: &str = "an integer is a whole number between -2147483648 and 2147483647, without point or exponent";
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_plain = digits == "0" && digits.len() == text.len() || !digits.starts_with('0');
    (!is_plain || !is_digits(digits) || text.parse::<i32>().is_err()).then_some(FAULT)
}

fn whole_fault(text: &str, may_be_zero: bool) -> Option<&'static str> {
    let is_plain = is_digits(text) && (text == "0" || !text.starts_with('0'));
    match text.parse::<i32>() {
        Ok(1..) if is_plain => None,
        Ok(0) if is_plain && may_be_zero => None,
        Ok(_) | Err(_) if may_be_zero => Some("an unsignedInt is a whole number from 0 to 2147483647"),
        Ok(_) | Err(_) => Some("a positiveInt is a whole number from 1 to 2147483647"),
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?`, which XML does not see to by itself.
fn decimal_fault(text: &str) -> Option<&'static str> {
    const FAULT: &str = "a decimal is a number such as 0.5, without leading zeros";
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let is_good = is_digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(is_digits)
        && exponent.is_none_or(is_digits);
    (!is_good).then_some(FAULT)
}

fn string_fault(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        return Some("a string is never empty; leave the element out");
    }
    // Characters are counted only where the bytes leave a doubt.
    (text.len() > STRING_CHARS_MAX && text.chars().count() > STRING_CHARS_MAX)
        .then_some("a string has at most 1048576 characters")
}

fn has_control(text: &str) -> bool {
    text.bytes().any(|byte| byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r'))
}

fn code_fault(text: &str) -> Option<&'static str> {
    const FAULT: &str = "a code has no white space but single spaces between words";
    let bytes = text.as_bytes();
    if bytes.iter().all(|byte| byte.is_ascii_graphic()) && !bytes.is_empty() {
        return None;
    }
    let is_good =
        text.split(' ').all(|word| !word.is_empty() && !word.contains(|c: char| c.is_whitespace() || c < ' '));
    (!is_good).then_some(FAULT)
}

fn id_fault(text: &str) -> Option<&'static str> {
    (!is_id(text)).then_some("an id is 1 to 64 letters, digits, '-' and '.'")
}

fn oid_fault(text: &str) -> Option<&'static str> {
    (!text.strip_prefix("urn:oid:").is_some_and(is_oid)).then_some(OID_FORM)
}

/// `[0-2](\.(0|[1-9][0-9]*))+`
fn is_oid(text: &str) -> bool {
    let mut arcs = text.split('.');
    matches!(arcs.next(), Some("0" | "1" | "2"))
        && arcs.clone().next().is_some()
        && arcs.all(|arc| is_digits(arc) && (arc == "0" || !arc.starts_with('0')))
}

fn uuid_fault(text: &str) -> Option<&'static str> {
    let is_good = text.strip_prefix("urn:uuid:").is_some_and(is_uuid) && !text.bytes().any(|b| b.is_ascii_uppercase());
    (!is_good).then_some("a uuid is urn:uuid: and 36 characters in lower case")
}

/// The form of RFC 4122, in either case.
pub(super) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn uri_fault(text: &str) -> Option<&'static str> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic()) && !text.is_empty();
    if !is_plain && (text.is_empty() || text.contains(|c: char| c.is_whitespace() || c.is_control())) {
        return Some("a uri has no white space and is not empty");
    }
    // RFC 4122 and RFC 3061: what calls itself one must be one, and only so.
    let whole = text.split(['#', '|', '?']).next().unwrap_or(text);
    if let Some(uuid) = whole.strip_prefix("urn:uuid:") {
        return (!is_uuid(uuid)).then_some("after urn:uuid: stands a UUID: 8-4-4-4-12 hexadecimal digits");
    }
    if let Some(oid) = whole.strip_prefix("urn:oid:") {
        return (!is_oid(oid)).then_some(OID_FORM);
    }
    (text.starts_with("oid:") || text.starts_with("uuid:")).then_some("write urn:oid: or urn:uuid: before it")
}

/// A canonical is the absolute url of a definition, or `#id` of one that is contained (R4, references.html).
fn canonical_fault(text: &str) -> Option<&'static str> {
    let fault = uri_fault(text);
    if fault.is_some() || text.starts_with('#') || scheme(text).is_some() {
        return fault;
    }
    Some("a canonical is an absolute url, with or without |version, or # and the id of what is contained")
}

/// Groups of four with padding at the very end; white space may stand between groups.
fn base64_fault(text: &str) -> Option<&'static str> {
    let mut count = 0_usize;
    let mut padding_count = 0_usize;
    let mut is_good = true;
    for byte in text.bytes() {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => {
                is_good &= count.is_multiple_of(4);
                continue;
            }
            b'=' => padding_count += 1,
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => is_good &= padding_count == 0,
            _ => is_good = false,
        }
        count += 1;
    }
    is_good &= count > 0 && count.is_multiple_of(4) && padding_count <= 2;
    (!is_good).then_some("it is not base 64 with its padding, in groups of four characters")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        primitive: Primitive,
        value: impl Fn(&'static str) -> Scalar<'static>,
        good: &[&'static str],
        bad: &[&'static str],
    ) {
        for text in good {
            assert_eq!(primitive.fault(value(text)), None, "{} {text:?}", primitive.as_str());
        }
        for text in bad {
            let fault = primitive.fault(value(text));
            assert!(matches!(fault, Some(Fault::Form(_))), "{} {text:?} should be refused", primitive.as_str());
        }
    }

    #[test]
    fn numbers_are_whole_where_they_must_be_and_in_range() {
        use Primitive::{Decimal, Integer, PositiveInt, UnsignedInt};
        check(
            Integer,
            Scalar::Number,
            &["0", "7", "-7", "2147483647", "-2147483648"],
            &["1.0", "1e3", "-0", "007", "2147483648", "-2147483649", "99999999999999999999", "+1", ""],
        );
        check(UnsignedInt, Scalar::Number, &["0", "9", "2147483647"], &["-1", "1.5", "2147483648", "01"]);
        check(PositiveInt, Scalar::Number, &["1", "2147483647"], &["0", "-1", "1.0", "2147483648"]);
        check(
            Decimal,
            Scalar::Number,
            &["0", "-0.50", "1.0e-7", "1E9", "12.340"],
            &["01", ".5", "1.", "1e", "", "NaN"],
        );
    }

    #[test]
    fn texts_hold_no_control_characters_and_are_never_empty() {
        check(Primitive::String, Scalar::String, &["a", "line\r\n\tnext", "Zoë 🩺"], &[""]);
        check(Primitive::Code, Scalar::String, &["a", "no show", "é"], &["", " a", "a ", "a  b", "a\tb", "a\u{a0}b"]);
        let long: &'static str = "x".repeat(STRING_CHARS_MAX).leak();
        let longer: &'static str = "x".repeat(STRING_CHARS_MAX + 1).leak();
        let wide: &'static str = "é".repeat(STRING_CHARS_MAX).leak();
        check(Primitive::String, Scalar::String, &[long, wide], &[longer]);
    }

    #[test]
    fn identifiers_and_addresses_have_their_forms() {
        use Primitive::{Canonical, Id, Oid, Uri, Uuid};
        let long: &'static str = "x".repeat(65).leak();
        check(Id, Scalar::String, &["a", "A-1.b", &long[..64]], &["", "a_b", "a b", "é", long]);
        check(
            Oid,
            Scalar::String,
            &["urn:oid:1.2.3", "urn:oid:2.16.840.0"],
            &["1.2.3", "urn:oid:3.1", "urn:oid:1", "urn:oid:1.02", "urn:oid:1.2."],
        );
        check(
            Uuid,
            Scalar::String,
            &["urn:uuid:deb4c4b3-870b-4599-84df-5e54cef7afda"],
            &[
                "deb4c4b3-870b-4599-84df-5e54cef7afda",
                "urn:uuid:DEB4C4B3-870b-4599-84df-5e54cef7afda",
                "urn:uuid:deb4c4b3",
            ],
        );
        check(
            Uri,
            Scalar::String,
            &[
                "http://a/b?c=1",
                "urn:x",
                "#a",
                "é",
                "urn:uuid:DEB4C4B3-870b-4599-84df-5e54cef7afda",
                "urn:oid:1.2.36.1",
            ],
            &["", "a b", " a", "a\n", "urn:uuid:1", "urn:oid:1.2.x", "oid:1.2.3", "uuid:x", "urn:uuid:", "urn:oid:"],
        );
        check(
            Canonical,
            Scalar::String,
            &["http://a/b|1.0", "#a", "urn:oid:1.2.36.1|2", "urn:uuid:deb4c4b3-870b-4599-84df-5e54cef7afda|1"],
            &["", "a", "Questionnaire/1", "http:", "http://a b", "UKCore-Patient"],
        );
    }

    #[test]
    fn what_is_hardly_meant_is_doubted_and_not_refused() {
        use Primitive::*;
        let table = [
            (String, " a", true),
            (String, "a\n", true),
            (String, " ", true),
            (String, "a b", false),
            (String, "a\u{0}", true),
            (Markdown, "a\u{1b}b", true),
            (Markdown, " a ", false),
            (Base64Binary, "QUJD\nQUJD", true),
            (Base64Binary, "QUJDQUJD", false),
            (Date, "1799-12-31", true),
            (Date, "1800-01-01", false),
            (DateTime, "0099", true),
            (Instant, "2101-01-01T00:00:00Z", true),
            (Instant, "2100-01-01T00:00:00Z", false),
        ];
        for (primitive, text, is_doubtful) in table {
            let fault = primitive.fault(Scalar::String(text));
            let is_doubted = matches!(fault, Some(Fault::Doubt(_)));
            assert_eq!((is_doubted, fault.is_some()), (is_doubtful, is_doubtful), "{} {text:?}", primitive.as_str());
        }
    }

    #[test]
    fn base_64_has_whole_groups() {
        check(
            Primitive::Base64Binary,
            Scalar::String,
            &["QUJD", "QUI=", "QQ=="],
            &["", "QU\nJD QUJD", "QUJ", "Q===", "QU=D", "QUJD=", "QU-_", "===="],
        );
    }

    #[test]
    fn another_json_type_is_told_as_such() {
        for primitive in Primitive::ALL {
            let faults =
                [Scalar::Boolean(true), Scalar::Number("1"), Scalar::String("2020")].map(|v| primitive.fault(v));
            let wrong_types = faults.iter().filter(|fault| matches!(fault, Some(Fault::JsonType(_)))).count();
            assert_eq!(wrong_types, 2, "{} takes one JSON type", primitive.as_str());
            assert_eq!(Primitive::named(primitive.as_str()), Some(*primitive));
        }
    }
}
