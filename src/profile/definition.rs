//! StructureDefinitions as packages hold them, read to what a plan is made of.
//!
//! Official packages carry much prose; it is stepped over and never kept.

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use std::fmt;

/// A StructureDefinition.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Structure {
    #[serde(default)]
    pub(super) url: String,
    #[serde(default)]
    pub(super) version: String,
    #[serde(default)]
    pub(super) fhir_version: String,
    #[serde(default)]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) r#abstract: bool,
    #[serde(default)]
    pub(super) r#type: String,
    #[serde(default)]
    pub(super) derivation: String,
    #[serde(default)]
    pub(super) snapshot: Snapshot,
}

impl Structure {
    /// True for a profile: a definition that narrows another.
    pub(super) fn is_profile(&self) -> bool {
        self.derivation == "constraint"
    }
}

/// The elements of a definition, whole.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Snapshot {
    #[serde(default)]
    pub(super) element: Vec<ElementDefinition>,
}

/// One element.
#[derive(Debug, Default)]
pub(super) struct ElementDefinition {
    pub(super) id: String,
    pub(super) path: String,
    pub(super) min: u32,
    pub(super) max: String,
    pub(super) base_max: Option<String>,
    pub(super) content_reference: Option<String>,
    pub(super) types: Vec<TypeReference>,
    pub(super) binding: Option<Binding>,
    pub(super) constraints: Vec<Constraint>,
    pub(super) max_length: Option<u32>,
    /// `fixed[x]`: the value must be this.
    pub(super) fixed: Option<Value>,
    /// `pattern[x]`: the value must have at least this.
    pub(super) pattern: Option<Value>,
}

/// A type that an element may have.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TypeReference {
    #[serde(default)]
    pub(super) code: String,
    #[serde(default)]
    pub(super) profile: Vec<String>,
    #[serde(default)]
    pub(super) target_profile: Vec<String>,
}

/// The value set that an element takes its codes from.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Binding {
    #[serde(default)]
    pub(super) strength: String,
    #[serde(default)]
    pub(super) value_set: Option<String>,
}

/// An invariant.
#[derive(Debug, Deserialize)]
pub(super) struct Constraint {
    #[serde(default)]
    pub(super) key: String,
    #[serde(default)]
    pub(super) severity: String,
    #[serde(default)]
    pub(super) human: String,
    #[serde(default)]
    pub(super) expression: Option<String>,
    #[serde(default)]
    pub(super) source: Option<String>,
    #[serde(default)]
    pub(super) extension: Vec<Extension>,
}

/// An extension on an invariant, of which only a flag matters.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Extension {
    #[serde(default)]
    pub(super) url: String,
    #[serde(default)]
    pub(super) value_boolean: bool,
}

impl Constraint {
    /// True when breaking it refuses a submission.
    pub(super) fn is_error(&self) -> bool {
        const BEST_PRACTICE: &str = "http://hl7.org/fhir/StructureDefinition/elementdefinition-bestpractice";
        let is_advice = self.extension.iter().any(|one| one.url == BEST_PRACTICE && one.value_boolean);
        self.severity == "error" && !is_advice
    }
}

#[derive(Deserialize)]
struct Base {
    #[serde(default)]
    max: Option<String>,
}

impl<'de> Deserialize<'de> for ElementDefinition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ElementVisitor)
    }
}

/// Reads an element by hand: serde's `flatten` would copy each one to find the members whose names vary.
struct ElementVisitor;

impl<'de> Visitor<'de> for ElementVisitor {
    type Value = ElementDefinition;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an ElementDefinition")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<ElementDefinition, M::Error> {
        let mut element = ElementDefinition::default();
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            match key.as_ref() {
                "id" => element.id = map.next_value()?,
                "path" => element.path = map.next_value()?,
                "min" => element.min = map.next_value()?,
                "max" => element.max = map.next_value()?,
                "base" => element.base_max = map.next_value::<Base>()?.max,
                "contentReference" => element.content_reference = Some(map.next_value()?),
                "type" => element.types = map.next_value()?,
                "binding" => element.binding = Some(map.next_value()?),
                "constraint" => element.constraints = map.next_value()?,
                "maxLength" => element.max_length = Some(map.next_value()?),
                other if other.starts_with("fixed") => element.fixed = Some(map.next_value()?),
                other if other.starts_with("pattern") => element.pattern = Some(map.next_value()?),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(element)
    }
}
