//! The identity by which a receiver recognises a message that it has seen before.

use serde_json::Value;

/// The prefix of the identifier systems that our own mappings put on what they render.
const OWN_SYSTEMS: &str = "urn:stile:";

/// The value of `If-None-Exist` that lets a receiver recognise `body` on a second try: a FHIR search for the
/// identifier that the body carries, our own where there are several. None when the body carries no identifier with
/// a system and a value, or is not JSON.
pub(super) fn if_none_exist(body: &str) -> Option<String> {
    let resource: Value = serde_json::from_str(body).ok()?;
    let identifiers: Vec<(&str, &str)> = match resource.get("identifier")? {
        Value::Array(many) => many.iter().filter_map(system_and_value).collect(),
        one => system_and_value(one).into_iter().collect(),
    };
    let own = identifiers.iter().find(|(system, _)| system.starts_with(OWN_SYSTEMS));
    let (system, value) = own.or(identifiers.first())?;
    Some(format!("identifier={}|{}", token_part(system), token_part(value)))
}

fn system_and_value(identifier: &Value) -> Option<(&str, &str)> {
    let part = |name: &str| identifier.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    Some((part("system")?, part("value")?))
}

/// Writes one side of a token: what has a meaning in a search value is escaped with a backslash (FHIR R4 3.1.1.5.5),
/// then what has a meaning in a query, or no place in a header, is percent-encoded (RFC 3986 3.4).
fn token_part(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        if matches!(char, '\\' | '|' | ',' | '$') {
            escaped.push('\\');
        }
        escaped.push(char);
    }
    let mut written = String::with_capacity(escaped.len());
    for byte in escaped.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => written.push(char::from(byte)),
            b'-' | b'.' | b'_' | b'~' | b':' | b'/' | b'?' | b'@' | b'!' | b'\'' | b'(' | b')' | b'*' | b',' | b';'
            | b'$' => written.push(char::from(byte)),
            other => written.push_str(&format!("%{other:02X}")),
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_known_again_by_the_identifier_it_carries() {
        for (body, expected) in [
            (
                r#"{"resourceType":"Task","identifier":[{"system":"urn:stile:request","value":"3f-1"}]}"#,
                Some("identifier=urn:stile:request|3f-1"),
            ),
            // Our own comes before the receiver's, wherever it stands.
            (
                r#"{"identifier":[{"system":"https://pas","value":"1"},{"system":"urn:stile:pifu-booking","value":"2"}]}"#,
                Some("identifier=urn:stile:pifu-booking|2"),
            ),
            (r#"{"identifier":[{"system":"https://pas/a?b","value":"1"}]}"#, Some("identifier=https://pas/a?b|1")),
            (r#"{"identifier":{"system":"s","value":"1"}}"#, Some("identifier=s|1")),
            (r#"{"identifier":[{"value":"1"},{"system":"s","value":"x"}]}"#, Some("identifier=s|x")),
            // Nothing in a value can end the parameter, the token or the header.
            (
                r#"{"identifier":[{"system":"s","value":"a|b&c=d e\r\nX: \\y,é"}]}"#,
                Some("identifier=s|a%5C%7Cb%26c%3Dd%20e%0D%0AX:%20%5C%5Cy%5C,%C3%A9"),
            ),
            (r#"{"identifier":[{"value":"1"}]}"#, None),
            (r#"{"identifier":[{"system":"s","value":""}]}"#, None),
            (r#"{"identifier":[]}"#, None),
            (r#"{"resourceType":"Task"}"#, None),
            ("not JSON", None),
        ] {
            assert_eq!(if_none_exist(body).as_deref(), expected, "{body}");
        }
    }
}
