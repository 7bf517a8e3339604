use crate::document::{Document, Scalar};
use crate::fhir::{Format, Limits, Parsed, json, parse};
use crate::issue::Rule;

fn read(body: &str) -> Parsed {
    parse(body.as_bytes(), Format::Json, &Limits::default())
}

fn read_well(body: &str) -> Document {
    let parsed = read(body);
    assert!(parsed.issues.is_empty(), "{body}: {:?}", parsed.issues);
    parsed.document.unwrap()
}

/// Reads a body and compares every issue: rule, expression, pointer, line and column.
fn check(body: &str, has_document: bool, expected: &[(&str, &str, &str, u32, u32)]) {
    let parsed = read(body);
    let found: Vec<_> = parsed
        .issues
        .iter()
        .map(|issue| {
            let place = issue.place.clone().unwrap();
            (issue.rule.as_str(), place.expression, place.pointer, place.line, place.column)
        })
        .collect();
    let expected: Vec<_> = expected
        .iter()
        .map(|(rule, expression, pointer, line, column)| {
            (*rule, (*expression).to_owned(), (*pointer).to_owned(), *line, *column)
        })
        .collect();
    assert_eq!(found, expected, "{body}");
    assert_eq!(parsed.document.is_some(), has_document, "{body}");
}

#[test]
fn what_is_not_json_is_told_with_its_place_and_gives_no_document() {
    check("", false, &[("json.syntax", "", "", 1, 1)]);
    check("  \n ", false, &[("json.syntax", "", "", 2, 2)]);
    check("{", false, &[("json.syntax", "", "", 1, 2)]);
    check("<Appointment/>", false, &[("json.syntax", "", "", 1, 1)]);
    check(
        "{\"resourceType\":\"Appointment\",\n \"status\" \"booked\"}",
        false,
        &[("json.syntax", "Appointment", "", 2, 11)],
    );
    check(
        "{\"resourceType\":\"Appointment\",\"start\":\n[tru]}",
        false,
        &[("json.syntax", "Appointment.start[0]", "/start/0", 2, 2)],
    );
    for body in [
        r#"{"a":1,}"#,
        r#"{"a":[1,]}"#,
        r#"{"a":[1 2]}"#,
        r#"{"a":01}"#,
        r#"{"a":1.}"#,
        r#"{"a":-}"#,
        r#"{"a":1e}"#,
        r#"{"a":+1}"#,
        r#"{"a":.5}"#,
        r#"{"a":NaN}"#,
        r#"{'a':1}"#,
        r#"{a:1}"#,
        r#"{"a":"x}"#,
        r#"{"a":"\q"}"#,
        r#"{"a":"\u12g4"}"#,
        r#"{"a":"\u12"#,
        "{\"a\":\"\u{1}\"}",
        "{\"a\":\"line\nbreak\"}",
        r#"{"a":1}}"#,
        r#"{"a":1} {"b":2}"#,
        r#"{"a":1}// no"#,
        r#"{"a":undefined}"#,
        r#"{"a":True}"#,
        r#"{"a""#,
        r#"{"a":"#,
        r#"["#,
        r#"{"a":[[1,]]}"#,
        r#"{"a":1,"a":{"b"}}"#,
        r#"{"_a":[{]}"#,
    ] {
        let parsed = read(body);
        assert!(parsed.document.is_none(), "{body}");
        assert_eq!(parsed.issues.last().map(|issue| issue.rule), Some(Rule::JsonSyntax), "{body}");
        assert!(serde_json::from_str::<serde_json::Value>(body).is_err(), "serde_json reads {body}");
    }
}

#[test]
fn json_that_is_no_object_is_no_resource() {
    for body in ["[]", "[{}]", "\"x\"", "12", "true", "null", " [1,[2,{\"a\":3}]] "] {
        let parsed = read(body);
        assert!(parsed.document.is_none());
        assert_eq!(parsed.issues.iter().map(|issue| issue.rule).collect::<Vec<_>>(), [Rule::JsonNotObject], "{body}");
    }
}

#[test]
fn a_resource_says_its_type() {
    check("{\"status\":\"booked\"}", true, &[("resource.type-missing", "", "", 1, 1)]);
    check("{\"resourceType\":7}", true, &[("resource.type-missing", "resourceType", "/resourceType", 1, 2)]);
    check(
        "{\"resourceType\":\"John Smith\"}",
        true,
        &[("resource.type-unknown", "resourceType", "/resourceType", 1, 17)],
    );
    let document = read_well(r#"{"id":"1","resource\u0054ype":"Appo\u0069ntment"}"#);
    assert_eq!(document.resource_type(), Some("Appointment"));
    let nested = read_well(r#"{"resourceType":"Bundle","entry":[{"resource":{"id":"1","resourceType":"Task"}}]}"#);
    let inner = nested.root().descend(&["entry", "resource"]).unwrap();
    assert_eq!(inner.resource_type(), Some("Task"));
}

#[test]
fn a_byte_order_mark_is_allowed_and_moves_no_column() {
    let parsed = read("\u{FEFF}{\"resourceType\":\"Task\",\"a\":null}");
    let places: Vec<_> = parsed.issues.iter().map(|issue| issue.place.clone().unwrap().column).collect();
    assert_eq!(places, [24]);
    assert!(parsed.document.is_some());
}

#[test]
fn names_that_stand_twice_are_told_however_they_are_spelled() {
    let twice = ("json.duplicate-key", "Task.status", "/status", 1, 39);
    check(
        r#"{"resourceType":"Task","status":"done","status":"draft"}"#,
        true,
        &[("json.duplicate-key", "Task.status", "/status", 1, 40)],
    );
    check(r#"{"resourceType":"Task","status":"do", "st\u0061tus":["draft",{}]}"#, true, &[twice]);
    check(
        r#"{"resourceType":"Task","resourceType":"Task"}"#,
        true,
        &[("json.duplicate-key", "Task.resourceType", "/resourceType", 1, 24)],
    );
    check(
        r#"{"resourceType":"Task","_a":{"id":"1"},"_a":{"id":"2"}}"#,
        true,
        &[("json.duplicate-key", "Task._a", "/_a", 1, 40)],
    );
    let first_wins = read(r#"{"resourceType":"Task","status":"done","status":"draft"}"#).document.unwrap();
    assert_eq!(first_wins.root().child_named("status").and_then(|node| node.string()), Some("done"));
    assert_eq!(first_wins.root().children().count(), 1);
    // Beyond the number up to which names are walked.
    let many: String = (0..60).map(|number| format!("\"n{number}\":1,")).collect();
    for twin in [0, 23, 24, 25, 59] {
        let parsed = read(&format!("{{\"resourceType\":\"Task\",{many}\"n{twin}\":2}}"));
        assert_eq!(parsed.issues.len(), 1);
        assert_eq!(parsed.issues[0].rule, Rule::JsonDuplicate);
    }
    // The same name in another object is another element.
    read_well(r#"{"resourceType":"Task","a":{"x":1},"b":{"x":1},"c":[{"x":1},{"x":1}]}"#);
}

#[test]
fn a_lone_surrogate_is_told_and_read_as_the_replacement_character() {
    let lone = |body: &str, expected: &str| {
        let parsed = read(body);
        assert_eq!(parsed.issues.iter().map(|i| i.rule).collect::<Vec<_>>(), [Rule::JsonSurrogate], "{body}");
        let document = parsed.document.unwrap();
        assert_eq!(document.root().child_named("a").and_then(|node| node.string()), Some(expected));
    };
    lone(r#"{"resourceType":"Task","a":"x\ud800y"}"#, "x\u{FFFD}y");
    lone(r#"{"resourceType":"Task","a":"x\udc00"}"#, "x\u{FFFD}");
    lone(r#"{"resourceType":"Task","a":"\ud800\u0041"}"#, "\u{FFFD}A");
    lone(r#"{"resourceType":"Task","a":"\ud83d\ud83d\ude00"}"#, "\u{FFFD}\u{1F600}");
    let whole = read_well(r#"{"resourceType":"Task","a":"\ud83d\ude00 \"\\\/\b\f\n\r\t\u00e9"}"#);
    let text = whole.root().child_named("a").and_then(|node| node.string());
    assert_eq!(text, Some("\u{1F600} \"\\/\u{8}\u{C}\n\r\t\u{e9}"));
}

#[test]
fn null_is_padding_beside_a_twin_and_nothing_else() {
    check("{\"resourceType\":\"Task\",\n\"owner\":null}", true, &[("json.null", "Task.owner", "/owner", 2, 1)]);
    check(r#"{"resourceType":"Task","_a":null}"#, true, &[("json.null", "Task._a", "/_a", 1, 24)]);
    check(r#"{"resourceType":"Task","a":["x",null]}"#, true, &[("json.null", "Task.a[1]", "/a/1", 1, 33)]);
    check(r#"{"resourceType":"Task","a":[{"b":1},null]}"#, true, &[("json.null", "Task.a[1]", "/a/1", 1, 37)]);
    check(
        r#"{"resourceType":"Task","a":[null,"x"],"_a":[null,{"id":"1"}]}"#,
        true,
        &[("json.null", "Task.a[0]", "/a/0", 1, 29)],
    );
    check(r#"{"resourceType":"Task","_a":[{"id":"1"},null]}"#, true, &[("json.null", "Task.a[1]", "/a/1", 1, 41)]);
    read_well(r#"{"resourceType":"Task","a":[null,"x"],"_a":[{"id":"1"},null]}"#);
    read_well(r#"{"resourceType":"Task","_a":[{"id":"1"},null],"a":[null,"x"]}"#);
}

#[test]
fn what_says_nothing_is_told() {
    check("{}", true, &[("json.empty", "", "", 1, 1), ("resource.type-missing", "", "", 1, 1)]);
    check(r#"{"resourceType":"Task","a":[]}"#, true, &[("json.empty", "Task.a", "/a", 1, 24)]);
    check(r#"{"resourceType":"Task","a":{}}"#, true, &[("json.empty", "Task.a", "/a", 1, 28)]);
    check(r#"{"resourceType":"Task","a":[{}]}"#, true, &[("json.empty", "Task.a[0]", "/a/0", 1, 29)]);
    check(r#"{"resourceType":"Task","a":""}"#, true, &[("json.empty", "Task.a", "/a", 1, 28)]);
    check(r#"{"resourceType":"Task","_a":{}}"#, true, &[("json.empty", "Task.a", "/_a", 1, 29)]);
}

#[test]
fn a_number_keeps_its_spelling_and_stays_in_the_range_of_a_double() {
    let document = read_well(r#"{"resourceType":"Task","a":[1.10,-0,1e2,12345678901234567890123,0.0e-999]}"#);
    let numbers: Vec<_> = document.root().children().filter_map(|node| node.value()).collect();
    let expected = ["1.10", "-0", "1e2", "12345678901234567890123", "0.0e-999"].map(Scalar::Number);
    assert_eq!(numbers, expected);
    for number in ["1e400", "-1e400", "1e-400", &"9".repeat(400)] {
        let body = format!(r#"{{"resourceType":"Task","a":{number}}}"#);
        check(&body, true, &[("json.number-range", "Task.a", "/a", 1, 28)]);
    }
}

#[test]
fn an_array_in_an_array_is_told_and_read_over() {
    check(
        r#"{"resourceType":"Task","a":["x",["y",[{"b":null}]],"z"]}"#,
        true,
        &[("element.array", "Task.a[1]", "/a/1", 1, 33)],
    );
}

/// The node tree in short: names, values and what is below.
fn shape(body: &str) -> String {
    json(read(body).document.unwrap().root())
}

#[test]
fn a_primitive_and_its_twin_become_one_element_in_either_order() {
    let value_first = r#"{"resourceType":"Patient","birthDate":"1990-01-01","_birthDate":{"id":"b"}}"#;
    let twin_first = r#"{"resourceType":"Patient","_birthDate":{"id":"b"},"birthDate":"1990-01-01"}"#;
    for body in [value_first, twin_first] {
        let document = read_well(body);
        assert_eq!(document.root().children().count(), 1);
        let birth_date = document.root().child_named("birthDate").unwrap();
        assert_eq!(birth_date.string(), Some("1990-01-01"));
        let id = birth_date.child_named("id").unwrap();
        assert_eq!(id.expression(), "Patient.birthDate.id");
        assert_eq!(id.pointer(), "/_birthDate/id");
        assert_eq!(birth_date.pointer(), "/birthDate");
        assert_eq!(shape(body), value_first);
    }
    let alone = read_well(r#"{"resourceType":"Patient","_birthDate":{"extension":[{"url":"u"}]}}"#);
    let birth_date = alone.root().child_named("birthDate").unwrap();
    assert_eq!(birth_date.value(), None);
    let url = birth_date.descend(&["extension", "url"]).unwrap();
    assert_eq!(
        (url.expression(), url.pointer()),
        ("Patient.birthDate.extension[0].url".to_owned(), "/_birthDate/extension/0/url".to_owned(),)
    );
}

#[test]
fn the_twins_of_repeats_find_their_values_in_either_order_and_length() {
    let check = |given: &str, twin: &str, canonical: &str| {
        for body in [
            format!(r#"{{"resourceType":"P","given":{given},"_given":{twin}}}"#),
            format!(r#"{{"resourceType":"P","_given":{twin},"given":{given}}}"#),
            format!(r#"{{"resourceType":"P","given":{given},"x":1,"_given":{twin}}}"#),
            format!(r#"{{"resourceType":"P","_given":{twin},"x":1,"given":{given}}}"#),
        ] {
            let document = read_well(&body);
            let text = json(document.root()).replace(r#","x":1"#, "");
            assert_eq!(text, format!(r#"{{"resourceType":"P",{canonical}}}"#), "{body}");
            let indices: Vec<_> = document.root().children_named("given").map(|node| node.index()).collect();
            assert_eq!(indices, (0..indices.len() as u32).collect::<Vec<_>>());
            let names: Vec<_> = document.root().children().map(|node| node.name()).collect();
            let runs = names.windows(2).filter(|pair| pair[0] != pair[1]).count();
            assert_eq!(runs, usize::from(names.contains(&"x")), "repeats stand side by side: {names:?}");
        }
    };
    check(r#"["a","b"]"#, r#"[null,{"id":"2"}]"#, r#""given":["a","b"],"_given":[null,{"id":"2"}]"#);
    check(r#"["a",null]"#, r#"[null,{"id":"2"}]"#, r#""given":["a",null],"_given":[null,{"id":"2"}]"#);
    check(r#"["a"]"#, r#"[null,{"id":"2"}]"#, r#""given":["a",null],"_given":[null,{"id":"2"}]"#);
    check(r#"["a","b"]"#, r#"[{"id":"1"}]"#, r#""given":["a","b"],"_given":[{"id":"1"},null]"#);
}

#[test]
fn a_twin_that_cannot_be_one_is_told() {
    check(r#"{"resourceType":"P","_a":"x"}"#, true, &[("element.type", "Resource._a", "/_a", 1, 21)]);
    check(r#"{"resourceType":"P","_a":["x"]}"#, true, &[("element.type", "Resource._a[0]", "/_a/0", 1, 27)]);
    check(r#"{"resourceType":"P","a":{"b":1},"_a":{"id":"1"}}"#, true, &[("element.type", "Resource.a", "/_a", 1, 33)]);
    check(r#"{"resourceType":"P","_a":{"id":"1"},"a":{"b":1}}"#, true, &[("element.type", "Resource.a", "/_a", 1, 37)]);
    check(
        r#"{"resourceType":"P","a":"x","_a":[{"id":"1"}]}"#,
        true,
        &[("element.array", "Resource.a[0]", "/a/0", 1, 29)],
    );
    check(
        r#"{"resourceType":"P","a":["x"],"_a":{"id":"1"}}"#,
        true,
        &[("element.array", "Resource.a[0]", "/a/0", 1, 31)],
    );
}

#[test]
fn what_was_read_is_written_as_it_was() {
    for body in [
        r#"{"resourceType":"Appointment","status":"booked","priority":0,"ok":true,"no":false}"#,
        r#"{"resourceType":"P","a":["x"],"b":[{"c":1.50},{"c":[2,3e5]}],"d":"q\"\\\n\t\u0001é😀/"}"#,
        r#"{"resourceType":"B","entry":[{"resource":{"resourceType":"C","id":"1"}},{"resource":{"resourceType":"D"}}]}"#,
    ] {
        assert_eq!(json(read_well(body).root()), body);
    }
    let document = read_well(r#"{"resourceType":"P","a":[{"b":"x"}],"_c":{"id":"1"}}"#);
    let part = |names: &[&str]| json(document.root().descend(names).unwrap());
    assert_eq!(part(&["a"]), r#"{"b":"x"}"#);
    assert_eq!(part(&["a", "b"]), r#""x""#);
    assert_eq!(part(&["c"]), r#"{"id":"1"}"#);
}

#[test]
fn no_message_holds_a_value_of_the_submission() {
    let secret = "9990000018Zebedee";
    for body in [
        format!(r#"{{"resourceType":"{secret} x","a":"{secret}","a":"{secret}","b":["{secret}",null]}}"#),
        format!(r#"{{"resourceType":"P","_a":"{secret}","b":[["{secret}"]],"c":"{secret}\ud800"}}"#),
        format!(r#"{{"resourceType":"P","a":"{secret}" "{secret}"}}"#),
        format!(r#"{{"resourceType":"P","a":"{secret}\q"}}"#),
    ] {
        let parsed = read(&body);
        assert!(!parsed.issues.is_empty());
        assert!(!format!("{:?}", parsed.issues).contains(secret), "{body}");
    }
}
