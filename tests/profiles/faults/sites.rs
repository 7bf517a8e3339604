//! A sample laid beside its definition: every value and every object, with what is defined of it.

use super::definitions::{capitalised, definitions, text};
use serde_json::Value;

/// A value of a sample.
#[derive(Debug, Clone)]
pub struct Site {
    /// Where it is in the JSON.
    pub pointer: String,
    /// Where an issue says that it is.
    pub expression: String,
    /// The object that it stands in: JSON Pointer and expression.
    pub holder: (String, String),
    /// The member's name.
    pub name: String,
    /// The path of its definition, for example `Period.start`.
    pub path: String,
    /// Its definition.
    pub definition: &'static Value,
    /// Its type.
    pub code: String,
    /// The type as its definition names it, with profiles and targets.
    pub type_reference: &'static Value,
    /// True when it is an item of an array.
    pub in_array: bool,
    /// True when it is the second or a later item.
    pub is_later: bool,
}

/// An object of a sample.
#[derive(Debug, Clone)]
pub struct Holder {
    pub pointer: String,
    pub expression: String,
    /// The path whose elements it may have.
    pub path: String,
    /// True for a resource.
    pub is_resource: bool,
}

/// Everything in a sample.
#[derive(Debug, Default)]
pub struct Layout {
    pub sites: Vec<Site>,
    pub holders: Vec<Holder>,
}

/// Lays a resource beside its definition.
pub fn lay(resource: &Value) -> Layout {
    let mut layout = Layout::default();
    let type_name = text(&resource["resourceType"]);
    layout.object(resource, "", &type_name.clone(), &type_name, true);
    layout
}

impl Layout {
    fn object(&mut self, object: &Value, pointer: &str, expression: &str, path: &str, is_resource: bool) {
        let holder = Holder {
            pointer: pointer.to_owned(),
            expression: expression.to_owned(),
            path: path.to_owned(),
            is_resource,
        };
        self.holders.push(holder);
        for (member, value) in object.as_object().unwrap() {
            if member == "resourceType" {
                continue;
            }
            let name = member.strip_prefix('_').unwrap_or(member);
            let Some((definition, type_reference, code)) = defined(path, name) else {
                panic!("{expression}.{member} is not defined, so the sample is none")
            };
            let items = value.as_array().map_or_else(|| vec![value], |items| items.iter().collect());
            for (index, item) in items.into_iter().enumerate().filter(|(_, item)| !item.is_null()) {
                let (pointer, expression) = match value.is_array() {
                    true => (format!("{pointer}/{member}/{index}"), format!("{expression}.{name}[{index}]")),
                    false => (format!("{pointer}/{member}"), format!("{expression}.{name}")),
                };
                if name != member {
                    self.object(item, &pointer, &expression, "Element", false);
                    continue;
                }
                let own_path = text(&definition["path"]);
                self.sites.push(Site {
                    pointer: pointer.clone(),
                    expression: expression.clone(),
                    holder: self.holder_of(&pointer),
                    name: name.to_owned(),
                    path: own_path.clone(),
                    definition,
                    code: code.clone(),
                    type_reference,
                    in_array: value.is_array(),
                    is_later: index > 0,
                });
                if item.is_object() {
                    self.inside(item, &pointer, &expression, &own_path, &code, definition);
                }
            }
        }
    }

    fn inside(&mut self, item: &Value, pointer: &str, expression: &str, path: &str, code: &str, definition: &Value) {
        if let Some(type_name) = item["resourceType"].as_str() {
            return self.object(item, pointer, expression, type_name, true);
        }
        let content = text(&definition["contentReference"]);
        let below = match content.rsplit_once('#') {
            Some((_, id)) => id,
            None if !definitions().below(path).is_empty() => path,
            None => code,
        };
        self.object(item, pointer, expression, below, false);
    }

    /// The innermost object around a pointer.
    fn holder_of(&self, pointer: &str) -> (String, String) {
        let is_around =
            |holder: &&Holder| pointer.strip_prefix(holder.pointer.as_str()).is_some_and(|rest| rest.starts_with('/'));
        let found = self.holders.iter().filter(is_around).max_by_key(|holder| holder.pointer.len()).unwrap();
        (found.pointer.clone(), found.expression.clone())
    }

    /// The first site of each definition: one fault of a kind at each is enough.
    pub fn first_sites(&self) -> impl Iterator<Item = &Site> {
        let mut seen = std::collections::BTreeSet::new();
        self.sites.iter().filter(move |site| seen.insert((site.path.clone(), site.name.clone())))
    }

    /// The first holder of each path.
    pub fn first_holders(&self) -> impl Iterator<Item = &Holder> {
        let mut seen = std::collections::BTreeSet::new();
        self.holders.iter().filter(move |holder| seen.insert(holder.path.clone()))
    }
}

/// What is defined of a member: the element, its type, and that type's name.
fn defined(path: &str, name: &str) -> Option<(&'static Value, &'static Value, String)> {
    for definition in definitions().below(path) {
        let last = definition["path"].as_str()?.rsplit('.').next()?;
        let types = definition["type"].as_array().map_or(&[][..], Vec::as_slice);
        match last.strip_suffix("[x]") {
            None if last == name => {
                let first = types.first().unwrap_or(&Value::Null);
                return Some((definition, first, plain(&text(&first["code"]), path, name)));
            }
            Some(stem) => {
                let is_meant = |one: &&Value| format!("{stem}{}", capitalised(&text(&one["code"]))) == name;
                if let Some(one) = types.iter().find(is_meant) {
                    return Some((definition, one, text(&one["code"])));
                }
            }
            None => {}
        }
    }
    None
}

/// FHIR's name of a type: where XML has an attribute, definitions name the expression language's.
fn plain(code: &str, path: &str, name: &str) -> String {
    match (code.starts_with("http://hl7.org/fhirpath/"), name) {
        (false, _) => code.to_owned(),
        (true, "url") => "uri".to_owned(),
        (true, "id") if definitions().below(path).iter().any(|one| text(&one["path"]).ends_with(".implicitRules")) => {
            "id".to_owned()
        }
        (true, _) => "string".to_owned(),
    }
}
