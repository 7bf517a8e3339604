//! Which form a body has and which form the answer takes (RFC 9110, 12; FHIR R4 http, 3.1.0.1.11).

use super::fault::Fault;
use crate::error::Error;
use crate::fhir::Format;
use actix_web::http::header::{ACCEPT, CONTENT_TYPE, HeaderMap};

/// What is taken and given, for people.
const FORMS: &str = "application/fhir+json or application/fhir+xml (also application/json, application/xml, text/xml)";

/// A media type as a header writes it.
struct Media<'h> {
    /// `type/subtype`
    name: &'h str,
    parameters: Vec<(&'h str, &'h str)>,
}

impl<'h> Media<'h> {
    fn read(text: &'h str) -> Self {
        let mut parts = text.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let pair = |part: &'h str| {
            let (key, value) = part.split_once('=')?;
            Some((key.trim(), value.trim().trim_matches('"')))
        };
        Media { name, parameters: parts.filter_map(pair).collect() }
    }

    fn parameter(&self, name: &str) -> Option<&'h str> {
        self.parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }

    /// True unless it asks for another release than R4.
    fn is_r4(&self) -> bool {
        self.parameter("fhirVersion").is_none_or(|version| matches!(version, "4.0" | "4.0.1"))
    }

    fn is_utf8(&self) -> bool {
        self.parameter("charset").is_none_or(|charset| charset.eq_ignore_ascii_case("utf-8"))
    }
}

/// The form that a media type's name or a `_format` short name means.
fn format_of(name: &str) -> Option<Format> {
    const NAMES: &[(&str, Format)] = &[
        ("application/fhir+json", Format::Json),
        ("application/json", Format::Json),
        ("application/fhir+xml", Format::Xml),
        ("application/xml", Format::Xml),
        ("text/xml", Format::Xml),
    ];
    NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, format)| *format)
}

/// The form of a request's body.
pub(super) fn body_format(headers: &HeaderMap) -> Result<Format, Fault> {
    let wrong = |what: &str| Fault::from(Error::WrongMediaType(what.to_owned()));
    let mut values = headers.get_all(CONTENT_TYPE);
    let text = match (values.next(), values.next()) {
        (Some(one), None) => one.to_str().map_err(|_| wrong("the Content-Type cannot be read"))?,
        (None, _) => return Err(wrong("a body needs a Content-Type")),
        (Some(_), Some(_)) => return Err(wrong("there is more than one Content-Type")),
    };
    let media = Media::read(text);
    let format = format_of(media.name).ok_or_else(|| wrong("a body in this media type is not taken"))?;
    if !media.is_utf8() {
        return Err(wrong("a body is taken in UTF-8 only; FHIR allows no other encoding"));
    }
    if !media.is_r4() {
        return Err(wrong("only FHIR R4 (fhirVersion=4.0) is taken"));
    }
    Ok(format)
}

/// The form of the answer: `_format` where the query has it, else `Accept`, else the form of the body, else JSON.
pub(super) fn answer_format(headers: &HeaderMap, asked: Option<&str>) -> Result<Format, Fault> {
    let not = |what: String| Fault::from(Error::NotAcceptable(what));
    if let Some(asked) = asked {
        // An unescaped `+` in a query is a space by the time it gets here.
        let media = Media::read(asked);
        let name = media.name.replace(' ', "+");
        let short = match name.as_str() {
            "json" => Some(Format::Json),
            "xml" => Some(Format::Xml),
            long => format_of(long),
        };
        return match short {
            Some(format) if media.is_r4() => Ok(format),
            Some(_) | None => Err(not("`_format` names a form that is not given".into())),
        };
    }
    let usual = body_format(headers).unwrap_or(Format::Json);
    let mut ranges = Vec::new();
    for value in headers.get_all(ACCEPT) {
        let text = value.to_str().map_err(|_| not("the Accept header cannot be read".into()))?;
        ranges.extend(text.split(',').map(str::trim).filter(|range| !range.is_empty()).map(Media::read));
    }
    if ranges.is_empty() {
        return Ok(usual);
    }
    let other = match usual {
        Format::Json => Format::Xml,
        Format::Xml => Format::Json,
    };
    // The first of equals: as listed where they are listed by name, as usual where a wildcard covers both.
    let (usual_rank, other_rank) = (rank(&ranges, usual), rank(&ranges, other));
    match (usual_rank, other_rank) {
        (None, None) => Err(not(format!("nothing that is accepted can be given; there is {FORMS}"))),
        (Some(_), None) => Ok(usual),
        (None, Some(_)) => Ok(other),
        (Some(first), Some(second)) => Ok(if second > first { other } else { usual }),
    }
}

/// How much a form is wanted: its quality in thousandths, then how exactly it is named, then how early.
fn rank(ranges: &[Media<'_>], format: Format) -> Option<(u16, u8, usize)> {
    let mut best: Option<(u8, u16, usize)> = None;
    for (place, range) in ranges.iter().enumerate() {
        let exactness = match range.name {
            "*/*" => 0,
            "application/*" => 1,
            name if format_of(name) == Some(format) && range.is_r4() => 2,
            _ => continue,
        };
        let quality = quality(range.parameter("q"));
        let early = ranges.len() - place;
        // The most exact range decides (RFC 9110, 12.5.1); of several names for one form, the most wanted.
        if best.is_none_or(|found| (exactness, quality, early) > found) {
            best = Some((exactness, quality, early));
        }
    }
    let (exactness, quality, early) = best?;
    (quality > 0).then_some((quality, exactness, if exactness == 2 { early } else { 0 }))
}

/// A weight in thousandths; 1000 when there is none or it cannot be read.
fn quality(text: Option<&str>) -> u16 {
    let weight = text.and_then(|text| text.parse::<f32>().ok()).filter(|weight| (0.0..=1.0).contains(weight));
    weight.map_or(1000, |weight| (weight * 1000.0) as u16)
}

/// The media type of an answer in this form.
pub(super) fn media_type(format: Format) -> &'static str {
    match format {
        Format::Json => "application/fhir+json; charset=utf-8",
        Format::Xml => "application/fhir+xml; charset=utf-8",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn headers(pairs: &[(actix_web::http::header::HeaderName, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name.clone(), HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn a_body_is_taken_in_r4_json_and_xml_in_utf8() {
        for (sent, expected) in [
            ("application/fhir+json", Some(Format::Json)),
            ("Application/FHIR+JSON; charset=UTF-8", Some(Format::Json)),
            ("application/json;charset=\"utf-8\"", Some(Format::Json)),
            ("application/fhir+json; fhirVersion=4.0", Some(Format::Json)),
            ("application/fhir+json; version=1.2.0", Some(Format::Json)),
            ("application/fhir+xml", Some(Format::Xml)),
            ("application/xml", Some(Format::Xml)),
            ("text/xml", Some(Format::Xml)),
            ("application/fhir+json; fhirVersion=3.0", None),
            ("application/json; charset=iso-8859-1", None),
            ("text/plain", None),
            ("application/x-www-form-urlencoded", None),
            ("", None),
        ] {
            assert_eq!(body_format(&headers(&[(CONTENT_TYPE, sent)])).ok(), expected, "{sent}");
        }
        assert!(body_format(&HeaderMap::new()).is_err());
        let twice = [(CONTENT_TYPE, "application/json"), (CONTENT_TYPE, "application/xml")];
        assert!(body_format(&headers(&twice)).is_err());
    }

    #[test]
    fn the_answer_takes_the_form_that_is_wanted_most() {
        let (json, xml) = (Some(Format::Json), Some(Format::Xml));
        for (accept, expected) in [
            ("application/fhir+json", json),
            ("application/fhir+xml", xml),
            ("text/xml", xml),
            ("*/*", json),
            ("application/*;q=0.5", json),
            ("application/fhir+xml, application/fhir+json", xml),
            ("application/fhir+json, application/fhir+xml", json),
            ("application/fhir+json;q=0.5, application/fhir+xml;q=0.9", xml),
            ("application/fhir+json;q=0.5, */*;q=0.1", json),
            ("application/fhir+xml;q=0.5, */*", json),
            ("application/json;q=0, */*", xml),
            ("text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8", xml),
            ("application/fhir+json; fhirVersion=4.0", json),
            ("application/fhir+json; fhirVersion=3.0", None),
            ("application/fhir+json;q=0", None),
            ("text/html", None),
            ("", json),
            (",,;q=x", None),
        ] {
            assert_eq!(answer_format(&headers(&[(ACCEPT, accept)]), None).ok(), expected, "{accept}");
        }
        let both = headers(&[(ACCEPT, "text/html"), (ACCEPT, "application/fhir+xml")]);
        assert_eq!(answer_format(&both, None).ok(), xml);
    }

    #[test]
    fn who_says_nothing_gets_the_form_that_was_sent() {
        let sent = headers(&[(CONTENT_TYPE, "application/fhir+xml"), (ACCEPT, "*/*")]);
        assert_eq!(answer_format(&sent, None).ok(), Some(Format::Xml));
        assert_eq!(answer_format(&HeaderMap::new(), None).ok(), Some(Format::Json));
    }

    #[test]
    fn the_format_parameter_stands_over_the_header() {
        let accept = headers(&[(ACCEPT, "application/fhir+json")]);
        for (asked, expected) in [
            ("xml", Some(Format::Xml)),
            ("json", Some(Format::Json)),
            ("application/fhir+xml", Some(Format::Xml)),
            ("application/fhir xml", Some(Format::Xml)),
            ("text/xml", Some(Format::Xml)),
            ("html", None),
            ("", None),
        ] {
            assert_eq!(answer_format(&accept, Some(asked)).ok(), expected, "{asked}");
        }
    }
}
