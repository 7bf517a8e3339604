//! Tokens to the shape of an expression, by operator precedence.

use super::diagnostic::Diagnostic;
use super::lexer::{Token, tokens};
use super::syntax::{Ast, AstKind, AstStep, AstStepKind, Infix, Join, Special, TYPE_BINDING, TypeName};
use super::unit::is_calendar_word;
use super::value::{Quantity, Value};
use super::{Decimal, fixed_text};
use std::borrow::Cow;
use std::ops::Range;

/// Expressions inside expressions, at most. Real invariants go to about 10; evaluation recurses as deep as this.
pub(super) const DEPTH_MAX: u16 = 100;

/// Bytes of an expression's text, at most. The longest invariant in R4 has about 1,500.
const TEXT_BYTES_MAX: usize = 64 * 1024;

/// Reads a whole expression.
pub(super) fn parse(text: &str) -> Result<Ast, Diagnostic> {
    if text.len() > TEXT_BYTES_MAX {
        let message = format!("an expression has at most {TEXT_BYTES_MAX} bytes");
        return Err(Diagnostic::new("fhirpath.too-long", message, 0..text.len()));
    }
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0 };
    let ast = parser.expression(0)?;
    match parser.peek() {
        Token::End => Ok(ast),
        Token::Word(word) if word == "as" || word == "is" => {
            Err(parser.unexpected("`is` and `as` bind tighter than the comparison before them; use parentheses"))
        }
        _ => Err(parser.unexpected("the expression should end here, or go on with an operator")),
    }
}

struct Parser {
    tokens: Vec<(Token, Range<usize>)>,
    at: usize,
    depth: u16,
}

const END: &Token = &Token::End;

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.at).map_or(END, |(token, _)| token)
    }

    fn place(&self) -> Range<usize> {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(0..0, |(_, at)| at.clone())
    }

    fn previous_end(&self) -> usize {
        self.at.checked_sub(1).and_then(|before| self.tokens.get(before)).map_or(0, |(_, at)| at.end)
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    fn is_sign(&self, sign: &str) -> bool {
        matches!(self.peek(), Token::Sign(found) if *found == sign)
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let found = self.is_sign(sign);
        if found {
            self.at += 1;
        }
        found
    }

    fn expect(&mut self, sign: &'static str) -> Result<(), Diagnostic> {
        match self.take_sign(sign) {
            true => Ok(()),
            false => Err(self.unexpected(&format!("here should stand `{sign}`"))),
        }
    }

    fn unexpected(&self, message: &str) -> Diagnostic {
        Diagnostic::new("fhirpath.syntax", message, self.place())
    }

    fn node(&self, kind: AstKind, start: usize) -> Result<Ast, Diagnostic> {
        let at = start..self.previous_end();
        let inner = match &kind {
            AstKind::Literal(_) | AstKind::Empty | AstKind::Special(_) | AstKind::External(_) => 0,
            AstKind::Path { head, steps } => {
                let head = head.as_ref().map_or(0, |head| head.depth);
                steps.iter().map(step_depth).fold(head, u16::max)
            }
            AstKind::Sign { operand, .. } | AstKind::TypeTest { operand, .. } => operand.depth,
            AstKind::Binary { left, right, .. } | AstKind::Implies { left, right } => left.depth.max(right.depth),
            AstKind::Chain { operands, .. } => operands.iter().map(|operand| operand.depth).max().unwrap_or(0),
        };
        match inner < DEPTH_MAX {
            true => Ok(Ast { kind, at, depth: inner + 1 }),
            false => Err(too_deep(at)),
        }
    }

    /// An expression whose operators bind at least as tightly as `binding`.
    fn expression(&mut self, binding: u8) -> Result<Ast, Diagnostic> {
        if self.depth >= DEPTH_MAX {
            return Err(too_deep(self.place()));
        }
        self.depth += 1;
        let result = self.operators(binding);
        self.depth -= 1;
        result
    }

    fn operators(&mut self, binding: u8) -> Result<Ast, Diagnostic> {
        let start = self.place().start;
        let mut left = self.signed()?;
        loop {
            let spelled = match self.peek() {
                Token::Word(word) => word.as_str(),
                Token::Sign(sign) => sign,
                _ => return Ok(left),
            };
            if let "is" | "as" = spelled {
                if TYPE_BINDING < binding {
                    return Ok(left);
                }
                let is = spelled == "is";
                self.at += 1;
                let name = self.type_name()?;
                left = self.node(AstKind::TypeTest { is, operand: Box::new(left), name }, start)?;
                continue;
            }
            let Some(infix) = Infix::of(spelled) else { return Ok(left) };
            if infix.binding() < binding {
                return Ok(left);
            }
            self.at += 1;
            let right = self.expression(infix.binding() + 1)?;
            left = match infix {
                Infix::Implies => {
                    self.node(AstKind::Implies { left: Box::new(left), right: Box::new(right) }, start)?
                }
                Infix::Pair(operator) => {
                    let kind = AstKind::Binary { operator, left: Box::new(left), right: Box::new(right) };
                    self.node(kind, start)?
                }
                Infix::Join(join) => self.join(join, left, right, start)?,
            };
        }
    }

    fn join(&mut self, join: Join, left: Ast, right: Ast, start: usize) -> Result<Ast, Diagnostic> {
        let operands = match left.kind {
            AstKind::Chain { join: known, mut operands } if known == join => {
                operands.push(right);
                // The depth is that of the list, not one more for each operand.
                let depth = operands.last().map_or(0, |last| last.depth).saturating_add(1).max(left.depth);
                let at = start..self.previous_end();
                return match depth <= DEPTH_MAX {
                    true => Ok(Ast { kind: AstKind::Chain { join, operands }, at, depth }),
                    false => Err(too_deep(at)),
                };
            }
            _ => vec![left, right],
        };
        self.node(AstKind::Chain { join, operands }, start)
    }

    fn signed(&mut self) -> Result<Ast, Diagnostic> {
        let start = self.place().start;
        let negative = match self.peek() {
            Token::Sign("-") => true,
            Token::Sign("+") => false,
            _ => return self.path(),
        };
        self.at += 1;
        if self.depth >= DEPTH_MAX {
            return Err(too_deep(self.place()));
        }
        self.depth += 1;
        let operand = self.signed();
        self.depth -= 1;
        self.node(AstKind::Sign { negative, operand: Box::new(operand?) }, start)
    }

    fn path(&mut self) -> Result<Ast, Diagnostic> {
        let start = self.place().start;
        let (head, mut steps) = match self.peek() {
            Token::Word(_) | Token::Quoted(_) if !self.is_literal_word() => (None, vec![self.step()?]),
            _ => (Some(self.term()?), Vec::new()),
        };
        loop {
            let step_start = self.place().start;
            if self.take_sign(".") {
                steps.push(self.step()?);
            } else if self.take_sign("[") {
                let index = self.expression(0)?;
                self.expect("]")?;
                let at = step_start..self.previous_end();
                steps.push(AstStep { kind: AstStepKind::Index(Box::new(index)), at });
            } else {
                break;
            }
        }
        match (head, steps.is_empty()) {
            (Some(head), true) => Ok(head),
            (head, _) => self.node(AstKind::Path { head: head.map(Box::new), steps }, start),
        }
    }

    fn is_literal_word(&self) -> bool {
        matches!(self.peek(), Token::Word(word) if word == "true" || word == "false")
    }

    /// A name, or a call when a parenthesis follows.
    fn step(&mut self) -> Result<AstStep, Diagnostic> {
        let at = self.place();
        let name = match self.next() {
            Token::Word(name) => name,
            Token::Quoted(name) => return Ok(AstStep { kind: AstStepKind::Member(name), at }),
            Token::Special(_) => {
                let message = "`$this`, `$index` and `$total` begin a path and do not stand inside one";
                return Err(Diagnostic::new("fhirpath.syntax", message, at));
            }
            _ => return Err(Diagnostic::new("fhirpath.syntax", "here should stand a name or a function", at)),
        };
        if !self.take_sign("(") {
            return Ok(AstStep { kind: AstStepKind::Member(name), at });
        }
        let mut arguments = Vec::new();
        if !self.take_sign(")") {
            loop {
                arguments.push(self.expression(0)?);
                if !self.take_sign(",") {
                    break;
                }
            }
            self.expect(")")?;
        }
        let at = at.start..self.previous_end();
        Ok(AstStep { kind: AstStepKind::Call { name, arguments }, at })
    }

    fn term(&mut self) -> Result<Ast, Diagnostic> {
        let start = self.place().start;
        let kind = match self.next() {
            Token::Word(word) if word == "true" => AstKind::Literal(Value::Boolean(true)),
            Token::Word(word) if word == "false" => AstKind::Literal(Value::Boolean(false)),
            Token::String(text) => AstKind::Literal(Value::String(Cow::Borrowed(fixed_text(&text)))),
            Token::Integer(value) => self.number(Value::Integer(value), Decimal::from(value)),
            Token::Decimal(value) => self.number(Value::Decimal(value), value),
            Token::Date(value) => AstKind::Literal(Value::Date(value)),
            Token::DateTime(value) => AstKind::Literal(Value::DateTime(value)),
            Token::Time(value) => AstKind::Literal(Value::Time(value)),
            Token::External(name) => AstKind::External(name),
            Token::Special(name) => AstKind::Special(match name.as_str() {
                "this" => Special::This,
                "index" => Special::Index,
                _ => Special::Total,
            }),
            Token::Sign("(") => {
                let inner = self.expression(0)?;
                self.expect(")")?;
                return Ok(inner);
            }
            Token::Sign("{") => {
                self.expect("}")?;
                AstKind::Empty
            }
            Token::End => {
                self.at = self.at.saturating_sub(1);
                return Err(self.unexpected("the expression ends where a value should stand"));
            }
            Token::Word(_) | Token::Quoted(_) | Token::Sign(_) => {
                self.at = self.at.saturating_sub(1);
                return Err(self.unexpected("here should stand a value, a name or a function"));
            }
        };
        self.node(kind, start)
    }

    /// A number, or a quantity when a unit follows.
    fn number(&mut self, plain: Value<'static>, value: Decimal) -> AstKind {
        let (unit, is_calendar) = match self.peek() {
            Token::String(unit) => (fixed_text(unit), false),
            Token::Word(word) if is_calendar_word(word) => (fixed_text(word), true),
            _ => return AstKind::Literal(plain),
        };
        self.at += 1;
        let quantity = Quantity { value, unit: Cow::Borrowed(unit), is_calendar };
        AstKind::Literal(Value::Quantity(Box::new(quantity)))
    }

    fn type_name(&mut self) -> Result<TypeName, Diagnostic> {
        let at = self.place();
        let first = self.name_word()?;
        if !self.take_sign(".") {
            return Ok(TypeName { namespace: None, name: first, at });
        }
        let name = self.name_word()?;
        Ok(TypeName { namespace: Some(first), name, at: at.start..self.previous_end() })
    }

    fn name_word(&mut self) -> Result<String, Diagnostic> {
        match self.next() {
            Token::Word(name) | Token::Quoted(name) => Ok(name),
            _ => {
                self.at = self.at.saturating_sub(1);
                Err(self.unexpected("here should stand the name of a type"))
            }
        }
    }
}

fn step_depth(step: &AstStep) -> u16 {
    match &step.kind {
        AstStepKind::Member(_) => 0,
        AstStepKind::Call { arguments, .. } => arguments.iter().map(|argument| argument.depth).max().unwrap_or(0),
        AstStepKind::Index(index) => index.depth,
    }
}

fn too_deep(at: Range<usize>) -> Diagnostic {
    let message = format!("expressions stand inside one another more than {DEPTH_MAX} deep");
    Diagnostic::new("fhirpath.too-deep", message, at)
}
