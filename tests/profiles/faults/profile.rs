//! Faults against what a profile or an extension's definition asks more than its base: made from its differential.

use super::definitions::{capitalised, definitions, text};
use super::fault::{Faults, object, put, take};
use serde_json::{Value, json};

/// A definition held against one place of a sample.
struct Held<'d> {
    elements: &'d [Value],
    /// The place: JSON Pointer and expression.
    root: (String, String),
}

/// A place that an element's id leads to: JSON Pointer, expression, and the member's name.
type Instance = (String, String, String);

/// Adds the faults of all profiles that the sample claims, and of all known extensions in it.
pub fn add_all(faults: &mut Faults<'_>) {
    for url in super::claims(faults.value) {
        let elements = definitions().differential(url);
        assert!(!elements.is_empty() || url.contains("hl7.org.uk"), "{url} is not known");
        let root = (String::new(), text(&faults.value["resourceType"]));
        Held { elements, root }.add_all(faults);
    }
    let mut extensions = Vec::new();
    find_extensions(faults.value, "", &text(&faults.value["resourceType"]), &mut extensions);
    for (pointer, expression) in extensions {
        let url = text(&faults.value.pointer(&pointer).unwrap()["url"]);
        let elements = definitions().differential(&url);
        if !elements.is_empty() {
            Held { elements, root: (pointer.clone(), expression) }.add_all(faults);
            out_of_place(faults, &pointer, &url);
        }
    }
}

/// Every extension with an absolute url: JSON Pointer and expression.
fn find_extensions(value: &Value, pointer: &str, expression: &str, found: &mut Vec<(String, String)>) {
    for (name, member) in value.as_object().into_iter().flatten() {
        let items = member.as_array().map_or_else(|| vec![member], |items| items.iter().collect());
        let plain = name.strip_prefix('_').unwrap_or(name);
        for (index, item) in items.into_iter().enumerate().filter(|(_, item)| item.is_object()) {
            let (pointer, expression) = match member.is_array() {
                true => (format!("{pointer}/{name}/{index}"), format!("{expression}.{plain}[{index}]")),
                false => (format!("{pointer}/{name}"), format!("{expression}.{plain}")),
            };
            if name == "extension" && text(&item["url"]).contains(':') {
                found.push((pointer.clone(), expression.clone()));
            }
            find_extensions(item, &pointer, &expression, found);
        }
    }
}

/// The extension where its definition does not let it stand.
fn out_of_place(faults: &mut Faults<'_>, pointer: &str, url: &str) {
    let extension = faults.value.pointer(pointer).unwrap().clone();
    let at = format!("{}.meta.extension[0]", text(&faults.value["resourceType"]));
    faults.add("extension out of place", format!("{url} in meta"), "extension.context", at, |value| {
        object(value, "/meta")?.insert("extension".into(), json!([extension]));
        Some(())
    });
    let type_name = text(&faults.value["resourceType"]);
    if !definitions().below(&type_name).iter().any(|one| text(&one["path"]).ends_with(".modifierExtension")) {
        return;
    }
    let at = format!("{type_name}.modifierExtension[0]");
    let what = format!("{url} as a modifier");
    faults.add("extension that modifies nothing as a modifier", what, "extension.context", at, |value| {
        object(value, "")?.insert("modifierExtension".into(), json!([extension]));
        Some(())
    });
}

impl<'d> Held<'d> {
    fn add_all(&self, faults: &mut Faults<'_>) {
        for element in self.elements.iter().skip(1) {
            let id = text(&element["id"]);
            let Some((holder_id, last)) = id.rsplit_once('.') else { continue };
            let holders = self.instances(faults.value, holder_id);
            let instances = self.instances(faults.value, &id);
            match last.split_once(':') {
                Some((name, _)) => self.slice(faults, element, name, &holders, &instances),
                None => self.plain(faults, element, last, &holders, &instances),
            }
            self.content(faults, element, &instances);
            self.slicing(faults, element, &instances);
        }
    }

    /// How often a slice may be there.
    fn slice(
        &self,
        faults: &mut Faults<'_>,
        element: &Value,
        name: &str,
        holders: &[Instance],
        instances: &[Instance],
    ) {
        let id = text(&element["id"]);
        for (holder, expression, _) in holders {
            let own: Vec<_> = instances.iter().filter(|one| is_below(&one.0, holder)).collect();
            let Some(first) = own.first() else { continue };
            let array = format!("{holder}/{name}");
            if element["min"].as_u64() > Some(0) && element["max"] != "0" {
                let at = format!("{expression}.{name}");
                faults.add("slice missing", &id, "slice.required", at, |value| {
                    let pointers: Vec<_> = own.iter().rev().map(|one| one.0.clone()).collect();
                    let items = value.pointer_mut(&array)?.as_array_mut()?;
                    for pointer in pointers {
                        items.remove(pointer.rsplit('/').next()?.parse().ok()?);
                    }
                    if items.is_empty() {
                        take(value, holder, name)?;
                    }
                    Some(())
                });
            }
            // Without a word of its own a slice of an extension stands as often as its definition says.
            let of_extension = || {
                let profile = text(&element["type"][0]["profile"][0]);
                definitions().differential(&profile).first().map(|root| text(&root["max"]))
            };
            let max = Some(text(&element["max"])).filter(|max| !max.is_empty()).or_else(of_extension);
            if max.as_deref() == Some("1") && own.len() == 1 {
                let place: usize = first.0.rsplit('/').next().unwrap().parse().unwrap();
                let at = format!("{expression}.{name}[{}]", place + 1);
                faults.add("slice too often", &id, "slice.too-many", at, |value| {
                    let items = value.pointer_mut(&array)?.as_array_mut()?;
                    let item = items.get(place)?.clone();
                    items.insert(place + 1, item);
                    Some(())
                });
            }
        }
    }

    /// How often an element may be there.
    fn plain(
        &self,
        faults: &mut Faults<'_>,
        element: &Value,
        last: &str,
        holders: &[Instance],
        instances: &[Instance],
    ) {
        let id = text(&element["id"]);
        let stem = last.trim_end_matches("[x]");
        for (holder, expression, _) in holders {
            let own: Vec<_> = instances.iter().filter(|one| is_below(&one.0, holder)).collect();
            if element["min"].as_u64() > Some(0) && !self.is_discriminator(&id) {
                let at = format!("{expression}.{stem}");
                faults.add("element that a profile asks for missing", &id, "element.required", at, |value| {
                    take(value, holder, &own.first()?.2)
                });
            }
            let max = text(&element["max"]);
            if max == "0" && own.is_empty() && !self.is_discriminator(&id) {
                // Of a choice and of an element by itself a text stands for any value.
                let (name, member, index) = match last {
                    "value[x]" => ("valueString".to_owned(), json!("x"), ""),
                    "cancelationReason" => (last.to_owned(), json!({"text": "x"}), ""),
                    _ => continue,
                };
                let at = format!("{expression}.{name}{index}");
                faults.add("element that a profile rules out", &id, "element.too-many", at, |value| {
                    object(value, holder)?.insert(name.clone(), member);
                    Some(())
                });
            }
            if let (Ok(max @ 1..), Some(first)) = (max.parse::<usize>(), own.first())
                && let Some(array) = first.0.rsplit_once('/').map(|(array, _)| array.to_owned())
                && faults.value.pointer(&array).is_some_and(Value::is_array)
            {
                let at = format!("{expression}.{stem}[{max}]");
                faults.add("element oftener than a profile lets it", &id, "element.too-many", at, |value| {
                    let items = value.pointer_mut(&array)?.as_array_mut()?;
                    let item = items.last()?.clone();
                    items.resize(max + 1, item);
                    Some(())
                });
            }
        }
    }

    /// What an element may hold.
    fn content(&self, faults: &mut Faults<'_>, element: &Value, instances: &[Instance]) {
        let id = text(&element["id"]);
        let Some((pointer, at, name)) = instances.first() else { return };
        let member = |start: &str| {
            let found = element.as_object()?.iter().find(|(name, _)| name.starts_with(start));
            found.map(|(_, value)| value.clone())
        };
        if (member("fixed").is_some() || member("pattern").is_some())
            && !self.is_discriminator(&id)
            && !at.ends_with(".url")
        {
            let other = match faults.value.pointer(pointer).unwrap() {
                Value::String(_) => json!("tentative"),
                Value::Number(_) => json!(21),
                _ => json!({"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0276", "code": "WALKIN"}]}),
            };
            faults.add("fixed value or pattern not met", &id, "profile.value", at, |value| put(value, pointer, other));
        }
        if let Some(max) = member("maxLength").and_then(|max| max.as_u64()) {
            let long = "é".repeat(max as usize + 1);
            faults.add("text too long", &id, "primitive.format", at, |value| put(value, pointer, json!(long)));
        }
        for (limit, beyond) in [("minValue", -1), ("maxValue", 1)] {
            if let Some(limit) = member(limit).and_then(|limit| limit.as_i64()) {
                let other = json!(limit + beyond);
                faults.add("value beyond its limits", &id, "profile.value", at, |value| put(value, pointer, other));
            }
        }
        let types = element["type"].as_array().map_or(&[][..], Vec::as_slice);
        if let ([one], Some(stem)) = (types, id.strip_suffix("[x]").and_then(|id| id.rsplit('.').next()))
            && !self.is_discriminator(&id)
        {
            let (code, other) = if one["code"] == "decimal" { ("string", json!("x")) } else { ("decimal", json!(1.5)) };
            let other_name = format!("{stem}{}", capitalised(code));
            let holder = pointer.rsplit_once('/').unwrap().0;
            let at = format!("{}.{other_name}", at.rsplit_once('.').unwrap().0);
            faults.add("type that a profile rules out", &id, "element.choice", at, |value| {
                take(value, holder, name)?;
                object(value, holder)?.insert(other_name, other);
                Some(())
            });
        }
        let targets = types.first().map_or(&Value::Null, |one| &one["targetProfile"]);
        if targets.as_array().is_some_and(|targets| !targets.is_empty()) {
            let at = format!("{at}.reference");
            faults.add("reference to a type that a profile rules out", &id, "reference.target", at, |value| {
                let reference = object(value, pointer)?.get_mut("reference")?;
                *reference = json!("HealthcareService/h1");
                Some(())
            });
        }
        let binding = &element["binding"];
        if binding["strength"] == "required" && definitions().is_listed(&text(&binding["valueSet"])) {
            let (what, at) = (format!("{id} of {}", self.root.1), format!("{at}.coding[0].code"));
            faults.add("unknown code in a profile's required binding", what, "code.required-binding", at, |value| {
                let coding = json!([{"system": "https://example.org/other", "code": "no-such-code"}]);
                object(value, pointer)?.insert("coding".into(), coding);
                Some(())
            });
        }
    }

    /// How slices stand to each other and to what matches none.
    fn slicing(&self, faults: &mut Faults<'_>, element: &Value, instances: &[Instance]) {
        let slicing = &element["slicing"];
        let Some((first, first_at, _)) = instances.first() else { return };
        let (Some((array, _)), Some((array_at, _))) = (first.rsplit_once('/'), first_at.rsplit_once('[')) else {
            return;
        };
        let id = text(&element["id"]);
        let stranger = || match id.rsplit('.').next() {
            Some("identifier") => json!({"system": "https://example.org/stranger", "value": "1"}),
            Some("input") => json!({"type": {"text": "x"}, "valueInteger": 1}),
            _ => json!({"text": "stranger"}),
        };
        if slicing["rules"] == "closed" {
            let at = format!("{array_at}[{}]", instances.len());
            faults.add("no slice of a closed slicing", &id, "slice.closed", at, |value| {
                value.pointer_mut(array)?.as_array_mut()?.push(stranger());
                Some(())
            });
        }
        if slicing["rules"] == "openAtEnd" {
            faults.add("no slice before the end", &id, "slice.order", format!("{array_at}[1]"), |value| {
                value.pointer_mut(array)?.as_array_mut()?.insert(0, stranger());
                Some(())
            });
        }
        if slicing["ordered"] == true {
            faults.add("slices out of order", &id, "slice.order", format!("{array_at}[1]"), |value| {
                value.pointer_mut(array)?.as_array_mut()?.swap(0, 1);
                Some(())
            });
        }
    }

    /// The places in the sample that an element's id leads to.
    fn instances(&self, value: &Value, id: &str) -> Vec<Instance> {
        let mut found = vec![(self.root.0.clone(), self.root.1.clone(), String::new())];
        let mut reached = id.split('.').next().unwrap_or_default().to_owned();
        for part in id.split('.').skip(1) {
            reached = format!("{reached}.{part}");
            let (name, slice) = part.split_once(':').map_or((part, None), |(name, slice)| (name, Some(slice)));
            let mut next = Vec::new();
            for (pointer, expression, _) in found {
                let Some(members) = value.pointer(&pointer).and_then(Value::as_object) else { continue };
                let is_meant = |member: &str| match name.strip_suffix("[x]") {
                    Some(stem) => member.strip_prefix(stem).is_some_and(|rest| rest.starts_with(char::is_uppercase)),
                    None => member == name,
                };
                for (member, value) in members.iter().filter(|(member, _)| is_meant(member)) {
                    let items = value.as_array().map_or_else(|| vec![value], |items| items.iter().collect());
                    for (index, item) in items.into_iter().enumerate() {
                        if slice.is_some() && !self.is_member(&reached, item) {
                            continue;
                        }
                        next.push(match value.is_array() {
                            true => (
                                format!("{pointer}/{member}/{index}"),
                                format!("{expression}.{member}[{index}]"),
                                member.clone(),
                            ),
                            false => (format!("{pointer}/{member}"), format!("{expression}.{member}"), member.clone()),
                        });
                    }
                }
            }
            found = next;
        }
        found
    }

    fn element(&self, id: &str) -> Option<&'d Value> {
        self.elements.iter().find(|element| element["id"] == id)
    }

    /// True when `item` is a member of the slice with this id.
    fn is_member(&self, slice: &str, item: &Value) -> bool {
        let sliced = slice.rsplit_once(':').map_or(slice, |(sliced, _)| sliced);
        let discriminators = self.element(sliced).and_then(|element| element["slicing"]["discriminator"].as_array());
        if sliced.ends_with(".extension") || sliced.ends_with(".modifierExtension") {
            let own = self.element(&format!("{slice}.url")).map(|url| text(&url["fixedUri"]));
            let profile = self.element(slice).map(|slice| text(&slice["type"][0]["profile"][0]));
            return own.or(profile) == Some(text(&item["url"]));
        }
        discriminators.into_iter().flatten().all(|one| {
            let path = text(&one["path"]);
            let criterion = self.element(&format!("{slice}.{path}"));
            let found = values(item, &path);
            match one["type"].as_str() {
                Some("exists") => {
                    let is_out = criterion.is_some_and(|criterion| criterion["max"] == "0");
                    is_out == found.is_empty()
                }
                Some("type") => {
                    let code = self.element(&format!("{slice}.{path}[x]")).map(|one| text(&one["type"][0]["code"]));
                    code.is_some_and(|code| item.get(format!("{path}{}", capitalised(&code))).is_some())
                }
                _ => {
                    let members = criterion.and_then(Value::as_object).into_iter().flatten();
                    let wanted = members.filter(|(name, _)| name.starts_with("fixed") || name.starts_with("pattern"));
                    let wanted: Vec<_> = wanted.map(|(_, value)| value).collect();
                    !wanted.is_empty() && found.iter().any(|value| wanted.contains(value))
                }
            }
        })
    }

    /// True when the element tells the members of a slice from others: breaking it makes another fault.
    fn is_discriminator(&self, id: &str) -> bool {
        let parts: Vec<_> = id.split('.').collect();
        (1..parts.len()).any(|end| {
            let slice = parts[..end].join(".");
            let Some((sliced, _)) = slice.rsplit_once(':') else { return false };
            let path = parts[end..].join(".");
            let path = path.trim_end_matches("[x]");
            let listed = self.element(sliced).and_then(|element| element["slicing"]["discriminator"].as_array());
            let is_url = path == "url" && sliced.ends_with("xtension");
            is_url
                || listed
                    .into_iter()
                    .flatten()
                    .any(|one| one["path"] == path || text(&one["path"]).starts_with(&format!("{path}.")))
        })
    }
}

/// The values that a path of plain names leads to.
fn values<'v>(item: &'v Value, path: &str) -> Vec<&'v Value> {
    let mut found = vec![item];
    for name in path.split('.') {
        let members = found.into_iter().filter_map(|value| value.get(name));
        found = members
            .flat_map(|value| value.as_array().map_or_else(|| vec![value], |items| items.iter().collect()))
            .collect();
    }
    found
}

/// True when `pointer` stands directly in the object at `holder`, or in an array of it.
fn is_below(pointer: &str, holder: &str) -> bool {
    let rest = pointer.strip_prefix(holder).unwrap_or_default();
    let steps: Vec<_> = rest.split('/').skip(1).collect();
    steps.len() == 1 || (steps.len() == 2 && steps[1].chars().all(|digit| digit.is_ascii_digit()))
}
