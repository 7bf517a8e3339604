//! Bodies that are no resource, or not one that is taken.

use super::{Case, check};
use crate::house::appointment;

const ADDRESS: &str = "/fhir/Appointment/bad";

/// A good appointment as text, with this in place of its first `"status":"booked"`.
fn with(instead: &str) -> String {
    let good = appointment("bad", "666").to_string();
    assert!(good.contains(r#""status":"booked""#));
    good.replacen(r#""status":"booked""#, instead, 1)
}

fn json(name: &'static str, body: impl Into<Vec<u8>>, status: u16, rule: &'static str, at: &'static str) -> Case {
    Case::new(name, "PUT", ADDRESS, status, rule, at).body(body)
}

fn xml(name: &'static str, body: impl Into<Vec<u8>>, status: u16, rule: &'static str, at: &'static str) -> Case {
    json(name, body, status, rule, at).header("content-type", "application/fhir+xml")
}

#[actix_web::test]
async fn json_that_is_no_resource_is_refused_at_its_place() {
    let deep = |open: &str, close: &str| {
        format!(
            r#"{{"resourceType":"Appointment","id":"bad","extension":{}1{}}}"#,
            open.repeat(10_000),
            close.repeat(10_000)
        )
    };
    let lone = with(r#""status":"booked","comment":"x\ud800y""#);
    let encoded = {
        let mut bytes = with(r#""status":"booked","comment":"?""#).into_bytes();
        let at = bytes.iter().position(|byte| *byte == b'?').unwrap();
        bytes[at] = 0xFF;
        bytes
    };
    let utf16: Vec<u8> = with("\"status\":\"booked\"").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let many = format!(r#"{{"resourceType":"Appointment","id":"bad","x":[{}1]}}"#, "1,".repeat(100_000));
    let cases = vec![
        json("nothing", "", 400, "json.syntax", ""),
        json("white space", " \n\t", 400, "json.syntax", ""),
        json("not JSON", "booked, at ten", 400, "json.syntax", ""),
        json("another language", "resourceType: Appointment", 400, "json.syntax", ""),
        json("XML in JSON's name", "<Appointment xmlns=\"http://hl7.org/fhir\"/>", 400, "json.syntax", ""),
        json("an array", "[1]", 400, "json.not-object", ""),
        json("a string", "\"Appointment\"", 400, "json.not-object", ""),
        json("a number", "1", 400, "json.not-object", ""),
        json("null", "null", 400, "json.not-object", ""),
        json("an empty object", "{}", 400, "json.empty", ""),
        json("cut short", &with("\"status\":\"booked\"")[..200], 400, "json.syntax", "Appointment.extension[1].url"),
        json("text after the end", with("\"status\":\"booked\"") + "{}", 400, "json.syntax", "Appointment"),
        json("two commas", with("\"status\":\"booked\","), 400, "json.syntax", "Appointment"),
        json("a comment", with("\"status\":\"booked\" /* why */"), 400, "json.syntax", "Appointment"),
        json("NaN", with("\"status\":\"booked\",\"priority\":NaN"), 400, "json.syntax", "Appointment.priority"),
        json("a leading zero", with("\"status\":\"booked\",\"priority\":01"), 400, "json.syntax", "Appointment"),
        json(
            "no type",
            with("\"status\":\"booked\"").replacen("\"resourceType\":\"Appointment\",", "", 1),
            400,
            "resource.type-missing",
            "",
        ),
        json(
            "a type that is a number",
            with("\"status\":\"booked\"").replacen("\"resourceType\":\"Appointment\"", "\"resourceType\":1", 1),
            400,
            "resource.type-missing",
            "resourceType",
        ),
        json(
            "a type that is null",
            with("\"status\":\"booked\"").replacen("\"resourceType\":\"Appointment\"", "\"resourceType\":null", 1),
            400,
            "resource.type-missing",
            "resourceType",
        ),
        json(
            "a type that R4 has not",
            with("\"status\":\"booked\"").replacen(
                "\"resourceType\":\"Appointment\"",
                "\"resourceType\":\"Appointmnt\"",
                1,
            ),
            400,
            "resource.type-unknown",
            "Resource",
        ),
        json(
            "a type that is not the address's",
            r#"{"resourceType":"Patient","id":"bad"}"#,
            400,
            "resource.type-mismatch",
            "Patient",
        ),
        json(
            "a Bundle",
            r#"{"resourceType":"Bundle","id":"bad","type":"batch"}"#,
            400,
            "resource.type-mismatch",
            "Bundle",
        ),
        json(
            "two types",
            with("\"status\":\"booked\",\"resourceType\":\"Appointment\""),
            400,
            "json.duplicate-key",
            "Appointment.resourceType",
        ),
        json(
            "a name twice",
            with("\"status\":\"booked\",\"status\":\"cancelled\""),
            400,
            "json.duplicate-key",
            "Appointment.status",
        ),
        json(
            "a name twice, further in",
            with("\"status\":\"booked\"").replacen(
                "\"status\":\"accepted\"",
                "\"status\":\"accepted\",\"status\":\"declined\"",
                1,
            ),
            400,
            "json.duplicate-key",
            "Appointment.participant[0].status",
        ),
        json(
            "the id twice",
            with("\"status\":\"booked\",\"id\":\"other\""),
            400,
            "json.duplicate-key",
            "Appointment.id",
        ),
        json("10,000 arrays deep", deep("[", "]"), 400, "element.array", "Appointment.extension[0]"),
        json(
            "10,000 objects deep",
            deep("{\"extension\":", "}"),
            400,
            "limit.depth",
            "Appointment.extension.extension…",
        ),
        json(
            "10,000 extensions deep",
            deep("[{\"url\":\"x\",\"extension\":", "}]"),
            400,
            "limit.depth",
            "Appointment.extension[0].extension[0]…",
        ),
        json("10,000 brackets that never close", "[".repeat(10_000), 400, "limit.depth", ""),
        json("very many elements", many, 400, "limit.nodes", "Appointment"),
        json(
            "20 MB",
            format!("{}\"{}\"}}", r#"{"resourceType":"Appointment","comment":"#, "x".repeat(20 << 20)),
            413,
            "request.refused",
            "",
        ),
        json("a byte that is no UTF-8", encoded, 400, "text.encoding", ""),
        json("UTF-16", utf16, 400, "json.syntax", ""),
        json("half a character", lone, 400, "json.lone-surrogate", "Appointment.comment"),
        json(
            "half a character in a name",
            with("\"status\":\"booked\",\"\\udc00\":1"),
            400,
            "json.lone-surrogate",
            "Appointment",
        ),
        json(
            "a control character",
            with("\"status\":\"booked\",\"comment\":\"a\u{1}b\""),
            400,
            "json.syntax",
            "Appointment.comment",
        ),
        json(
            "a number beyond a double",
            with("\"status\":\"booked\",\"priority\":1e400"),
            400,
            "json.number-range",
            "Appointment.priority",
        ),
        json(
            "a negative number beyond a double",
            with("\"status\":\"booked\",\"priority\":-1e999999999"),
            400,
            "json.number-range",
            "Appointment.priority",
        ),
        json(
            "an integer beyond FHIR's",
            with("\"status\":\"booked\",\"priority\":123456789012345678901234567890"),
            422,
            "primitive.format",
            "Appointment.priority",
        ),
        json(
            "a fraction of an integer",
            with("\"status\":\"booked\",\"priority\":1.5"),
            422,
            "primitive.format",
            "Appointment.priority",
        ),
        json("a null member", with("\"status\":\"booked\",\"comment\":null"), 400, "json.null", "Appointment.comment"),
        json(
            "a null in an array of objects",
            with("\"status\":\"booked\",\"slot\":[null]"),
            400,
            "json.null",
            "Appointment.slot[0]",
        ),
        json("an empty array", with("\"status\":\"booked\",\"slot\":[]"), 400, "json.empty", "Appointment.slot"),
        json(
            "an empty object inside",
            with("\"status\":\"booked\",\"slot\":[{}]"),
            400,
            "json.empty",
            "Appointment.slot[0]",
        ),
        json(
            "an empty string",
            with("\"status\":\"booked\",\"comment\":\"\""),
            400,
            "json.empty",
            "Appointment.comment",
        ),
        json(
            "an id that is a number",
            with("\"status\":\"booked\"").replacen("\"id\":\"bad\"", "\"id\":5", 1),
            422,
            "element.type",
            "Appointment.id",
        ),
        json(
            "another id",
            with("\"status\":\"booked\"").replacen("\"id\":\"bad\"", "\"id\":\"kept\"", 1),
            400,
            "resource.id-mismatch",
            "Appointment.id",
        ),
        json(
            "no id",
            with("\"status\":\"booked\"").replacen("\"id\":\"bad\",", "", 1),
            400,
            "resource.id-missing",
            "Appointment.id",
        ),
        json(
            "an STU3 element",
            with("\"status\":\"booked\",\"incomingReferral\":[{\"reference\":\"ReferralRequest/1\"}]"),
            422,
            "resource.release",
            "Appointment.incomingReferral[0]",
        ),
        json(
            "an STU3 type",
            r#"{"resourceType":"ReferralRequest","id":"bad","status":"active","intent":"order"}"#,
            422,
            "resource.release",
            "ReferralRequest",
        ),
        json(
            "an STU3 profile",
            with("\"status\":\"booked\",\"meta\":{\"profile\":[\"https://fhir.nhs.uk/STU3/StructureDefinition/X-1\"]}"),
            422,
            "resource.release",
            "Appointment.meta.profile[0]",
        ),
        json(
            "an element that R4 has not",
            with("\"status\":\"booked\",\"participants\":[{\"status\":\"accepted\"}]"),
            422,
            "element.unknown",
            "Appointment.participants[0]",
        ),
        json(
            "a code that R4 has not",
            with("\"status\":\"Booked\""),
            422,
            "code.required-binding",
            "Appointment.status",
        ),
        json(
            "a day that is none",
            with("\"status\":\"booked\"").replacen("2026-12-01T10:00:00", "2026-02-30T10:00:00", 1),
            422,
            "primitive.format",
            "Appointment.start",
        ),
        json(
            "an NHS number with a wrong check digit",
            with("\"status\":\"booked\"").replacen("9990000018", "9990000019", 1),
            422,
            "nhs-number.check-digit",
            "Appointment.participant[0].actor.identifier.value",
        ),
    ];
    check(cases, 50).await;
}

#[actix_web::test]
async fn xml_that_is_no_resource_is_refused_at_its_place() {
    let good = |inside: &str| {
        format!(
            r#"<Appointment xmlns="http://hl7.org/fhir"><id value="bad"/>{inside}<status value="proposed"/><participant><actor><reference value="Patient/1"/></actor><status value="accepted"/></participant></Appointment>"#
        )
    };
    let deep = format!("{}{}", "<extension url=\"x\">".repeat(10_000), "</extension>".repeat(10_000));
    let laughs = r#"<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>"#;
    let cases = vec![
        xml("nothing", "", 400, "xml.syntax", ""),
        xml("not XML", "booked, at ten", 400, "xml.syntax", ""),
        xml("JSON in XML's name", r#"{"resourceType":"Appointment","id":"bad"}"#, 400, "xml.syntax", ""),
        xml("a document type", format!("<!DOCTYPE Appointment>{}", good("")), 400, "xml.syntax", ""),
        xml(
            "a file by an entity",
            format!("<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>{}", good("<description value=\"&x;\"/>")),
            400,
            "xml.syntax",
            "",
        ),
        xml("entities of entities", format!("{laughs}{}", good("<description value=\"&b;\"/>")), 400, "xml.syntax", ""),
        xml(
            "an entity that nothing declares",
            good("<description value=\"&nbsp;\"/>"),
            400,
            "xml.syntax",
            "Appointment.description",
        ),
        xml(
            "a character that XML has not",
            good("<description value=\"a&#1;b\"/>"),
            400,
            "xml.syntax",
            "Appointment.description",
        ),
        xml("no namespace", good("").replace(" xmlns=\"http://hl7.org/fhir\"", ""), 400, "xml.syntax", ""),
        xml(
            "another namespace",
            good("").replace("http://hl7.org/fhir", "http://example.org/fhir"),
            400,
            "xml.syntax",
            "",
        ),
        xml("a foreign element", good("<x:y xmlns:x=\"urn:x\" value=\"1\"/>"), 400, "element.unknown", "Appointment"),
        xml("10,000 levels", good(&deep), 400, "limit.depth", "Appointment.extension[0].extension[0]…"),
        xml(
            "levels that never close",
            good(&"<extension url=\"x\">".repeat(10_000)),
            400,
            "limit.depth",
            "Appointment.extension[0].extension[0]…",
        ),
        xml("never closed", good("").replace("</Appointment>", ""), 400, "xml.syntax", "Appointment"),
        xml("closed by another", good("").replace("</Appointment>", "</Patient>"), 400, "xml.syntax", "Appointment"),
        xml("two roots", good("") + &good(""), 400, "xml.syntax", "Appointment"),
        xml(
            "an attribute twice",
            good("<description value=\"a\" value=\"b\"/>"),
            400,
            "xml.syntax",
            "Appointment.description",
        ),
        xml("text between", good("booked"), 400, "xml.syntax", "Appointment"),
        xml(
            "a byte that is no UTF-8",
            good("<description value=\"?\"/>")
                .into_bytes()
                .into_iter()
                .map(|byte| if byte == b'?' { 0xFF } else { byte })
                .collect::<Vec<u8>>(),
            400,
            "text.encoding",
            "",
        ),
        xml(
            "an encoding that it has not",
            format!("<?xml version=\"1.0\" encoding=\"UTF-16\"?>{}", good("")),
            400,
            "text.encoding",
            "",
        ),
        xml(
            "a type that R4 has not",
            good("").replace("Appointment", "Appointmnt"),
            400,
            "resource.type-unknown",
            "Resource",
        ),
        xml(
            "a type that is not the address's",
            r#"<Patient xmlns="http://hl7.org/fhir"><id value="bad"/></Patient>"#,
            400,
            "resource.type-mismatch",
            "Patient",
        ),
        xml(
            "an element that R4 has not",
            good("<colour value=\"red\"/>"),
            422,
            "element.unknown",
            "Appointment.colour",
        ),
        xml("another id", good("").replace("\"bad\"", "\"kept\""), 400, "resource.id-mismatch", "Appointment.id"),
        xml("an element with nothing", good("<description/>"), 400, "element.empty", "Appointment.description"),
        xml("an empty value", good("<description value=\"\"/>"), 400, "element.empty", "Appointment.description"),
    ];
    check(cases, 25).await;
}
