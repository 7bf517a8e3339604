//! One fault, and the changes that faults are made of.

use serde_json::{Map, Value};

/// A resource with one thing wrong, and what has to be heard of it.
#[derive(Debug, Clone)]
pub struct Fault {
    /// The sample that it was made from.
    pub sample: String,
    /// What kind of fault it is.
    pub kind: &'static str,
    /// What is wrong.
    pub what: String,
    /// The resource as text.
    pub text: String,
    /// The rule that has to be named.
    pub rule: &'static str,
    /// The place that has to be named.
    pub at: String,
    /// The invariant's key, where it is one.
    pub key: Option<&'static str>,
}

/// Faults of one sample on their way.
pub struct Faults<'s> {
    pub sample: &'s str,
    pub value: &'s Value,
    pub made: Vec<Fault>,
}

impl Faults<'_> {
    /// Adds the fault that `change` makes; nothing when it cannot be made here.
    pub fn add(
        &mut self,
        kind: &'static str,
        what: impl Into<String>,
        rule: &'static str,
        at: impl Into<String>,
        change: impl FnOnce(&mut Value) -> Option<()>,
    ) {
        let mut value = self.value.clone();
        if change(&mut value).is_none() || value == *self.value {
            return;
        }
        self.add_text(kind, what, rule, at, value.to_string());
    }

    /// Adds a fault whose text is no other value's.
    pub fn add_text(
        &mut self,
        kind: &'static str,
        what: impl Into<String>,
        rule: &'static str,
        at: impl Into<String>,
        text: String,
    ) {
        let (sample, what, at) = (self.sample.to_owned(), what.into(), at.into());
        self.made.push(Fault { sample, kind, what, text, rule, at, key: None });
    }
}

/// The object at `pointer`.
pub fn object<'v>(value: &'v mut Value, pointer: &str) -> Option<&'v mut Map<String, Value>> {
    value.pointer_mut(pointer)?.as_object_mut()
}

/// Puts a value in the place of another.
pub fn put(value: &mut Value, pointer: &str, other: Value) -> Option<()> {
    *value.pointer_mut(pointer)? = other;
    Some(())
}

/// Adds or replaces a member.
pub fn set(value: &mut Value, holder: &str, name: &str, member: Value) -> Option<()> {
    object(value, holder)?.insert(name.to_owned(), member);
    Some(())
}

/// Takes a member away, and what may stand beside it under its name with an underscore.
pub fn take(value: &mut Value, holder: &str, name: &str) -> Option<()> {
    let members = object(value, holder)?;
    members.shift_remove(&format!("_{name}"));
    members.shift_remove(name).map(drop)
}
