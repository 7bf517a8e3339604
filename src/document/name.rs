//! Interned element names, so that walking a tree compares numbers and not text.
//!
//! Only definitions, expressions and mappings intern names, all of them read at start; text that callers send
//! only looks names up. So the table is bounded by what the site loads, whatever is thrown at the gateway.

use std::collections::HashMap;
use std::fmt;
use std::sync::{OnceLock, RwLock, RwLockReadGuard};

/// An element's name as a small number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(u32);

#[derive(Default)]
struct Table {
    numbers: HashMap<&'static str, u32>,
    texts: Vec<&'static str>,
}

fn table() -> &'static RwLock<Table> {
    static TABLE: OnceLock<RwLock<Table>> = OnceLock::new();
    TABLE.get_or_init(RwLock::default)
}

fn read() -> RwLockReadGuard<'static, Table> {
    table().read().unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl Name {
    /// The name of an element that no definition, expression or mapping has mentioned.
    pub(super) const STRANGE: Name = Name(u32::MAX);

    /// The number of `text`, given now if it has none. For definitions, expressions and mappings only.
    pub fn intern(text: &str) -> Name {
        if let Some(name) = Name::find(text) {
            return name;
        }
        let mut table = table().write().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(&number) = table.numbers.get(text) {
            return Name(number);
        }
        let number = table.texts.len() as u32;
        let kept: &'static str = Box::leak(text.to_owned().into_boxed_str());
        table.texts.push(kept);
        table.numbers.insert(kept, number);
        Name(number)
    }

    /// The number of `text` when it has one.
    pub fn find(text: &str) -> Option<Name> {
        read().numbers.get(text).copied().map(Name)
    }

    /// The name as it is spelled; empty for a strange name.
    pub fn as_str(self) -> &'static str {
        read().texts.get(self.0 as usize).copied().unwrap_or("")
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({})", self.as_str())
    }
}

/// Looks up many names under one lock; what a reader holds while it reads one text.
pub struct NameFinder(RwLockReadGuard<'static, Table>);

impl NameFinder {
    /// A finder. Do not intern while it lives.
    pub fn new() -> Self {
        NameFinder(read())
    }

    pub(super) fn find(&self, text: &str) -> Name {
        self.0.numbers.get(text).copied().map_or(Name::STRANGE, Name)
    }
}

impl Default for NameFinder {
    fn default() -> Self {
        Self::new()
    }
}
