//! The kinds of fault that any definition gives rise to.

use super::definitions::{capitalised, definitions, text};
use super::fault::{Faults, object, put, set, take};
use super::sites::{Holder, Layout, Site};
use serde_json::{Value, json};

/// Wrong spellings of each primitive type. Each is of the right JSON type.
const WRONG_FORMS: &[(&str, &[&str])] = &[
    ("date", &["2026-02-30", "05/01/2026", "2026-1-5", "2026-13", "26", "2026-01-05T09:00:00Z"]),
    (
        "dateTime",
        &["2026-02-30", "2026-02-01T09:00:00", "2026-02-01T25:00:00Z", "2026-02-01 09:00:00Z", "2026-02-01T09:00Z"],
    ),
    ("instant", &["2026-02-01T09:00:00", "2026-02-01", "2026-02-31T09:00:00Z", "2026-02-01T09:00:00+15:00"]),
    ("time", &["24:00:00", "9:00:00", "09:00", "09:60:00", "09:00:00Z"]),
    ("id", &["not an id", "under_score", "x123456789012345678901234567890123456789012345678901234567890123456789"]),
    ("uri", &["has space", " http://example.org"]),
    ("url", &["has space"]),
    ("canonical", &["has space"]),
    ("oid", &["urn:oid:9.1", "1.2.3"]),
    ("uuid", &["urn:uuid:not-one", "00000000-0000-4000-8000-000000000000"]),
    ("code", &[" leading", "trailing ", "two  blanks", "a\ttab"]),
    ("string", &[""]),
    ("markdown", &[""]),
    ("base64Binary", &["QUJ", "Q=JD", "QU*D"]),
    ("positiveInt", &["0", "-1", "2147483648", "1.5"]),
    ("unsignedInt", &["-1", "2147483648", "1.5"]),
    ("integer", &["1.5", "2147483648", "1e1"]),
    ("boolean", &[]),
    ("decimal", &[]),
];

/// Every fault of these kinds.
pub fn add_all(faults: &mut Faults<'_>, layout: &Layout) {
    for holder in layout.first_holders() {
        required(faults, holder);
        strangers(faults, holder);
    }
    for site in layout.first_sites() {
        shape(faults, site);
        form(faults, site);
        unusual(faults, site);
        code(faults, site);
        choice(faults, site);
        reference(faults, site);
    }
}

fn required(faults: &mut Faults<'_>, holder: &Holder) {
    for definition in definitions().below(&holder.path).iter().filter(|one| one["min"].as_u64() > Some(0)) {
        let last = text(&definition["path"]).rsplit('.').next().unwrap_or_default().to_owned();
        let (stem, is_choice) = last.strip_suffix("[x]").map_or((last.as_str(), false), |stem| (stem, true));
        let at = format!("{}.{stem}", holder.expression);
        faults.add("required element missing", &at, "element.required", at.clone(), |value| {
            let members = object(value, &holder.pointer)?;
            let name = members.keys().find(|name| *name == stem || (is_choice && name.starts_with(stem)))?.clone();
            // An object that is left empty is another fault.
            if members.len() < 2 {
                return None;
            }
            take(value, &holder.pointer, &name)
        });
    }
    if holder.is_resource {
        let at = &holder.expression;
        let missing = |value: &mut Value| take(value, &holder.pointer, "resourceType");
        // Of a resource without a type nothing is known but what it is where it stands.
        let root = if holder.pointer.is_empty() { "" } else { at.as_str() };
        faults.add("resource without a type", at, "resource.type-missing", root, missing);
        let unknown = |value: &mut Value| set(value, &holder.pointer, "resourceType", json!("Apointment"));
        let root = if holder.pointer.is_empty() { "Resource" } else { at.as_str() };
        faults.add("resource of no type", at, "resource.type-unknown", root, unknown);
    }
}

fn strangers(faults: &mut Faults<'_>, holder: &Holder) {
    let at = |name: &str| format!("{}.{name}", holder.expression);
    let stranger = |value: &mut Value| set(value, &holder.pointer, "unheardOf", json!("x"));
    faults.add("unknown element", at("unheardOf"), "element.unknown", at("unheardOf"), stranger);
    let below = definitions().below(&holder.path);
    let has = |name: &str| below.iter().any(|one| text(&one["path"]).ends_with(name));
    if has(".modifierExtension") {
        let extension = json!([{"url": "https://example.org/turns-it-round", "valueBoolean": true}]);
        let at = at("modifierExtension[0]");
        let change = |value: &mut Value| set(value, &holder.pointer, "modifierExtension", extension);
        faults.add("unknown modifier extension", &at, "extension.modifier-unknown", at.clone(), change);
    }
    if holder.path == "Extension" {
        let at = &holder.expression;
        let both = |value: &mut Value| {
            let members = object(value, &holder.pointer)?;
            let inner = json!([{"url": "https://example.org/inner", "valueBoolean": true}]);
            let (name, other) =
                if members.contains_key("extension") { ("valueString", json!("x")) } else { ("extension", inner) };
            members.insert(name.into(), other);
            Some(())
        };
        faults.add("invariant broken", format!("ext-1 {at}"), "invariant.failed", at, both);
        let neither = |value: &mut Value| {
            let members = object(value, &holder.pointer)?;
            members.retain(|name, _| name == "url");
            Some(())
        };
        faults.add("invariant broken", format!("ext-1 {at} empty"), "invariant.failed", at, neither);
    }
    if holder.path != "Element" && !holder.is_resource {
        let empty = |value: &mut Value| put(value, &holder.pointer, json!({"id": "only-an-id"}));
        faults.add("element with nothing in it", &holder.expression, "element.empty", &holder.expression, empty);
    }
}

fn shape(faults: &mut Faults<'_>, site: &Site) {
    let (pointer, at) = (site.pointer.as_str(), site.expression.as_str());
    let whole = site.pointer.rsplit_once('/').map_or("", |(array, _)| array);
    let array_at = at.rsplit_once('[').map_or(at, |(array, _)| array);
    if site.in_array {
        let single = |value: &mut Value| {
            let item = value.pointer(pointer)?.clone();
            take(value, &site.holder.0, &site.name)?;
            set(value, &site.holder.0, &site.name, item)
        };
        faults.add("repeating element without an array", at, "element.array", array_at, single);
        faults.add("empty array", at, "json.empty", array_at, |value| put(value, whole, json!([])));
    } else {
        let in_array = |value: &mut Value| {
            let one = value.pointer(pointer)?.clone();
            put(value, pointer, json!([one]))
        };
        faults.add("array where none may be", at, "element.array", format!("{at}[0]"), in_array);
        faults.add("null", at, "json.null", at, |value| put(value, pointer, Value::Null));
    }
    let is_resource = matches!(site.code.as_str(), "Resource");
    if is_primitive(&site.code) {
        let other = match site.code.as_str() {
            "boolean" => json!("true"),
            "integer" | "positiveInt" | "unsignedInt" | "decimal" => json!("7"),
            _ => json!(7),
        };
        faults.add("wrong JSON type", at, "element.type", at, |value| put(value, pointer, other));
        let extended = json!({"extension": [{"url": "https://example.org/why", "valueString": "x"}]});
        faults.add("object for a primitive", at, "element.type", at, |value| put(value, pointer, extended));
    } else if !is_resource {
        faults.add("wrong JSON type", at, "element.type", at, |value| put(value, pointer, json!("text")));
        faults.add("empty object", at, "json.empty", at, |value| put(value, pointer, json!({})));
        let under = |value: &mut Value| {
            let members = object(value, &site.holder.0)?;
            let member = members.shift_remove(&site.name)?;
            members.insert(format!("_{}", site.name), member);
            Some(())
        };
        faults.add("element with elements under an underscore", at, "element.type", at, under);
    }
}

fn is_primitive(code: &str) -> bool {
    code.starts_with(|letter: char| letter.is_ascii_lowercase())
}

fn form(faults: &mut Faults<'_>, site: &Site) {
    if !is_primitive(&site.code) || site.code == "xhtml" {
        return;
    }
    let wrong = WRONG_FORMS.iter().find(|(code, _)| *code == site.code);
    let (_, wrong) = wrong.unwrap_or_else(|| panic!("no wrong forms of {} at {}", site.code, site.expression));
    for spelling in *wrong {
        let value = match site.code.as_str() {
            "positiveInt" | "unsignedInt" | "integer" => serde_json::from_str(spelling).unwrap(),
            _ => json!(spelling),
        };
        let what = format!("{} {} := {spelling:?}", site.code, site.expression);
        let change = |whole: &mut Value| put(whole, &site.pointer, value);
        faults.add("wrong form of a primitive", what, "primitive.format", &site.expression, change);
    }
}

/// What has the form of its type, and can hardly be meant.
fn unusual(faults: &mut Faults<'_>, site: &Site) {
    if matches!(site.code.as_str(), "string" | "markdown") {
        let change = |whole: &mut Value| put(whole, &site.pointer, json!("a\u{1}b"));
        faults.add("control character in a text", &site.expression, "primitive.unusual", &site.expression, change);
    }
}

fn code(faults: &mut Faults<'_>, site: &Site) {
    let binding = &site.definition["binding"];
    let is_decided = binding["strength"] == "required" && definitions().is_listed(&text(&binding["valueSet"]));
    if !is_decided {
        return;
    }
    let at = &site.expression;
    match site.code.as_str() {
        "code" | "string" | "uri" => {
            let change = |value: &mut Value| put(value, &site.pointer, json!("no-such-code"));
            faults.add("unknown code in a required binding", at, "code.required-binding", at, change);
        }
        "CodeableConcept" => {
            let coding = json!([{"system": "https://example.org/other", "code": "no-such-code"}]);
            let change = |value: &mut Value| set(value, &site.pointer, "coding", coding);
            faults.add("unknown code in a required binding", at, "code.required-binding", at, change);
        }
        _ => {}
    }
}

fn choice(faults: &mut Faults<'_>, site: &Site) {
    let last = site.path.rsplit('.').next().unwrap_or_default();
    let Some(stem) = last.strip_suffix("[x]") else { return };
    let types = site.definition["type"].as_array().map_or(&[][..], Vec::as_slice);
    let codes: Vec<_> = types.iter().map(|one| text(&one["code"])).collect();
    let holder = site.holder.0.as_str();
    let at = |code: &str| format!("{}.{stem}{}", site.holder.1, capitalised(code));
    let values = [
        ("boolean", json!(true)),
        ("string", json!("x")),
        ("dateTime", json!("2026")),
        ("integer", json!(1)),
        ("CodeableConcept", json!({"text": "x"})),
        ("Period", json!({"start": "2026"})),
        ("Quantity", json!({"value": 1})),
    ];
    let second = values.iter().find(|(code, _)| *code != site.code && codes.iter().any(|known| known == code));
    if let Some((code, value)) = second {
        let name = format!("{stem}{}", capitalised(code));
        let change = |whole: &mut Value| set(whole, holder, &name, value.clone());
        faults.add("two types of a choice", at(code), "element.choice", at(code), change);
    }
    let others = [("Money", json!({"value": 1})), ("Signature", json!({"who": {"display": "x"}}))];
    let foreign = values.iter().chain(&others).find(|(code, _)| codes.iter().all(|known| known != code));
    if let Some((code, value)) = foreign {
        let name = format!("{stem}{}", capitalised(code));
        let change = |whole: &mut Value| {
            take(whole, holder, &site.name)?;
            set(whole, holder, &name, value.clone())
        };
        faults.add("type that a choice does not have", at(code), "element.choice", at(code), change);
    }
    let change = |whole: &mut Value| {
        let old = whole.pointer(&site.pointer)?.clone();
        take(whole, holder, &site.name)?;
        set(whole, holder, stem, old)
    };
    let bare = format!("{}.{stem}", site.holder.1);
    faults.add("choice without its type", &bare, "element.choice", bare.clone(), change);
}

fn reference(faults: &mut Faults<'_>, site: &Site) {
    if site.code != "Reference" {
        return;
    }
    let at = &site.expression;
    let dangling = |value: &mut Value| put(value, &site.pointer, json!({"reference": "#nobody"}));
    faults.add("dangling local reference", at, "invariant.failed", at, dangling);
    let targets = site.type_reference["targetProfile"].as_array().map_or(&[][..], Vec::as_slice);
    let is_any = targets.is_empty() || targets.iter().any(|target| text(target).ends_with("/Resource"));
    if !is_any && !targets.iter().any(|target| text(target).ends_with("/Basic")) {
        let reference = format!("{at}.reference");
        let wrong = |value: &mut Value| put(value, &site.pointer, json!({"reference": "Basic/b1"}));
        faults.add("reference to the wrong type", at, "reference.target", reference, wrong);
        let at = format!("{at}.type");
        let wrong = |value: &mut Value| put(value, &site.pointer, json!({"type": "Basic", "display": "x"}));
        faults.add("reference to the wrong type", &at, "reference.target", at.clone(), wrong);
    }
}
