//! Resources with one thing changed, made from a sound one by plain edits of its JSON.

use serde_json::{Value as Json, json};

/// An edit: what it is called, at how many places of a sample it is made at most, and what it makes of a place, or
/// nothing where it does not apply there.
struct Edit {
    name: &'static str,
    places_max: usize,
    change: fn(&Place<'_>, &mut Json) -> bool,
}

/// Where an edit is tried: the name of the member, and how many members lie above it.
struct Place<'a> {
    name: &'a str,
    depth: usize,
}

/// A sample with one thing changed.
pub struct Variant {
    /// What was done.
    pub edit: &'static str,
    /// The member at which it was done.
    pub member: String,
    /// What it made.
    pub json: Json,
}

/// Each edit at its first places of a sample.
pub fn variants(sample: &Json) -> Vec<Variant> {
    let mut places = Vec::new();
    gather(sample, "", String::new(), 0, &mut places);
    let mut found = Vec::new();
    for edit in EDITS {
        let mut done = 0;
        let mut members: Vec<&str> = Vec::new();
        for (pointer, name, depth) in &places {
            if done == edit.places_max || members.contains(&name.as_str()) {
                continue;
            }
            let mut json = sample.clone();
            let Some(target) = json.pointer_mut(pointer) else { continue };
            if (edit.change)(&Place { name, depth: *depth }, target) {
                done += 1;
                members.push(name);
                found.push(Variant { edit: edit.name, member: name.clone(), json });
            }
        }
    }
    for name in sample.as_object().into_iter().flat_map(|members| members.keys()) {
        let mut json = sample.clone();
        json.as_object_mut().unwrap().shift_remove(name);
        found.push(Variant { edit: "a member left out", member: name.clone(), json });
    }
    found
}

fn gather(json: &Json, name: &str, pointer: String, depth: usize, places: &mut Vec<(String, String, usize)>) {
    places.push((pointer.clone(), name.to_owned(), depth));
    match json {
        Json::Object(members) => {
            for (name, member) in members {
                gather(
                    member,
                    name,
                    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1")),
                    depth + 1,
                    places,
                );
            }
        }
        Json::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                gather(item, name, format!("{pointer}/{index}"), depth, places);
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

const EDITS: &[Edit] = &[
    Edit {
        name: "members the other way round",
        places_max: 1,
        change: |place, json| place.depth == 0 && reverse(json),
    },
    Edit { name: "a member that no one knows", places_max: 3, change: |_, json| insert(json, "unheardOf", json!("x")) },
    Edit {
        name: "a day that no month has",
        places_max: 2,
        change: |_, json| day(json, |text| format!("{}-02-30{}", &text[..4], &text[10..])),
    },
    Edit { name: "a date with strokes", places_max: 2, change: |_, json| day(json, |text| text.replacen('-', "/", 2)) },
    Edit { name: "a time without its offset", places_max: 2, change: |_, json| moment(json) },
    Edit {
        name: "a code that no one knows",
        places_max: 3,
        change: |place, json| is_code(place.name) && put(json, Json::is_string, json!("no-such-code")),
    },
    Edit {
        name: "a code with a space before it",
        places_max: 1,
        change: |place, json| {
            is_code(place.name)
                && json
                    .as_str()
                    .map(|text| json!(format!(" {text}")))
                    .is_some_and(|wrong| put(json, Json::is_string, wrong))
        },
    },
    Edit {
        name: "a number for a text",
        places_max: 2,
        change: |place, json| place.name != "resourceType" && put(json, Json::is_string, json!(7)),
    },
    Edit {
        name: "a text for an object",
        places_max: 3,
        change: |place, json| place.depth > 0 && put(json, Json::is_object, json!("x")),
    },
    Edit {
        name: "an object for a text",
        places_max: 3,
        change: |place, json| place.name != "resourceType" && put(json, Json::is_string, json!({"text": "x"})),
    },
    Edit {
        name: "a list for one",
        places_max: 3,
        change: |place, json| place.name != "resourceType" && put(json, Json::is_string, json!(["x"])),
    },
    Edit {
        name: "one for a list",
        places_max: 3,
        change: |_, json| {
            json.as_array()
                .and_then(|items| items.first())
                .cloned()
                .is_some_and(|first| put(json, Json::is_array, first))
        },
    },
    Edit {
        name: "an empty text",
        places_max: 2,
        change: |place, json| place.name != "resourceType" && put(json, Json::is_string, json!("")),
    },
    Edit {
        name: "a text of spaces",
        places_max: 2,
        change: |place, json| place.name != "resourceType" && put(json, Json::is_string, json!("  ")),
    },
    Edit { name: "an empty list", places_max: 2, change: |_, json| put(json, Json::is_array, json!([])) },
    Edit {
        name: "an empty object",
        places_max: 3,
        change: |place, json| place.depth > 0 && put(json, Json::is_object, json!({})),
    },
    Edit {
        name: "null",
        places_max: 2,
        change: |place, json| place.depth > 0 && put(json, Json::is_string, Json::Null),
    },
    Edit {
        name: "a truth value as a text",
        places_max: 1,
        change: |_, json| put(json, Json::is_boolean, json!("true")),
    },
    Edit {
        name: "a fraction for a whole number",
        places_max: 2,
        change: |_, json| put(json, Json::is_u64, json!(1.5)),
    },
    Edit { name: "a number below nought", places_max: 2, change: |_, json| put(json, Json::is_u64, json!(-1)) },
    Edit {
        name: "a reference that is none",
        places_max: 1,
        change: |place, json| place.name == "reference" && put(json, Json::is_string, json!("not a reference")),
    },
    Edit {
        name: "a reference to another type",
        places_max: 2,
        change: |place, json| place.name == "reference" && put(json, Json::is_string, json!("Parameters/1")),
    },
    Edit {
        name: "a reference to nothing contained",
        places_max: 1,
        change: |place, json| place.name == "reference" && put(json, Json::is_string, json!("#nothing")),
    },
    Edit {
        name: "an id with a blank",
        places_max: 1,
        change: |place, json| place.name == "id" && place.depth == 1 && put(json, Json::is_string, json!("no id")),
    },
    Edit {
        name: "an id of 65 characters",
        places_max: 1,
        change: |place, json| {
            place.name == "id" && place.depth == 1 && put(json, Json::is_string, json!("i".repeat(65)))
        },
    },
    Edit {
        name: "a uri with a blank",
        places_max: 1,
        change: |place, json| {
            place.name == "system"
                && put(
                    json,
                    |json| json.as_str().is_some_and(|text| text.contains(':')),
                    json!("https://example.org/a b"),
                )
        },
    },
    Edit {
        name: "a system that is no absolute uri",
        places_max: 1,
        change: |place, json| {
            place.name == "system"
                && put(json, |json| json.as_str().is_some_and(|text| text.contains(':')), json!("relative"))
        },
    },
    Edit { name: "a period that ends before it starts", places_max: 1, change: |_, json| period(json) },
    Edit {
        name: "an extension that no one knows",
        places_max: 1,
        change: |place, json| {
            place.depth == 0
                && insert(json, "extension", json!([{"url": "https://example.org/unknown", "valueString": "x"}]))
        },
    },
    Edit {
        name: "a modifier extension that no one knows",
        places_max: 1,
        change: |place, json| {
            place.depth == 0
                && insert(
                    json,
                    "modifierExtension",
                    json!([{"url": "https://example.org/unknown", "valueString": "x"}]),
                )
        },
    },
    Edit {
        name: "an extension with a value and extensions",
        places_max: 1,
        change: |_, json| {
            json.get("url").is_some()
                && json.get("extension").is_none()
                && insert(json, "extension", json!([{"url": "x", "valueString": "x"}]))
        },
    },
    Edit {
        name: "an extension without its url",
        places_max: 1,
        change: |place, json| {
            place.name == "extension"
                && json.as_object_mut().is_some_and(|members| members.shift_remove("url").is_some())
        },
    },
    Edit {
        name: "two values of a choice",
        places_max: 1,
        change: |_, json| json.get("valueCodeableConcept").is_some() && insert(json, "valueString", json!("x")),
    },
    Edit {
        name: "a narrative without its namespace",
        places_max: 1,
        change: |place, json| place.name == "div" && put(json, Json::is_string, json!("<div><p>x</p></div>")),
    },
    Edit {
        name: "a narrative with a script",
        places_max: 1,
        change: |place, json| {
            place.name == "div"
                && put(
                    json,
                    Json::is_string,
                    json!("<div xmlns=\"http://www.w3.org/1999/xhtml\"><script>x</script></div>"),
                )
        },
    },
    Edit {
        name: "a narrative that says nothing",
        places_max: 1,
        change: |place, json| {
            place.name == "div"
                && put(json, Json::is_string, json!("<div xmlns=\"http://www.w3.org/1999/xhtml\"> </div>"))
        },
    },
    Edit {
        name: "a contained resource that nothing names",
        places_max: 1,
        change: |place, json| {
            place.depth == 0
                && insert(json, "contained", json!([{"resourceType": "Organization", "id": "org", "name": "x"}]))
        },
    },
    Edit {
        name: "a resource of no type",
        places_max: 1,
        change: |place, json| {
            place.depth == 0 && json.get("resourceType").is_some() && overlay(json, "resourceType", json!("Nonsense"))
        },
    },
    Edit {
        name: "a resource without its type",
        places_max: 1,
        change: |place, json| {
            place.depth == 0
                && json.as_object_mut().is_some_and(|members| members.shift_remove("resourceType").is_some())
        },
    },
    Edit { name: "an extension for a value", places_max: 2, change: |_, json| absent(json) },
];

fn put(json: &mut Json, applies: fn(&Json) -> bool, value: Json) -> bool {
    let does = applies(json);
    if does {
        *json = value;
    }
    does
}

fn overlay(json: &mut Json, name: &str, value: Json) -> bool {
    json.as_object_mut().is_some_and(|members| members.insert(name.to_owned(), value).is_some())
}

fn insert(json: &mut Json, name: &str, value: Json) -> bool {
    match json.as_object_mut() {
        Some(members) if !members.contains_key(name) => members.insert(name.to_owned(), value).is_none(),
        Some(_) | None => false,
    }
}

fn reverse(json: &mut Json) -> bool {
    let Some(members) = json.as_object() else { return false };
    *json = Json::Object(members.iter().rev().map(|(name, member)| (name.clone(), member.clone())).collect());
    true
}

fn is_code(name: &str) -> bool {
    matches!(name, "status" | "intent" | "use" | "gender" | "priority" | "mode" | "type")
}

/// True for a text that begins with a whole date.
fn is_day(text: &str) -> bool {
    let shape = text.as_bytes();
    shape.len() >= 10
        && text.is_ascii()
        && shape[..10]
            .iter()
            .enumerate()
            .all(|(at, byte)| if matches!(at, 4 | 7) { *byte == b'-' } else { byte.is_ascii_digit() })
        && (shape.len() == 10 || shape[10] == b'T')
}

fn day(json: &mut Json, change: fn(&str) -> String) -> bool {
    let changed = json.as_str().filter(|text| is_day(text)).map(change);
    changed.is_some_and(|text| put(json, Json::is_string, json!(text)))
}

fn moment(json: &mut Json) -> bool {
    let changed = json.as_str().filter(|text| is_day(text) && text.len() > 19).map(|text| text[..19].to_owned());
    changed.is_some_and(|text| put(json, Json::is_string, json!(text)))
}

fn period(json: &mut Json) -> bool {
    let Some(start) = json.get("start").cloned() else { return false };
    if json.get("code").is_some() || !start.as_str().is_some_and(is_day) {
        return false;
    }
    if json.get("end").is_none() {
        insert(json, "end", json!("1900-01-01"))
    } else {
        overlay(json, "end", json!("1900-01-01"))
    }
}

/// Takes the first text of an object away and gives the reason in its place: what R4 allows where no definition asks
/// for the value itself.
fn absent(json: &mut Json) -> bool {
    const REASON: &str = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";
    let is_one = |(name, member): (&String, &Json)| {
        member.is_string() && !matches!(name.as_str(), "resourceType" | "id" | "url" | "div")
    };
    let Some(name) = json.as_object().into_iter().flatten().find(|pair| is_one(*pair)).map(|(name, _)| name.clone())
    else {
        return false;
    };
    json.as_object_mut().is_some_and(|members| members.shift_remove(&name).is_some())
        && insert(json, &format!("_{name}"), json!({"extension": [{"url": REASON, "valueCode": "unknown"}]}))
}
