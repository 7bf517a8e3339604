//! Other ways to say what is valid: nothing may be raised.

use super::definitions::{definitions, text};
use super::sites::Layout;
use serde_json::{Map, Number, Value, json};

/// Every variant of a sample: what was done, and the text.
pub fn variants(sample: &Value, layout: &Layout) -> Vec<(&'static str, String)> {
    let mut made = vec![
        ("members the other way round", reversed(sample).to_string()),
        ("white space", format!("\u{feff}{sample:#}").replace('\u{feff}', "").replace('\n', "\r\n\t")),
        ("characters as escapes", escaped(&sample.to_string())),
    ];
    let mut add = |what, change: &dyn Fn(&mut Value)| {
        let mut value = sample.clone();
        change(&mut value);
        if value != *sample {
            made.push((what, value.to_string()));
        }
    };
    let is_base = sample["meta"]["profile"].is_null();
    add("extensions that nobody defines", &|value| extend(value, layout));
    add("extensions on primitives", &|value| extend_primitives(value, layout));
    add("decimals with more places", &|value| more_places(value, layout));
    add("contained resources that are pointed at", &contain);
    add("a null in a list of primitives, with an extension in its place", &pad);
    add("tags and a language", &|value| {
        value["language"] = json!("en-GB");
        let members = value.get_mut("meta").and_then(Value::as_object_mut);
        let tag = json!([{"system": "https://example.org/tag", "code": "x", "userSelected": false}]);
        match members {
            Some(members) => _ = members.insert("tag".into(), tag),
            None => value["meta"] = json!({"tag": tag}),
        }
    });
    if is_base {
        add("long text in many scripts", &|value| long_texts(value, layout));
        add("more identifiers", &|value| {
            if let Some(items) = value.get_mut("identifier").and_then(Value::as_array_mut) {
                let more = |number| json!({"system": format!("https://example.org/{number}"), "value": "x"});
                items.extend((0..50).map(more));
            }
        });
        add("repeats", &|value| repeat(value, layout));
    }
    made
}

fn reversed(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let turned = members.iter().rev().map(|(name, member)| (name.clone(), reversed(member)));
            Value::Object(turned.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(reversed).collect(),
        plain => plain.clone(),
    }
}

/// The text with every letter e and every sign beyond ASCII in its strings as an escape.
fn escaped(text: &str) -> String {
    let mut made = String::new();
    let (mut in_string, mut is_escape) = (false, false);
    let mut units = [0; 2];
    for letter in text.chars() {
        if in_string && !is_escape && (letter == 'e' || !letter.is_ascii()) {
            made.extend(letter.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
            continue;
        }
        in_string ^= letter == '"' && !is_escape;
        is_escape = letter == '\\' && !is_escape;
        made.push(letter);
    }
    made
}

fn extend(value: &mut Value, layout: &Layout) {
    for holder in layout.holders.iter().filter(|holder| may_be_extended(&holder.path)) {
        let Some(members) = value.pointer_mut(&holder.pointer).and_then(Value::as_object_mut) else { continue };
        // An extension has a value or extensions.
        if holder.path == "Extension" && !members.contains_key("extension") {
            continue;
        }
        let list = members.entry("extension").or_insert_with(|| json!([]));
        if let Some(list) = list.as_array_mut() {
            list.push(json!({"url": "https://example.org/nobody-defines-this", "valueString": "x"}));
        }
    }
}

fn may_be_extended(path: &str) -> bool {
    definitions().below(path).iter().any(|one| text(&one["path"]).ends_with(".extension"))
}

fn extend_primitives(value: &mut Value, layout: &Layout) {
    for site in &layout.sites {
        let is_primitive = site.code.starts_with(char::is_lowercase) && site.code != "xhtml";
        let is_attribute = text(&site.type_reference["code"]).starts_with("http://hl7.org/fhirpath/");
        // A fixed value is fixed with all that belongs to it: without extensions, when it has none.
        let is_fixed = value.pointer(&site.pointer).is_some_and(|found| definitions().is_fixed(&site.name, found));
        if site.in_array || !is_primitive || is_attribute || is_fixed {
            continue;
        }
        let Some(members) = value.pointer_mut(&site.holder.0).and_then(Value::as_object_mut) else { continue };
        let extension = json!({"extension": [{"url": "https://example.org/why", "valueCode": "asked"}]});
        members.entry(format!("_{}", site.name)).or_insert(extension);
    }
}

fn more_places(value: &mut Value, layout: &Layout) {
    for site in layout.sites.iter().filter(|site| site.code == "decimal") {
        let Some(found) = value.pointer_mut(&site.pointer) else { continue };
        let spelled = found.to_string();
        let spelled = if spelled.contains('.') { spelled + "000" } else { spelled + ".000" };
        *found = Value::Number(serde_json::from_str::<Number>(&spelled).unwrap());
    }
}

fn contain(value: &mut Value) {
    let of_type = text(&value["resourceType"]);
    if !definitions().below(&of_type).iter().any(|one| text(&one["path"]).ends_with(".contained")) {
        return;
    }
    let organisation = |id: &str, part_of: Option<&str>| {
        let mut made = json!({"resourceType": "Organization", "id": id, "name": "Part"});
        if let Some(part_of) = part_of {
            made["partOf"] = json!({"reference": format!("#{part_of}")});
        }
        made
    };
    let chain = (0..20).map(|number| {
        let outer = (number > 0).then(|| format!("part-{}", number - 1));
        organisation(&format!("part-{number}"), outer.as_deref())
    });
    let Some(members) = value.as_object_mut() else { return };
    for (name, more) in [
        ("contained", chain.collect::<Vec<_>>()),
        ("extension", vec![json!({"url": "https://example.org/by", "valueReference": {"reference": "#part-19"}})]),
    ] {
        if let Some(list) = members.entry(name).or_insert_with(|| json!([])).as_array_mut() {
            list.extend(more);
        }
    }
}

fn pad(value: &mut Value) {
    let Some(name) = value.pointer_mut("/name/0").and_then(Value::as_object_mut) else { return };
    let unknown = json!({"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]});
    name.insert("given".into(), json!(["Ada", null]));
    name.insert("_given".into(), json!([null, unknown]));
}

fn long_texts(value: &mut Value, layout: &Layout) {
    let text = "Grüße, 你好, שלום, مرحبا, 👩🏽‍⚕️, ﬁ, e\u{301} ".repeat(200) + "end";
    for site in &layout.sites {
        let is_free = matches!(site.code.as_str(), "string" | "markdown") && site.definition["binding"].is_null();
        let is_told = ["display", "text", "description", "comment", "patientInstruction", "title", "city"];
        if is_free
            && is_told.contains(&site.name.as_str())
            && let Some(found) = value.pointer_mut(&site.pointer)
        {
            *found = json!(text);
        }
    }
}

/// Every list of objects three times over, where nothing in it has to differ.
fn repeat(value: &mut Value, layout: &Layout) {
    let lists =
        ["extension", "telecom", "address", "note", "participant", "requestedPeriod", "communication", "specialty"];
    for site in
        layout.sites.iter().filter(|site| site.in_array && !site.is_later && lists.contains(&site.name.as_str()))
    {
        let list = site.pointer.rsplit_once('/').map_or("", |(list, _)| list);
        if let Some(list) = value.pointer_mut(list).and_then(Value::as_array_mut) {
            let once = list.clone();
            list.extend(once.iter().cloned());
            list.extend(once);
        }
    }
}
