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
    pub(super) kind: String,
    #[serde(default)]
    pub(super) r#abstract: bool,
    #[serde(default)]
    pub(super) r#type: String,
    #[serde(default)]
    pub(super) derivation: String,
    /// The canonical url of what it narrows or extends.
    #[serde(default)]
    pub(super) base_definition: Option<String>,
    /// Of an extension: where it may stand.
    #[serde(default)]
    pub(super) context: Vec<Context>,
    /// Of an extension: invariants (FHIRPath) on the element that it stands in.
    #[serde(default)]
    pub(super) context_invariant: Vec<String>,
    #[serde(default)]
    pub(super) snapshot: Snapshot,
    /// What it changes of its base, where it has no snapshot.
    #[serde(default)]
    pub(super) differential: Snapshot,
}

impl Structure {
    /// True for a profile: a definition that narrows another.
    pub(super) fn is_profile(&self) -> bool {
        self.derivation == "constraint"
    }
}

/// Where an extension may stand.
#[derive(Debug, Deserialize)]
pub(super) struct Context {
    /// `element`, `extension` or `fhirpath`.
    #[serde(default)]
    pub(super) r#type: String,
    #[serde(default)]
    pub(super) expression: String,
}

/// The elements of a definition.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Snapshot {
    #[serde(default)]
    pub(super) element: Vec<ElementDefinition>,
}

/// The extension that says how many characters an element has at least.
pub(super) const MIN_LENGTH: &str = "http://hl7.org/fhir/StructureDefinition/minLength";

/// One element.
///
/// In a differential what is not said is absent; in a snapshot all is there.
#[derive(Debug, Default, Clone)]
pub(super) struct ElementDefinition {
    pub(super) id: String,
    pub(super) path: String,
    pub(super) slice_name: Option<String>,
    pub(super) slicing: Option<Slicing>,
    pub(super) min: Option<u32>,
    pub(super) max: Option<String>,
    /// The path and cardinality in the definition that the element comes from.
    pub(super) base: Option<Base>,
    pub(super) content_reference: Option<String>,
    pub(super) types: Vec<TypeReference>,
    pub(super) binding: Option<Binding>,
    pub(super) constraints: Vec<Constraint>,
    pub(super) max_length: Option<u32>,
    /// The least number of characters, which R4 says by an extension.
    pub(super) min_length: Option<u32>,
    /// `fixed[x]`: the value must be this.
    pub(super) fixed: Option<Value>,
    /// `pattern[x]`: the value must have at least this.
    pub(super) pattern: Option<Value>,
    /// `minValue[x]`, with the type that its name ends in.
    pub(super) min_value: Option<(String, Value)>,
    /// `maxValue[x]`, with the type that its name ends in.
    pub(super) max_value: Option<(String, Value)>,
    pub(super) is_modifier: Option<bool>,
}

/// How repeats of an element are told apart.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Slicing {
    #[serde(default)]
    pub(super) discriminator: Vec<Discriminator>,
    #[serde(default)]
    pub(super) ordered: bool,
    /// `closed`, `open` or `openAtEnd`.
    #[serde(default)]
    pub(super) rules: String,
}

/// What tells one slice from another.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Discriminator {
    /// `value`, `exists`, `pattern`, `type` or `profile`.
    #[serde(default)]
    pub(super) r#type: String,
    /// A restricted FHIRPath from the element.
    #[serde(default)]
    pub(super) path: String,
}

/// A type that an element may have.
#[derive(Debug, Default, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TypeReference {
    #[serde(default)]
    pub(super) code: String,
    #[serde(default)]
    pub(super) profile: Vec<String>,
    #[serde(default)]
    pub(super) target_profile: Vec<String>,
    /// How what is pointed at may be reached: `contained`, `referenced`, `bundled`.
    #[serde(default)]
    pub(super) aggregation: Vec<String>,
    /// `either`, `independent` or `specific`.
    #[serde(default)]
    pub(super) versioning: Option<String>,
}

/// The value set that an element takes its codes from.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(from = "WrittenBinding")]
pub(super) struct Binding {
    pub(super) strength: String,
    pub(super) value_set: Option<String>,
    /// The widest value set that codes may come from, whatever the strength (`elementdefinition-maxValueSet`).
    pub(super) widest: Option<String>,
}

/// A binding as it is written.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenBinding {
    #[serde(default)]
    strength: String,
    #[serde(default)]
    value_set: Option<String>,
    #[serde(default)]
    extension: Vec<BindingExtension>,
}

/// An extension on a binding, of which only a value set matters.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BindingExtension {
    #[serde(default)]
    url: String,
    #[serde(default)]
    value_canonical: Option<String>,
    #[serde(default)]
    value_uri: Option<String>,
}

impl From<WrittenBinding> for Binding {
    fn from(written: WrittenBinding) -> Binding {
        const MAX: &str = "http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet";
        let widest = written.extension.into_iter().find(|one| one.url == MAX);
        Binding {
            strength: written.strength,
            value_set: written.value_set,
            widest: widest.and_then(|one| one.value_canonical.or(one.value_uri)),
        }
    }
}

/// An invariant.
#[derive(Debug, Clone, Deserialize)]
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
#[derive(Debug, Clone, Deserialize)]
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

/// What an element was where it was first defined.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Base {
    #[serde(default)]
    pub(super) path: Option<String>,
    #[serde(default)]
    pub(super) max: Option<String>,
}

/// What the extensions of an element say of its length.
fn min_length(extensions: &[Value]) -> Option<u32> {
    let is_it = |one: &&Value| one.get("url").and_then(Value::as_str) == Some(MIN_LENGTH);
    let value = extensions.iter().find(is_it)?.get("valueInteger")?;
    value.as_u64().and_then(|least| u32::try_from(least).ok())
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
                "sliceName" => element.slice_name = Some(map.next_value()?),
                "slicing" => element.slicing = Some(map.next_value()?),
                "min" => element.min = Some(map.next_value()?),
                "max" => element.max = Some(map.next_value()?),
                "base" => element.base = Some(map.next_value()?),
                "contentReference" => element.content_reference = Some(map.next_value()?),
                "type" => element.types = map.next_value()?,
                "binding" => element.binding = Some(map.next_value()?),
                "constraint" => element.constraints = map.next_value()?,
                "maxLength" => element.max_length = Some(map.next_value()?),
                "extension" => element.min_length = min_length(&map.next_value::<Vec<Value>>()?),
                "isModifier" => element.is_modifier = Some(map.next_value()?),
                other if other.starts_with("minValue") => {
                    element.min_value = Some((other["minValue".len()..].to_owned(), map.next_value()?));
                }
                other if other.starts_with("maxValue") => {
                    element.max_value = Some((other["maxValue".len()..].to_owned(), map.next_value()?));
                }
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
