//! Code systems, compiled: each code once, found by binary search, with its names, its place in the hierarchy and what
//! is said of it, as numbers into one text.

use super::definition::PropertyType;
use super::forms::Form;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::ops::Range;

/// How much of a code system is known here (R4 value set `codesystem-content-mode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// All of it: a code that is not listed does not exist.
    Complete,
    /// Some of it.
    Fragment,
    /// Some of it, for illustration.
    Example,
    /// Its definition is loaded, and lists no codes.
    NotPresent,
    /// No package defines it; it is known by name only.
    Unloaded,
}

impl Content {
    pub(super) fn named(name: &str) -> Content {
        match name {
            "complete" => Content::Complete,
            "fragment" => Content::Fragment,
            "example" => Content::Example,
            _ => Content::NotPresent,
        }
    }
}

/// A part of a system's text.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

/// A code.
#[derive(Debug, Clone, Default)]
pub(super) struct Row {
    pub(super) code: Span,
    /// Empty when it has no name.
    pub(super) display: Span,
    pub(super) parents: Span,
    pub(super) designations: Span,
    pub(super) properties: Span,
    pub(super) is_inactive: bool,
    pub(super) is_abstract: bool,
    /// True for a code that only a value set names, and its system does not.
    pub(super) is_foreign: bool,
}

/// Another name of a code.
#[derive(Debug, Clone, Copy)]
pub(super) struct DesignationRow {
    pub(super) language: Span,
    pub(super) value: Span,
}

/// What is said of a code.
#[derive(Debug, Clone, Copy)]
pub(super) struct PropertyRow {
    /// The number of the property's name.
    pub(super) property: u32,
    pub(super) kind: PropertyType,
    pub(super) value: Span,
}

/// A code system.
#[derive(Debug)]
pub struct System {
    pub(super) url: Box<str>,
    pub(super) version: Box<str>,
    pub(super) name: Box<str>,
    pub(super) content: Content,
    pub(super) is_case_sensitive: bool,
    pub(super) form: Option<Form>,
    /// The value set that holds all its codes.
    pub(super) value_set: Option<Box<str>>,
    pub(super) text: Box<str>,
    /// In order of code; where case does not matter, in order of the code in small letters.
    pub(super) rows: Vec<Row>,
    pub(super) parents: Vec<u32>,
    /// Parent and child, in order.
    pub(super) below: Vec<(u32, u32)>,
    pub(super) designations: Vec<DesignationRow>,
    pub(super) properties: Vec<PropertyRow>,
    pub(super) property_names: Vec<Box<str>>,
}

/// A code of a system.
#[derive(Debug, Clone, Copy)]
pub struct Concept<'s> {
    system: &'s System,
    number: u32,
}

impl System {
    /// Its canonical url.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its version; empty when it names none.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What people call it; empty when it has no name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How much of it is known.
    pub fn content(&self) -> Content {
        self.content
    }

    /// The grammar or list that decides about its codes where no package lists them.
    pub fn form(&self) -> Option<Form> {
        match self.content {
            Content::Complete => None,
            Content::Fragment | Content::Example | Content::NotPresent | Content::Unloaded => self.form,
        }
    }

    /// The value set that holds all its codes, where its definition names one.
    pub(super) fn value_set(&self) -> Option<&str> {
        self.value_set.as_deref()
    }

    /// The code, where the system lists it.
    pub fn concept(&self, code: &str) -> Option<Concept<'_>> {
        self.find(code).map(|number| Concept { system: self, number }).filter(|concept| !concept.row().is_foreign)
    }

    /// The number of a code that the system or a value set lists.
    pub(super) fn find(&self, code: &str) -> Option<u32> {
        let start = self.rows.partition_point(|row| self.compare(self.text(row.code), code) == Ordering::Less);
        let mut first = None;
        for (place, row) in self.rows.iter().enumerate().skip(start) {
            let known = self.text(row.code);
            if known == code {
                return Some(place as u32);
            }
            // Codes are in bytes' order within those that differ by case only.
            if self.is_case_sensitive || !known.eq_ignore_ascii_case(code) {
                break;
            }
            first = first.or(Some(place as u32));
        }
        first
    }

    fn compare(&self, one: &str, other: &str) -> Ordering {
        compare(one, other, self.is_case_sensitive)
    }

    fn text(&self, span: Span) -> &str {
        self.text.get(span.start as usize..span.end as usize).unwrap_or("")
    }

    /// The code with this number.
    pub(super) fn numbered(&self, number: u32) -> Option<Concept<'_>> {
        ((number as usize) < self.rows.len()).then_some(Concept { system: self, number })
    }

    /// The codes that the system itself lists.
    pub fn concepts(&self) -> impl Iterator<Item = Concept<'_>> {
        let all = 0..self.rows.len() as u32;
        all.map(|number| Concept { system: self, number }).filter(|concept| !concept.row().is_foreign)
    }

    /// The number of codes that it lists.
    pub fn concept_count(&self) -> usize {
        self.concepts().count()
    }

    /// The number of a property, where any code may have it.
    pub(super) fn property(&self, name: &str) -> Option<u32> {
        self.property_names.iter().position(|known| **known == *name).map(|place| place as u32)
    }

    /// `top` and everything below it, in order of number.
    pub(super) fn with_below(&self, top: u32) -> Vec<u32> {
        let mut met = vec![false; self.rows.len()];
        let mut open = vec![top];
        while let Some(number) = open.pop() {
            match met.get_mut(number as usize) {
                Some(met) if !*met => *met = true,
                Some(_) | None => continue,
            }
            let start = self.below.partition_point(|(parent, _)| *parent < number);
            let children = self.below.iter().skip(start).take_while(|(parent, _)| *parent == number);
            open.extend(children.map(|(_, child)| *child));
        }
        (0..self.rows.len() as u32).filter(|number| met.get(*number as usize).copied().unwrap_or(false)).collect()
    }

    /// `bottom` and everything above it, in order of number.
    pub(super) fn with_above(&self, bottom: u32) -> Vec<u32> {
        let mut met = BTreeSet::from([bottom]);
        let mut open = vec![bottom];
        while let Some(number) = open.pop() {
            open.extend(self.parents_of(number).iter().filter(|parent| met.insert(**parent)));
        }
        met.into_iter().collect()
    }

    fn parents_of(&self, number: u32) -> &[u32] {
        let span = self.rows.get(number as usize).map(|row| row.parents).unwrap_or_default();
        self.parents.get(range(span)).unwrap_or(&[])
    }

    /// Whether `broad` is `narrow` or stands above it; none when the system does not list both, or not all of its codes.
    pub fn subsumes(&self, broad: &str, narrow: &str) -> Option<bool> {
        let (broad, narrow) = (self.concept(broad)?, self.concept(narrow)?);
        Some(broad.is_above(narrow) || broad.number == narrow.number)
    }
}

fn range(span: Span) -> Range<usize> {
    span.start as usize..span.end as usize
}

/// The order of codes. Where case does not matter it is that of the codes in small letters.
pub(super) fn compare(one: &str, other: &str, is_case_sensitive: bool) -> Ordering {
    if is_case_sensitive {
        return one.cmp(other);
    }
    one.bytes().map(|byte| byte.to_ascii_lowercase()).cmp(other.bytes().map(|byte| byte.to_ascii_lowercase()))
}

impl<'s> Concept<'s> {
    fn row(&self) -> &'s Row {
        // Made from numbers within the rows only.
        &self.system.rows[self.number as usize]
    }

    /// The system that it is of.
    pub fn system(&self) -> &'s System {
        self.system
    }

    /// Its number in the system.
    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// The code, as its system spells it.
    pub fn code(&self) -> &'s str {
        self.system.text(self.row().code)
    }

    /// What it is called.
    pub fn display(&self) -> Option<&'s str> {
        Some(self.system.text(self.row().display)).filter(|display| !display.is_empty())
    }

    /// Its other names: language, where told, and name.
    pub fn designations(&self) -> impl Iterator<Item = (Option<&'s str>, &'s str)> + use<'s> {
        let system = self.system;
        let rows = system.designations.get(range(self.row().designations)).unwrap_or(&[]);
        rows.iter().map(|row| {
            let language = system.text(row.language);
            ((!language.is_empty()).then_some(language), system.text(row.value))
        })
    }

    /// What is said of it: property, type and text of the value.
    pub fn properties(&self) -> impl Iterator<Item = (&'s str, PropertyType, &'s str)> + use<'s> {
        let system = self.system;
        self.property_rows().iter().map(|row| {
            let name = system.property_names.get(row.property as usize).map_or("", |name| &**name);
            (name, row.kind, system.text(row.value))
        })
    }

    fn property_rows(&self) -> &'s [PropertyRow] {
        self.system.properties.get(range(self.row().properties)).unwrap_or(&[])
    }

    /// The values of the property with this number.
    pub(super) fn values_of(&self, property: u32) -> impl Iterator<Item = &'s str> + use<'s> {
        let system = self.system;
        self.property_rows().iter().filter(move |row| row.property == property).map(|row| system.text(row.value))
    }

    /// The codes directly above it.
    pub fn parents(&self) -> impl Iterator<Item = Concept<'s>> + use<'s> {
        let system = self.system;
        system.parents_of(self.number).iter().filter_map(|number| system.numbered(*number))
    }

    /// The codes directly below it.
    pub fn children(&self) -> impl Iterator<Item = Concept<'s>> + use<'s> {
        let (system, own) = (self.system, self.number);
        let start = system.below.partition_point(|(parent, _)| *parent < own);
        let rows = system.below.iter().skip(start).take_while(move |(parent, _)| *parent == own);
        rows.filter_map(|(_, child)| system.numbered(*child))
    }

    /// True when it is no longer used.
    pub fn is_inactive(&self) -> bool {
        self.row().is_inactive
    }

    /// True for a heading that is not chosen by itself.
    pub fn is_abstract(&self) -> bool {
        self.row().is_abstract
    }

    fn is_above(&self, other: Concept<'s>) -> bool {
        self.system.with_above(other.number).binary_search(&self.number).is_ok() && self.number != other.number
    }

    /// Whether `display` is one of its names; letters' case and blanks do not matter. True when it has no name.
    pub fn is_called(&self, display: &str) -> bool {
        match self.display() {
            None => true,
            Some(own) => is_same_name(own, display) || self.designations().any(|(_, name)| is_same_name(name, display)),
        }
    }
}

/// True for names that differ by the case of letters and by the blanks between words only.
fn is_same_name(one: &str, other: &str) -> bool {
    let small = |word: &'_ str| word.chars().flat_map(char::to_lowercase).collect::<String>();
    one == other || one.split_whitespace().map(small).eq(other.split_whitespace().map(small))
}
