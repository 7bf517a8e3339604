//! CodeSystem and ValueSet resources (R4) as packages hold them, read to what deciding about codes needs.

use serde::Deserialize;
use serde_json::Number;

/// A code system (FHIR `CodeSystem`).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CodeSystem {
    /// Its id in its package.
    #[serde(default)]
    pub id: String,
    /// Its canonical url: what `Coding.system` says.
    #[serde(default)]
    pub url: String,
    /// Its version; empty when it names none.
    #[serde(default)]
    pub version: String,
    /// Its name for programs.
    #[serde(default)]
    pub name: String,
    /// Its name for people.
    #[serde(default)]
    pub title: String,
    /// Whether codes differ by case; where it does not say, any case is accepted (R4 `CodeSystem.caseSensitive`).
    #[serde(default)]
    pub case_sensitive: Option<bool>,
    /// The value set that holds all its codes.
    #[serde(default)]
    pub value_set: Option<String>,
    /// How much of it is listed: `not-present`, `example`, `fragment`, `complete` or `supplement`.
    #[serde(default)]
    pub content: String,
    /// Of a supplement: the code system that it adds to.
    #[serde(default)]
    pub supplements: Option<String>,
    /// The properties that its codes may have.
    #[serde(default)]
    pub property: Vec<PropertyDefinition>,
    /// Its codes.
    #[serde(default)]
    pub concept: Vec<Concept>,
}

/// A property that codes of a system may have.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct PropertyDefinition {
    /// Its name in the system.
    pub code: String,
}

/// A code of a code system, with those below it.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Concept {
    /// The code.
    pub code: String,
    /// What it is called.
    #[serde(default)]
    pub display: Option<String>,
    /// What else it is called.
    #[serde(default)]
    pub designation: Vec<Designation>,
    /// What is said of it.
    #[serde(default)]
    pub property: Vec<Property>,
    /// Codes of narrower meaning.
    #[serde(default)]
    pub concept: Vec<Concept>,
}

/// Another name of a code.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Designation {
    /// The language (BCP 47).
    #[serde(default)]
    pub language: Option<String>,
    /// The name.
    #[serde(default)]
    pub value: String,
}

/// Something that is said of a code.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Property {
    /// The property.
    pub code: String,
    #[serde(default)]
    value_code: Option<String>,
    #[serde(default)]
    value_string: Option<String>,
    #[serde(default)]
    value_date_time: Option<String>,
    #[serde(default)]
    value_boolean: Option<bool>,
    #[serde(default)]
    value_integer: Option<Number>,
    #[serde(default)]
    value_decimal: Option<Number>,
    #[serde(default)]
    value_coding: Option<Coding>,
}

/// A code of a system, as the value of a property.
#[derive(Debug, Clone, Default, Deserialize)]
struct Coding {
    #[serde(default)]
    code: String,
}

/// The type of a property's value (R4 value set `concept-property-type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PropertyType {
    /// A code of the same system.
    Code,
    /// A code of any system, of which the code is kept.
    Coding,
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// True or false.
    Boolean,
    /// A date with or without time.
    DateTime,
    /// A number.
    Decimal,
}

impl Property {
    /// Type and text of the value; none when there is none.
    pub fn value(&self) -> Option<(PropertyType, String)> {
        let text = |kind, value: &Option<String>| value.clone().map(|value| (kind, value));
        let number = |kind, value: &Option<Number>| value.as_ref().map(|value| (kind, value.to_string()));
        text(PropertyType::Code, &self.value_code)
            .or_else(|| text(PropertyType::String, &self.value_string))
            .or_else(|| text(PropertyType::DateTime, &self.value_date_time))
            .or_else(|| self.value_boolean.map(|value| (PropertyType::Boolean, value.to_string())))
            .or_else(|| number(PropertyType::Integer, &self.value_integer))
            .or_else(|| number(PropertyType::Decimal, &self.value_decimal))
            .or_else(|| self.value_coding.as_ref().map(|value| (PropertyType::Coding, value.code.clone())))
    }

    /// The code that it names, where its value is one.
    pub(super) fn code_value(&self) -> Option<&str> {
        self.value_code.as_deref()
    }
}

/// A value set (FHIR `ValueSet`) as it is defined.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Definition {
    /// Its canonical url.
    #[serde(default)]
    pub url: String,
    /// Its version; empty when it names none.
    #[serde(default)]
    pub version: String,
    /// What it is made of.
    #[serde(default)]
    pub compose: Compose,
    /// The codes as somebody listed them.
    #[serde(default)]
    pub expansion: Option<Expansion>,
}

/// What a value set takes in and leaves out.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Compose {
    /// False when codes that are no longer used are left out.
    #[serde(default)]
    pub inactive: Option<bool>,
    /// Taken in.
    #[serde(default)]
    pub include: Vec<Part>,
    /// Left out again.
    #[serde(default)]
    pub exclude: Vec<Part>,
}

impl Compose {
    /// Every part, taken in or left out.
    pub(super) fn parts(&self) -> impl Iterator<Item = &Part> {
        self.include.iter().chain(&self.exclude)
    }
}

/// Codes of one system, or of other value sets.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Part {
    /// The code system.
    #[serde(default)]
    pub system: Option<String>,
    /// The version of the code system.
    #[serde(default)]
    pub version: Option<String>,
    /// The codes; all of the system when there are none and no filter.
    #[serde(default)]
    pub concept: Vec<Listed>,
    /// Conditions on the system's codes, all of which must be met.
    #[serde(default)]
    pub filter: Vec<Filter>,
    /// Other value sets, each of which must hold the code.
    #[serde(default, rename = "valueSet")]
    pub value_set: Vec<String>,
}

/// A code that is listed by itself.
#[derive(Debug, Clone, Deserialize)]
pub struct Listed {
    /// The code.
    pub code: String,
    /// What it is called here.
    #[serde(default)]
    pub display: Option<String>,
}

/// A condition on the codes of a system.
#[derive(Debug, Clone, Deserialize)]
pub struct Filter {
    /// What is looked at.
    pub property: String,
    /// The comparison, for example `is-a` (R4 value set `filter-operator`).
    pub op: String,
    /// With what.
    #[serde(default)]
    pub value: String,
}

/// The codes of a value set as somebody listed them.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Expansion {
    /// How many there are in all.
    #[serde(default)]
    pub total: Option<u64>,
    /// Where a listing in pages starts.
    #[serde(default)]
    pub offset: Option<u64>,
    /// The codes.
    #[serde(default)]
    pub contains: Vec<Contained>,
}

impl Expansion {
    /// True when it lists the whole set.
    pub(super) fn is_whole(&self) -> bool {
        let is_first = self.offset.unwrap_or(0) == 0;
        let has_all = self.total.is_none_or(|total| total <= count(&self.contains));
        is_first && has_all && !self.contains.is_empty()
    }
}

fn count(contained: &[Contained]) -> u64 {
    contained.iter().map(|one| 1 + count(&one.contains)).sum()
}

/// A code of an expansion, with those below it.
#[derive(Debug, Clone, Deserialize)]
pub struct Contained {
    /// The code system.
    #[serde(default)]
    pub system: Option<String>,
    /// The code; none for a heading.
    #[serde(default)]
    pub code: Option<String>,
    /// What it is called.
    #[serde(default)]
    pub display: Option<String>,
    /// True for a heading that may not be chosen.
    #[serde(default, rename = "abstract")]
    pub is_abstract: bool,
    /// Codes below it.
    #[serde(default)]
    pub contains: Vec<Contained>,
}
