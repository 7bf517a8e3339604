//! The element paths an expression reads, told without running it.
//!
//! A mapping checks them against the definitions ("Appointment has no `participants`") and computes from them which
//! of its input is read by no rule.

use super::program::{Code, CodeKind, Pattern, Step, StepKind};
use super::syntax::Join;
use super::table::Function;
use super::typing::is_type_name;
use std::ops::Range;

/// Paths that one place of an expression may stand for, at most; beyond, the first ones are told.
const BRANCHES_MAX: usize = 64;

/// Where a path begins.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PathStart {
    /// The input of the expression.
    Input,
    /// `%resource`.
    Resource,
    /// `%rootResource`.
    Root,
    /// `%name`.
    Variable(String),
}

/// One step of a static path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StaticStep {
    /// The element's name as the expression spells it.
    pub name: &'static str,
    /// The bytes of the expression's text where it stands.
    pub at: Range<usize>,
    /// The type it is narrowed to with `ofType`, `as` or `is`-less casts, where it is.
    pub of_type: Option<&'static str>,
}

/// A path of elements that an expression reads.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StaticPath {
    /// Where it begins.
    pub start: PathStart,
    /// The type that the expression says its start has: `Appointment` in `Appointment.status`.
    pub on_type: Option<&'static str>,
    /// The elements, outermost first.
    pub steps: Vec<StaticStep>,
    /// True when everything below is read too (`children()`, `descendants()`, `repeat()`).
    pub reads_below: bool,
}

impl StaticPath {
    fn from(start: PathStart) -> Self {
        StaticPath { start, on_type: None, steps: Vec::new(), reads_below: false }
    }

    /// The names of its elements.
    pub fn names(&self) -> Vec<&'static str> {
        self.steps.iter().map(|step| step.name).collect()
    }
}

/// All paths that the code reads, in the order of the text.
pub(super) fn paths(code: &Code) -> Vec<StaticPath> {
    let mut reader = Reader { found: Vec::new(), seen: std::collections::HashSet::new(), defined: Vec::new() };
    let result = reader.read(code, &[StaticPath::from(PathStart::Input)]);
    reader.record(&result);
    reader.found
}

struct Reader {
    found: Vec<StaticPath>,
    seen: std::collections::HashSet<StaticPath>,
    /// Where the values of variables that the expression defines stand, by their numbers.
    defined: Vec<(usize, Vec<StaticPath>)>,
}

impl Reader {
    fn record(&mut self, paths: &[StaticPath]) {
        for path in paths {
            if (!path.steps.is_empty() || path.reads_below) && self.seen.insert(path.clone()) {
                self.found.push(path.clone());
            }
        }
    }

    /// Records what an expression reads; gives the paths that its result stands at.
    fn read(&mut self, code: &Code, this: &[StaticPath]) -> Vec<StaticPath> {
        match &code.kind {
            CodeKind::This => this.to_vec(),
            CodeKind::Input => vec![StaticPath::from(PathStart::Input)],
            CodeKind::Resource => vec![StaticPath::from(PathStart::Resource)],
            CodeKind::Root => vec![StaticPath::from(PathStart::Root)],
            CodeKind::Variable { name, .. } => vec![StaticPath::from(PathStart::Variable((*name).to_owned()))],
            CodeKind::Defined { slot } => {
                let known = self.defined.iter().rev().find(|(known, _)| known == slot);
                known.map(|(_, paths)| paths.clone()).unwrap_or_default()
            }
            CodeKind::Literal(_)
            | CodeKind::Texts(_)
            | CodeKind::Empty
            | CodeKind::Index
            | CodeKind::Total
            | CodeKind::HasContent => Vec::new(),
            CodeKind::Path { head, steps } => {
                let mut current = match head {
                    Some(head) => self.read(head, this),
                    None => this.to_vec(),
                };
                for step in steps {
                    current = self.step(step, current, this);
                    current.truncate(BRANCHES_MAX);
                }
                current
            }
            CodeKind::Sign { operand, .. } => self.consume(operand, this),
            CodeKind::Binary { left, right, .. } | CodeKind::Implies { left, right } => {
                self.consume(left, this);
                self.consume(right, this)
            }
            CodeKind::Chain { join: Join::Union, operands } => {
                operands.iter().flat_map(|operand| self.read(operand, this)).take(BRANCHES_MAX).collect()
            }
            CodeKind::Chain { join: Join::And | Join::Or | Join::Concatenate, operands } => {
                operands.iter().for_each(|operand| {
                    self.consume(operand, this);
                });
                Vec::new()
            }
            CodeKind::TypeTest { function, operand, spec } => {
                let current = self.read(operand, this);
                match *function == Function::Is {
                    true => self.lose(&current),
                    false => narrowed(current, spec.name),
                }
            }
        }
    }

    /// Reads an expression whose result is a value of its own.
    fn consume(&mut self, code: &Code, this: &[StaticPath]) -> Vec<StaticPath> {
        let result = self.read(code, this);
        self.lose(&result)
    }

    fn lose(&mut self, paths: &[StaticPath]) -> Vec<StaticPath> {
        self.record(paths);
        Vec::new()
    }

    fn step(&mut self, step: &Step, current: Vec<StaticPath>, this: &[StaticPath]) -> Vec<StaticPath> {
        match &step.kind {
            StepKind::Child(element) => longer(current, element.name.as_str(), &step.at),
            StepKind::TypeOrChild { name, element } => {
                let (mut typed, others): (Vec<_>, Vec<_>) =
                    current.into_iter().partition(|path| path.steps.is_empty() && is_type_name(name));
                typed.iter_mut().for_each(|path| path.on_type = Some(name));
                typed.extend(longer(others, element.name.as_str(), &step.at));
                typed
            }
            StepKind::Index(index) => {
                self.consume(index, this);
                current
            }
            StepKind::Typed { function: Function::Is, .. } | StepKind::TypeMember { .. } | StepKind::Nothing => {
                self.lose(&current)
            }
            StepKind::Typed { spec, .. } => narrowed(current, spec.name),
            StepKind::Define { slot, value } => {
                let value = match value {
                    Some(value) => self.read(value, &current),
                    None => current.clone(),
                };
                self.record(&value);
                self.defined.push((*slot, value));
                current
            }
            StepKind::Pattern { pattern, arguments, .. } => {
                if let Pattern::Computed(code) = pattern {
                    self.consume(code, this);
                }
                for argument in arguments {
                    self.consume(argument, this);
                }
                self.lose(&current)
            }
            StepKind::Call { function, arguments } => self.call(*function, arguments, current, this, &step.at),
        }
    }

    fn call(
        &mut self,
        function: Function,
        arguments: &[Code],
        mut current: Vec<StaticPath>,
        this: &[StaticPath],
        at: &Range<usize>,
    ) -> Vec<StaticPath> {
        match function {
            // What is selected by a condition stays where it was.
            Function::Where => {
                for argument in arguments {
                    self.consume(argument, &current);
                }
                self.record(&current);
                current
            }
            Function::Exists | Function::All | Function::Aggregate => {
                for argument in arguments {
                    self.consume(argument, &current);
                }
                self.lose(&current)
            }
            Function::Select => {
                let result = arguments.iter().flat_map(|argument| self.read(argument, &current)).collect();
                self.record(&current);
                result
            }
            Function::Repeat | Function::RepeatAll => {
                let mut result: Vec<StaticPath> =
                    arguments.iter().flat_map(|argument| self.read(argument, &current)).collect();
                result.iter_mut().for_each(|path| path.reads_below = true);
                result
            }
            Function::Trace => {
                for argument in arguments.iter().skip(1) {
                    self.consume(argument, &current);
                }
                current
            }
            Function::Iif => {
                let mut arguments = arguments.iter();
                if let Some(condition) = arguments.next() {
                    self.consume(condition, &current);
                }
                let result = arguments.flat_map(|argument| self.read(argument, &current)).collect();
                self.record(&current);
                result
            }
            Function::Coalesce => {
                self.record(&current);
                arguments.iter().flat_map(|argument| self.read(argument, this)).collect()
            }
            Function::Union | Function::Combine => {
                for argument in arguments {
                    current.extend(self.read(argument, this));
                }
                current
            }
            Function::Intersect
            | Function::Exclude
            | Function::Skip
            | Function::Take
            | Function::Slice
            | Function::CheckModifiers => {
                for argument in arguments {
                    self.consume(argument, this);
                }
                current
            }
            Function::First | Function::Last | Function::Tail | Function::Single | Function::Distinct => current,
            Function::Extension => {
                for argument in arguments {
                    self.consume(argument, this);
                }
                longer(current, "extension", at)
            }
            Function::Children | Function::Descendants => {
                current.iter_mut().for_each(|path| path.reads_below = true);
                self.lose(&current)
            }
            Function::Sort => {
                for argument in arguments {
                    self.consume(argument, &current);
                }
                current
            }
            // What these give is a value of its own, or stands in another resource.
            Function::AllFalse
            | Function::AllTrue
            | Function::AnyFalse
            | Function::AnyTrue
            | Function::As
            | Function::Coded(_)
            | Function::Comparable
            | Function::Component(_)
            | Function::ConformsTo
            | Function::Convert(_)
            | Function::Converts(_)
            | Function::Count
            | Function::DefineVariable
            | Function::ElementDefinition
            | Function::Empty
            | Function::GetValue
            | Function::HasValue
            | Function::HighBoundary
            | Function::HtmlChecks
            | Function::HtmlChecks2
            | Function::Is
            | Function::IsDistinct
            | Function::Join
            | Function::LowBoundary
            | Function::Maths(_)
            | Function::Matches
            | Function::MatchesFull
            | Function::MemberOf
            | Function::Not
            | Function::Now
            | Function::OfType
            | Function::Precision
            | Function::ReplaceMatches
            | Function::Resolve
            | Function::SubsetOf
            | Function::SubsumedBy
            | Function::Subsumes
            | Function::SupersetOf
            | Function::Text(_)
            | Function::TimeOfDay
            | Function::Today
            | Function::Type => {
                for argument in arguments {
                    self.consume(argument, this);
                }
                self.lose(&current)
            }
        }
    }
}

fn longer(mut paths: Vec<StaticPath>, name: &'static str, at: &Range<usize>) -> Vec<StaticPath> {
    // Below `repeat()` nothing is known for certain.
    paths.retain(|path| !path.reads_below);
    for path in &mut paths {
        path.steps.push(StaticStep { name, at: at.clone(), of_type: None });
    }
    paths
}

fn narrowed(mut paths: Vec<StaticPath>, name: &'static str) -> Vec<StaticPath> {
    for path in &mut paths {
        if let Some(step) = path.steps.last_mut() {
            step.of_type = Some(name);
        }
    }
    paths
}
