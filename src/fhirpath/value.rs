//! What an expression computes with: items that are nodes of a document, and values that were made on the way.

use super::decimal::Decimal;
use super::moment::Moment;
use super::unit::Unit;
use crate::document::{Node, Scalar};
use std::borrow::Cow;
use std::fmt;

/// A number with a unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantity<'d> {
    /// The number.
    pub value: Decimal,
    /// A UCUM code, or a calendar word such as `days` when `is_calendar`.
    pub unit: Cow<'d, str>,
    /// True for FHIRPath's calendar durations.
    pub is_calendar: bool,
}

impl Quantity<'_> {
    pub(super) fn known_unit(&self) -> Option<Unit> {
        Unit::parse(&self.unit, self.is_calendar)
    }
}

/// A value of one of FHIRPath's own (System) types.
#[derive(Debug, Clone)]
pub enum Value<'d> {
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A decimal number, exact.
    Decimal(Decimal),
    /// Text; borrowed from the document where it can be.
    String(Cow<'d, str>),
    /// A date, as far as it is told.
    Date(Moment),
    /// A date with a time, as far as it is told.
    DateTime(Moment),
    /// A time of day.
    Time(Moment),
    /// A number with a unit.
    Quantity(Box<Quantity<'d>>),
}

impl<'d> Value<'d> {
    /// The number that it is, an integer as a decimal; none for what is no number.
    pub(super) fn number(&self) -> Option<Decimal> {
        match self {
            Value::Integer(value) => Some(Decimal::from(*value)),
            Value::Decimal(value) => Some(*value),
            Value::Boolean(_)
            | Value::String(_)
            | Value::Date(_)
            | Value::DateTime(_)
            | Value::Time(_)
            | Value::Quantity(_) => None,
        }
    }

    /// The name of its type in the System namespace.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Boolean(_) => "Boolean",
            Value::Integer(_) => "Integer",
            Value::Decimal(_) => "Decimal",
            Value::String(_) => "String",
            Value::Date(_) => "Date",
            Value::DateTime(_) => "DateTime",
            Value::Time(_) => "Time",
            Value::Quantity(_) => "Quantity",
        }
    }

    /// The value as text, as `toString()` gives it.
    pub fn text(&self) -> Cow<'d, str> {
        match self {
            Value::String(text) => text.clone(),
            Value::Boolean(true) => Cow::Borrowed("true"),
            Value::Boolean(false) => Cow::Borrowed("false"),
            Value::Integer(_)
            | Value::Decimal(_)
            | Value::Date(_)
            | Value::DateTime(_)
            | Value::Time(_)
            | Value::Quantity(_) => Cow::Owned(self.to_string()),
        }
    }
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Boolean(value) => write!(f, "{value}"),
            Value::Integer(value) => write!(f, "{value}"),
            Value::Decimal(value) => write!(f, "{value}"),
            Value::String(value) => f.write_str(value),
            Value::Date(value) | Value::DateTime(value) => value.write_date_time(f),
            Value::Time(value) => value.write_time(f),
            Value::Quantity(quantity) if quantity.is_calendar => write!(f, "{} {}", quantity.value, quantity.unit),
            Value::Quantity(quantity) => write!(f, "{} '{}'", quantity.value, quantity.unit),
        }
    }
}

/// One member of a collection.
#[derive(Clone)]
pub enum Item<'d> {
    /// An element of a document.
    Node(Node<'d>),
    /// A value that was made on the way, and the element it was made from, where that can be said.
    Value(Value<'d>, Option<Node<'d>>),
}

impl<'d> Item<'d> {
    /// The element this item is, or was made from.
    pub fn origin(&self) -> Option<Node<'d>> {
        match self {
            Item::Node(node) => Some(*node),
            Item::Value(_, origin) => *origin,
        }
    }

    /// The item as text; none for an element without a value.
    pub fn text(&self) -> Option<Cow<'d, str>> {
        match self {
            Item::Node(node) => node.value().map(|scalar| Cow::Borrowed(scalar.text())),
            Item::Value(value, _) => Some(value.text()),
        }
    }

    /// The element, when the item is one.
    pub fn node(&self) -> Option<Node<'d>> {
        match self {
            Item::Node(node) => Some(*node),
            Item::Value(..) => None,
        }
    }

    /// The value as one of FHIRPath's own types. A leaf becomes what its JSON type says; a string stays a string
    /// here, and whether it is a date is decided where one is needed. None for elements with parts.
    pub fn value(&self) -> Option<Value<'d>> {
        match self {
            Item::Node(node) => node.value().and_then(scalar_value),
            Item::Value(value, _) => Some(value.clone()),
        }
    }

    /// The truth value, when it is one.
    pub fn boolean(&self) -> Option<bool> {
        match self {
            Item::Node(node) => match node.value() {
                Some(Scalar::Boolean(value)) => Some(value),
                Some(Scalar::String(_) | Scalar::Number(_)) | None => None,
            },
            Item::Value(Value::Boolean(value), _) => Some(*value),
            Item::Value(..) => None,
        }
    }
}

impl fmt::Debug for Item<'_> {
    /// Shows the place or the type, never the value: it may be a patient's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Item::Node(node) => node.fmt(f),
            Item::Value(value, origin) => write!(f, "Value({} from {origin:?})", value.type_name()),
        }
    }
}

fn scalar_value(scalar: Scalar<'_>) -> Option<Value<'_>> {
    match scalar {
        Scalar::Boolean(value) => Some(Value::Boolean(value)),
        Scalar::String(text) => Some(Value::String(Cow::Borrowed(text))),
        Scalar::Number(text) => match text.parse() {
            Ok(whole) => Some(Value::Integer(whole)),
            Err(_) => Decimal::parse(text).map(Value::Decimal),
        },
    }
}

/// An ordered collection of items: what every expression takes and gives. One item needs no allocation.
#[derive(Clone, Debug, Default)]
pub struct Collection<'d>(Few<'d>);

#[derive(Clone, Debug, Default)]
enum Few<'d> {
    #[default]
    None,
    One(Item<'d>),
    Many(Vec<Item<'d>>),
}

impl<'d> Collection<'d> {
    /// The empty collection.
    pub const EMPTY: Collection<'static> = Collection(Few::None);

    /// A collection without items.
    pub fn new() -> Self {
        Collection(Few::None)
    }

    /// A collection of one element.
    pub fn node(node: Node<'d>) -> Self {
        Collection(Few::One(Item::Node(node)))
    }

    /// A collection of one value that comes from no element.
    pub fn value(value: Value<'d>) -> Self {
        Collection(Few::One(Item::Value(value, None)))
    }

    /// A collection of one text that comes from no element.
    pub fn text(text: impl Into<Cow<'d, str>>) -> Self {
        Collection::value(Value::String(text.into()))
    }

    /// The items in order.
    pub fn items(&self) -> &[Item<'d>] {
        match &self.0 {
            Few::None => &[],
            Few::One(item) => std::slice::from_ref(item),
            Few::Many(items) => items,
        }
    }

    /// The items in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Item<'d>> {
        self.items().iter()
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        self.items().len()
    }

    /// True when there is no item.
    pub fn is_empty(&self) -> bool {
        self.items().is_empty()
    }

    /// The item, when there is exactly one.
    pub fn single(&self) -> Option<&Item<'d>> {
        match self.items() {
            [item] => Some(item),
            _ => None,
        }
    }

    /// The first item.
    pub fn first(&self) -> Option<&Item<'d>> {
        self.items().first()
    }

    /// Adds an item at the end.
    pub fn push(&mut self, item: Item<'d>) {
        match &mut self.0 {
            Few::None => self.0 = Few::One(item),
            Few::Many(items) => items.push(item),
            Few::One(_) => {
                if let Few::One(first) = std::mem::take(&mut self.0) {
                    self.0 = Few::Many(vec![first, item]);
                }
            }
        }
    }

    /// Adds all of another collection at the end.
    pub fn append(&mut self, other: Collection<'d>) {
        if self.is_empty() {
            *self = other;
        } else {
            other.into_iter().for_each(|item| self.push(item));
        }
    }
}

impl From<bool> for Collection<'_> {
    fn from(value: bool) -> Self {
        Collection::value(Value::Boolean(value))
    }
}

impl From<Option<bool>> for Collection<'_> {
    fn from(value: Option<bool>) -> Self {
        value.map_or(Collection::new(), Collection::from)
    }
}

impl<'d> From<Item<'d>> for Collection<'d> {
    fn from(item: Item<'d>) -> Self {
        Collection(Few::One(item))
    }
}

impl<'d> From<Option<Item<'d>>> for Collection<'d> {
    fn from(item: Option<Item<'d>>) -> Self {
        item.map_or(Collection::new(), Collection::from)
    }
}

impl<'d> FromIterator<Item<'d>> for Collection<'d> {
    fn from_iter<I: IntoIterator<Item = Item<'d>>>(items: I) -> Self {
        let mut collection = Collection::new();
        items.into_iter().for_each(|item| collection.push(item));
        collection
    }
}

impl<'d> IntoIterator for Collection<'d> {
    type Item = Item<'d>;
    type IntoIter = IntoItems<'d>;

    fn into_iter(self) -> IntoItems<'d> {
        match self.0 {
            Few::None => IntoItems::Few(None),
            Few::One(item) => IntoItems::Few(Some(item)),
            Few::Many(items) => IntoItems::Many(items.into_iter()),
        }
    }
}

impl<'c, 'd> IntoIterator for &'c Collection<'d> {
    type Item = &'c Item<'d>;
    type IntoIter = std::slice::Iter<'c, Item<'d>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The items of a collection that was taken apart, in order.
pub enum IntoItems<'d> {
    /// At most one item.
    Few(Option<Item<'d>>),
    /// Several items.
    Many(std::vec::IntoIter<Item<'d>>),
}

impl<'d> Iterator for IntoItems<'d> {
    type Item = Item<'d>;

    fn next(&mut self) -> Option<Item<'d>> {
        match self {
            IntoItems::Few(item) => item.take(),
            IntoItems::Many(items) => items.next(),
        }
    }
}
