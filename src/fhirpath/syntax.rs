//! The shape of an expression as it was written.

use super::value::Value;
use std::ops::Range;

/// An expression and the bytes it stands at.
#[derive(Debug, Clone)]
pub(super) struct Ast {
    pub(super) kind: AstKind,
    pub(super) at: Range<usize>,
    /// How many expressions stand inside one another here, itself included.
    pub(super) depth: u16,
}

/// What an expression is.
#[derive(Debug, Clone)]
pub(super) enum AstKind {
    Literal(Value<'static>),
    /// `{}`
    Empty,
    Special(Special),
    /// `%name`
    External(String),
    /// Steps from a head, or from the focus when there is none.
    Path {
        head: Option<Box<Ast>>,
        steps: Vec<AstStep>,
    },
    /// `+x` or `-x`
    Sign {
        negative: bool,
        operand: Box<Ast>,
    },
    Implies {
        left: Box<Ast>,
        right: Box<Ast>,
    },
    Binary {
        operator: Operator,
        left: Box<Ast>,
        right: Box<Ast>,
    },
    /// Several operands joined by one operator.
    Chain {
        join: Join,
        operands: Vec<Ast>,
    },
    /// `x is T` or `x as T`
    TypeTest {
        is: bool,
        operand: Box<Ast>,
        name: TypeName,
    },
}

/// `$this`, `$index`, `$total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Special {
    This,
    Index,
    Total,
}

/// One step of a path.
#[derive(Debug, Clone)]
pub(super) struct AstStep {
    pub(super) kind: AstStepKind,
    pub(super) at: Range<usize>,
}

/// What a step does.
#[derive(Debug, Clone)]
pub(super) enum AstStepKind {
    Member(String),
    Call { name: String, arguments: Vec<Ast> },
    Index(Box<Ast>),
}

/// A type as it was written, for example `Quantity` or `System.Boolean`.
#[derive(Debug, Clone)]
pub(super) struct TypeName {
    pub(super) namespace: Option<String>,
    pub(super) name: String,
    pub(super) at: Range<usize>,
}

/// What may stand between two expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Infix {
    Implies,
    Pair(Operator),
    Join(Join),
}

/// The operators that take two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Xor,
    In,
    Contains,
    Equal,
    NotEqual,
    Equivalent,
    NotEquivalent,
    Order(Order),
    Compute(Arithmetic),
}

/// `<`, `<=`, `>`, `>=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// `+`, `-`, `*`, `/`, `div`, `mod`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    DivideWhole,
    Modulo,
}

/// The operators where `(a o b) o c` is one list of operands, which keeps long lists of codes flat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Join {
    And,
    Or,
    Union,
    Concatenate,
}

impl Infix {
    /// The operator that a word or sign spells.
    pub(super) fn of(spelled: &str) -> Option<Infix> {
        Some(match spelled {
            "implies" => Infix::Implies,
            "or" => Infix::Join(Join::Or),
            "and" => Infix::Join(Join::And),
            "|" => Infix::Join(Join::Union),
            "&" => Infix::Join(Join::Concatenate),
            "xor" => Infix::Pair(Operator::Xor),
            "in" => Infix::Pair(Operator::In),
            "contains" => Infix::Pair(Operator::Contains),
            "=" => Infix::Pair(Operator::Equal),
            "!=" => Infix::Pair(Operator::NotEqual),
            "~" => Infix::Pair(Operator::Equivalent),
            "!~" => Infix::Pair(Operator::NotEquivalent),
            "<" => Infix::Pair(Operator::Order(Order::Less)),
            "<=" => Infix::Pair(Operator::Order(Order::LessOrEqual)),
            ">" => Infix::Pair(Operator::Order(Order::Greater)),
            ">=" => Infix::Pair(Operator::Order(Order::GreaterOrEqual)),
            "+" => Infix::Pair(Operator::Compute(Arithmetic::Add)),
            "-" => Infix::Pair(Operator::Compute(Arithmetic::Subtract)),
            "*" => Infix::Pair(Operator::Compute(Arithmetic::Multiply)),
            "/" => Infix::Pair(Operator::Compute(Arithmetic::Divide)),
            "div" => Infix::Pair(Operator::Compute(Arithmetic::DivideWhole)),
            "mod" => Infix::Pair(Operator::Compute(Arithmetic::Modulo)),
            _ => return None,
        })
    }

    /// How tightly it binds (FHIRPath, "Operator Precedence"); larger binds tighter.
    pub(super) fn binding(self) -> u8 {
        match self {
            Infix::Implies => 1,
            Infix::Join(Join::Or) | Infix::Pair(Operator::Xor) => 2,
            Infix::Join(Join::And) => 3,
            Infix::Pair(Operator::In | Operator::Contains) => 4,
            Infix::Pair(Operator::Equal | Operator::NotEqual | Operator::Equivalent | Operator::NotEquivalent) => 5,
            Infix::Pair(Operator::Order(_)) => 6,
            Infix::Join(Join::Union) => 7,
            Infix::Join(Join::Concatenate) | Infix::Pair(Operator::Compute(Arithmetic::Add | Arithmetic::Subtract)) => {
                9
            }
            Infix::Pair(Operator::Compute(_)) => 10,
        }
    }
}

/// How tightly `is` and `as` bind: between `|` and `+`.
pub(super) const TYPE_BINDING: u8 = 8;
