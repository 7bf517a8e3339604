//! An expression ready to run: names interned, functions found, types and patterns read.

use super::syntax::{Join, Operator};
use super::table::Function;
use super::typing::{Choices, TypeSpec};
use super::value::Value;
use crate::document::{Name, Node};
use std::ops::Range;

/// An expression and the bytes of the text it came from.
#[derive(Debug)]
pub(super) struct Code {
    pub(super) kind: CodeKind,
    pub(super) at: Range<usize>,
}

/// What an expression computes.
#[derive(Debug)]
pub(super) enum CodeKind {
    Literal(Value<'static>),
    Empty,
    This,
    Index,
    Total,
    /// `%context`: the input of the whole expression.
    Input,
    Resource,
    Root,
    /// `%name`; `slot` is its place in the scope, where it usually stands in the context too.
    Variable {
        name: &'static str,
        slot: usize,
    },
    Path {
        head: Option<Box<Code>>,
        steps: Box<[Step]>,
    },
    Sign {
        negative: bool,
        operand: Box<Code>,
    },
    Binary {
        operator: Operator,
        left: Box<Code>,
        right: Box<Code>,
    },
    Implies {
        left: Box<Code>,
        right: Box<Code>,
    },
    Chain {
        join: Join,
        operands: Box<[Code]>,
    },
    /// A union of texts that stand in the expression, repeats dropped: what codes are tested against.
    Texts(Box<[&'static str]>),
    /// What `defineVariable()` kept under this number.
    Defined {
        slot: usize,
    },
    /// `x is T`, `x as T`; the function is `Is`, `As` or, where `as` may select, `OfType`.
    TypeTest {
        function: Function,
        operand: Box<Code>,
        spec: TypeSpec,
    },
    /// `hasValue() or (children().count() > id.count())`: the invariant `ele-1`, which is asked of every element.
    HasContent,
}

/// One step of a path.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) kind: StepKind,
    pub(super) at: Range<usize>,
}

/// What a step does with the collection before it.
#[derive(Debug)]
pub(super) enum StepKind {
    Child(Element),
    /// The first name of a path, spelled like a type: the input itself when it is of that type, else a child.
    TypeOrChild {
        name: &'static str,
        element: Element,
    },
    Index(Code),
    Call {
        function: Function,
        arguments: Box<[Code]>,
    },
    /// `defineVariable(name, value)`: keeps the value, or the input without one, under this number.
    Define {
        slot: usize,
        value: Option<Box<Code>>,
    },
    /// `is(T)`, `as(T)`, `ofType(T)`.
    Typed {
        function: Function,
        spec: TypeSpec,
    },
    /// `matches`, `matchesFull`, `replaceMatches`.
    Pattern {
        function: Function,
        pattern: Pattern,
        arguments: Box<[Code]>,
    },
    /// A step that can only give the empty collection.
    Nothing,
    /// `type().name` or `type().namespace`.
    TypeMember {
        namespace: bool,
    },
}

/// A regular expression.
#[derive(Debug)]
pub(super) enum Pattern {
    /// Written out in the expression, and read when that was compiled.
    Fixed(regex::Regex),
    /// Computed; read at every call.
    Computed(Box<Code>),
}

/// An element's name, with the names it may be sent under when it is a choice.
#[derive(Debug, Clone)]
pub(super) struct Element {
    pub(super) name: Name,
    pub(super) choices: Choices,
}

impl Element {
    /// True when `node` is this element.
    pub(super) fn is(&self, node: Node<'_>) -> bool {
        node.is(self.name) || (!self.choices.is_empty() && self.choices.contains(node))
    }
}
