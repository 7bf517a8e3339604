//! The forms that the address in a reference may have (R4, references.html, Literal References).

/// The longest `id`, in characters.
const ID_CHARS_MAX: usize = 64;

/// What kind of address a reference has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Address<'t> {
    /// `#id`: a resource that is contained; with an empty id the resource that contains this one.
    Local(&'t str),
    /// `Type/id`, with or without a version: on the same server as what refers to it.
    Relative(Target<'t>),
    /// An address of a FHIR server: what stands before `Type/id`, with its last slash, and the rest.
    Restful(&'t str, Target<'t>),
    /// Any other address with a scheme, such as `urn:uuid:…`; without fragment.
    Absolute(&'t str),
    /// `Type?name=value`, which only stands in a transaction, for what its receiver finds.
    Search(&'t str),
    /// None of these.
    Malformed,
}

/// What the last part of an address of a FHIR server says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Target<'t> {
    /// The resource type.
    pub(super) type_name: &'t str,
    /// The resource's id.
    pub(super) id: &'t str,
    /// The version, where one is named.
    pub(super) version: Option<&'t str>,
}

impl<'t> Address<'t> {
    /// The form of `text`.
    pub(super) fn of(text: &'t str) -> Address<'t> {
        if let Some(id) = text.strip_prefix('#') {
            return Address::Local(id);
        }
        let has_scheme = scheme(text).is_some();
        // A fragment of another resource is a part of it, and the address that of the whole.
        let whole = text.split_once('#').map_or(text, |(whole, _)| whole);
        if has_scheme {
            let is_web = whole.starts_with("http://") || whole.starts_with("https://");
            return match split(whole).filter(|_| is_web) {
                Some((base, target)) if !base.ends_with("//") => Address::Restful(base, target),
                Some(_) | None => Address::Absolute(whole),
            };
        }
        if let Some((type_name, query)) = text.split_once('?') {
            let is_search = is_type_name(type_name) && query.contains('=');
            return if is_search { Address::Search(type_name) } else { Address::Malformed };
        }
        match split(whole) {
            Some(("", target)) => Address::Relative(target),
            Some(_) | None => Address::Malformed,
        }
    }

    /// The type and id that the address names, where it names them.
    pub(super) fn target(self) -> Option<Target<'t>> {
        match self {
            Address::Relative(target) | Address::Restful(_, target) => Some(target),
            Address::Local(_) | Address::Absolute(_) | Address::Search(_) | Address::Malformed => None,
        }
    }

    /// The resource type that the address names, where it names one.
    pub(super) fn type_name(self) -> Option<&'t str> {
        match self {
            Address::Relative(target) | Address::Restful(_, target) => Some(target.type_name),
            Address::Search(type_name) => Some(type_name),
            Address::Local(_) | Address::Absolute(_) | Address::Malformed => None,
        }
    }
}

/// The scheme of an absolute address (RFC 3986, 3.1), without its colon.
pub(super) fn scheme(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once(':')?;
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    (is_scheme && !rest.is_empty()).then_some(scheme)
}

/// True for what has the form of a FHIR `id`.
pub(super) fn is_id(text: &str) -> bool {
    (1..=ID_CHARS_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
}

fn is_type_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// What stands before `Type/id` or `Type/id/_history/version`, and these.
fn split(text: &str) -> Option<(&str, Target<'_>)> {
    let (rest, last) = text.rsplit_once('/')?;
    match rest.strip_suffix("/_history") {
        Some(rest) => {
            let (before, id) = rest.rsplit_once('/')?;
            target(before, id, Some(last))
        }
        None => target(rest, last, None),
    }
}

fn target<'t>(before: &'t str, id: &'t str, version: Option<&'t str>) -> Option<(&'t str, Target<'t>)> {
    let start = before.rfind('/').map_or(0, |slash| slash + 1);
    let (base, type_name) = before.split_at_checked(start)?;
    let is_good = is_type_name(type_name) && is_id(id) && version.is_none_or(is_id);
    is_good.then_some((base, Target { type_name, id, version }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_an_address_is_told_apart() {
        let target = |type_name, id, version| Target { type_name, id, version };
        let check = |text: &str, expected: Address<'_>| assert_eq!(Address::of(text), expected, "{text}");
        check("#", Address::Local(""));
        check("#p1", Address::Local("p1"));
        check("Patient/1", Address::Relative(target("Patient", "1", None)));
        check("Patient/1/_history/2", Address::Relative(target("Patient", "1", Some("2"))));
        check("Patient/1#part", Address::Relative(target("Patient", "1", None)));
        check("https://a.org/r4/Patient/1", Address::Restful("https://a.org/r4/", target("Patient", "1", None)));
        check("http://a/Patient/1/_history/2", Address::Restful("http://a/", target("Patient", "1", Some("2"))));
        check("https://a.org/r4/Patient/1#x", Address::Restful("https://a.org/r4/", target("Patient", "1", None)));
        check("urn:uuid:deb4c4b3-870b-4599-84df-5e54cef7afda", {
            Address::Absolute("urn:uuid:deb4c4b3-870b-4599-84df-5e54cef7afda")
        });
        check("http://a.org/thing", Address::Absolute("http://a.org/thing"));
        check("http://Patient/1", Address::Absolute("http://Patient/1"));
        check("Patient?identifier=a|1", Address::Search("Patient"));
        for text in [
            "",
            "Patient",
            "Patient/",
            "/Patient/1",
            "Patient/1/2",
            "Patient/1/_history",
            "Patient/1/_history/",
            "Patient/a b",
            "a/Patient/1",
            "Patient?",
            "?a=b",
            "1/Patient",
            "deb4c4b3-870b-4599-84df-5e54cef7afda",
            ":x",
            "x:",
        ] {
            check(text, Address::Malformed);
        }
    }
}
