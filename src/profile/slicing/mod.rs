//! Slicing: how repeats of an element are told apart, and what is asked of each.
//!
//! At start the discriminators of a slicing become criteria of each slice: ways from the element to what tells, over
//! interned names, and what must be found there. A check tries them in the order of the definition.

mod criteria;
mod matching;
mod path;
mod tell;

pub(super) use tell::given_text;

use super::plan::ProfileRef;
use crate::document::Name;
use std::ops::Range;

/// How the repeats of an element are told apart.
#[derive(Debug)]
pub(super) struct Slicing {
    pub(super) rules: Rules,
    pub(super) is_ordered: bool,
    /// In [`super::plan::Plan::slices`], in the order of the definition; `@default` last.
    pub(super) slices: Range<u32>,
    /// Which of the kind's slicings it is: where the walk keeps its mark.
    pub(super) mark: u32,
}

/// What is thought of repeats that match no slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rules {
    /// They may stand anywhere.
    Open,
    /// They stand after all that match.
    OpenAtEnd,
    /// There are none.
    Closed,
}

/// One slice.
#[derive(Debug)]
pub(super) struct Slice {
    /// What is asked of it, by its number in [`super::plan::Plan::elements`].
    pub(super) element: u32,
    /// The names that it may have and what it then is, in [`super::plan::Plan::steps`].
    pub(super) steps: Range<u32>,
    /// What must be true of its members, in [`super::plan::Plan::criteria`].
    pub(super) criteria: Range<u32>,
    /// True for `@default`, which takes what no other slice does.
    pub(super) is_default: bool,
}

/// Something that is true of what belongs to a slice.
#[derive(Debug)]
pub(super) struct Criterion {
    pub(super) way: Box<[Hop]>,
    pub(super) test: Test,
    /// The way as the definition writes it.
    pub(super) told: Box<str>,
}

/// A step on the way from an element to what tells its slice.
#[derive(Debug, Clone)]
pub(super) enum Hop {
    /// To children of these names: one, or the forms of a choice.
    Child(Box<[Name]>),
    /// To extensions of this url.
    Extension(Box<str>),
    /// To the resource that a reference points at.
    Resolve,
    /// Goes on only from a resource of this type.
    OfType(Box<str>),
}

/// What is looked for at the end of a way. One node that passes is enough.
#[derive(Debug)]
pub(super) enum Test {
    /// This text.
    Text(Box<str>),
    /// A given value, by its number in [`super::plan::Plan::givens`].
    Given(u32),
    /// A code of a required binding, by its number in [`super::plan::Plan::bindings`].
    Bound(u32),
    /// Anything at all.
    Exists,
    /// Nothing at all.
    Absent,
    /// An element of one of these names: a choice by its type.
    Named(Box<[Name]>),
    /// A resource of one of these types; a reference to one, where the way ends with what it points at.
    Resource(Box<[Box<str>]>),
    /// What fits one of these profiles.
    Fits(Box<[ProfileRef]>),
}
