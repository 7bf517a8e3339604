//! What can be known of an expression before it runs, when the definitions are at hand: that it names an element that
//! does not exist, begins with another type than its input has, or asks for the first of what has no order.
//!
//! Types are followed as far as they are certain. Where they are not (behind `resolve()`, `children()`, a variable),
//! nothing is said: what is told here is wrong for every input.

use super::diagnostic::Diagnostic;
use super::model::{ElementTypes, Model};
use super::program::{Code, CodeKind, Element, Pattern, Step, StepKind};
use super::syntax::{Join, Operator};
use super::table::{Function, Target};
use super::typing::{TypeSpec, is_below, split_choice};
use crate::issue::nearest;
use std::ops::Range;

/// Types that one place of an expression may have, at most; beyond, nothing is said about it.
const TYPES_MAX: usize = 64;

/// Places that one reading looks at; `repeat()` reads its argument twice, and may stand in its own argument.
const LOOKS_MAX: usize = 20_000;

/// The faults of `code` over an input of type `input_type`.
pub(super) fn faults(code: &Code, model: &dyn Model, input_type: &str) -> Vec<Diagnostic> {
    let input = Found { types: Some(vec![input_type.to_owned()]), is_ordered: true };
    let mut checker = Checker { model, input: input.clone(), defined: Vec::new(), faults: Vec::new(), looks: 0 };
    checker.code(code, &input);
    checker.faults
}

/// What is known of a collection.
#[derive(Debug, Clone)]
struct Found {
    /// The types its items may have: FHIR's by name or, for elements with elements of their own, by path; FHIRPath's
    /// with `System.` before. None when that is not known.
    types: Option<Vec<String>>,
    /// False for what `children()` and `descendants()` give.
    is_ordered: bool,
}

impl Found {
    const UNKNOWN: Found = Found { types: None, is_ordered: true };

    fn of(name: &str) -> Found {
        Found { types: Some(vec![name.to_owned()]), is_ordered: true }
    }

    fn or(mut self, other: Found) -> Found {
        self.is_ordered &= other.is_ordered;
        self.types = match (self.types, other.types) {
            (Some(mut mine), Some(theirs)) => {
                for each in theirs {
                    if !mine.contains(&each) {
                        mine.push(each);
                    }
                }
                (mine.len() <= TYPES_MAX).then_some(mine)
            }
            (None, _) | (_, None) => None,
        };
        self
    }
}

struct Checker<'m> {
    model: &'m dyn Model,
    input: Found,
    /// What each `defineVariable()` gave, by its number.
    defined: Vec<(usize, Found)>,
    faults: Vec<Diagnostic>,
    looks: usize,
}

impl Checker<'_> {
    fn code(&mut self, code: &Code, this: &Found) -> Found {
        self.looks += 1;
        if self.looks > LOOKS_MAX {
            return Found::UNKNOWN;
        }
        match &code.kind {
            CodeKind::Literal(value) => Found::of(&format!("System.{}", value.type_name())),
            CodeKind::Texts(_) => Found::of("System.String"),
            CodeKind::Empty => Found { types: Some(Vec::new()), is_ordered: true },
            CodeKind::This => this.clone(),
            CodeKind::Index => Found::of("System.Integer"),
            CodeKind::Input => self.input.clone(),
            CodeKind::Total | CodeKind::Resource | CodeKind::Root | CodeKind::Variable { .. } => Found::UNKNOWN,
            CodeKind::Defined { slot } => {
                let known = self.defined.iter().rev().find(|(known, _)| known == slot);
                known.map_or(Found::UNKNOWN, |(_, found)| found.clone())
            }
            CodeKind::HasContent => Found::of("System.Boolean"),
            CodeKind::Path { head, steps } => {
                let mut current = match head {
                    Some(head) => self.code(head, this),
                    None => this.clone(),
                };
                for step in steps {
                    current = self.step(step, current, this);
                }
                current
            }
            CodeKind::Sign { operand, .. } => self.code(operand, this),
            CodeKind::Binary { operator, left, right } => {
                self.code(left, this);
                self.code(right, this);
                match operator {
                    Operator::Compute(_) => Found::UNKNOWN,
                    Operator::Xor
                    | Operator::In
                    | Operator::Contains
                    | Operator::Equal
                    | Operator::NotEqual
                    | Operator::Equivalent
                    | Operator::NotEquivalent
                    | Operator::Order(_) => Found::of("System.Boolean"),
                }
            }
            CodeKind::Implies { left, right } => {
                self.code(left, this);
                self.code(right, this);
                Found::of("System.Boolean")
            }
            CodeKind::Chain { join, operands } => {
                let mut all = Found { types: Some(Vec::new()), is_ordered: true };
                for operand in operands {
                    let each = self.code(operand, this);
                    all = all.or(each);
                }
                match join {
                    Join::Union => all,
                    Join::And | Join::Or => Found::of("System.Boolean"),
                    Join::Concatenate => Found::of("System.String"),
                }
            }
            CodeKind::TypeTest { function, operand, spec } => {
                let operand = self.code(operand, this);
                narrowed(*function == Function::Is, *spec, operand)
            }
        }
    }

    fn step(&mut self, step: &Step, current: Found, this: &Found) -> Found {
        match &step.kind {
            StepKind::Child(element) => self.child(element, current, &step.at),
            StepKind::TypeOrChild { name, element } => self.type_or_child(name, element, current, &step.at),
            StepKind::Index(index) => {
                self.code(index, this);
                self.needs_order(&current, "`[ ]`", &step.at);
                current
            }
            StepKind::Typed { function, spec } => narrowed(*function == Function::Is, *spec, current),
            StepKind::Pattern { function, pattern, arguments } => {
                if let Pattern::Computed(code) = pattern {
                    self.code(code, this);
                }
                for argument in arguments {
                    self.code(argument, this);
                }
                Found::of(if *function == Function::ReplaceMatches { "System.String" } else { "System.Boolean" })
            }
            StepKind::Nothing => Found { types: Some(Vec::new()), is_ordered: true },
            StepKind::TypeMember { .. } => Found::of("System.String"),
            StepKind::Define { slot, value } => {
                let value = match value {
                    Some(value) => self.code(value, &current),
                    None => current.clone(),
                };
                self.defined.push((*slot, value));
                current
            }
            StepKind::Call { function, arguments } => self.call(*function, arguments, current, this, &step.at),
        }
    }

    fn child(&mut self, element: &Element, current: Found, at: &Range<usize>) -> Found {
        let Some(holders) = &current.types else { return Found { types: None, ..current } };
        let name = element.name.as_str();
        let mut types: Vec<String> = Vec::new();
        let (mut is_found, mut is_known) = (holders.is_empty(), true);
        for holder in holders {
            match self.element(holder, name) {
                ElementTypes::Unknown => is_known = false,
                ElementTypes::Absent => {}
                ElementTypes::Types(found) => {
                    is_found = true;
                    types.extend(found.iter().map(|name| (*name).to_owned()));
                }
            }
        }
        if is_known && !is_found {
            let holder = holders.first().map_or("", String::as_str);
            let message = format!("{holder} has no element `{name}`");
            let mut fault = Diagnostic::new("fhirpath.element-unknown", message, at.clone());
            let near = nearest(name, self.model.element_names(holder));
            fault.hint = near.map(|near| format!("did you mean `{near}`?"));
            self.faults.push(fault);
        }
        types.sort_unstable();
        types.dedup();
        let is_certain = is_known && is_found && types.len() <= TYPES_MAX;
        Found { types: is_certain.then_some(types), is_ordered: current.is_ordered }
    }

    fn element(&self, holder: &str, name: &str) -> ElementTypes<'_> {
        if holder.starts_with("System.") {
            return ElementTypes::Absent;
        }
        // Of a resource of any kind nothing but what all resources have is known.
        let is_abstract = matches!(holder, "Resource" | "DomainResource" | "Element" | "BackboneElement");
        match (self.model.element(holder, name), split_choice(name)) {
            (ElementTypes::Absent, _) if is_abstract => ElementTypes::Unknown,
            (ElementTypes::Absent, Some((base, kind))) => match self.model.element(holder, base) {
                ElementTypes::Types(types) if types.contains(&kind) => ElementTypes::Types(vec![kind]),
                ElementTypes::Types(_) | ElementTypes::Absent => ElementTypes::Absent,
                ElementTypes::Unknown => ElementTypes::Unknown,
            },
            (told, _) => told,
        }
    }

    fn type_or_child(&mut self, name: &'static str, element: &Element, current: Found, at: &Range<usize>) -> Found {
        let Some(holders) = &current.types else { return Found { types: None, ..current } };
        let is_it = |holder: &String| is_below(holder, name, Some(self.model));
        let may_be = |holder: &String| is_below(name, holder, Some(self.model));
        if holders.iter().any(is_it) {
            return current;
        }
        if holders.iter().any(may_be) {
            return Found { types: Some(vec![name.to_owned()]), ..current };
        }
        if holders.iter().any(|holder| !matches!(self.element(holder, name), ElementTypes::Absent)) {
            return self.child(element, current, at);
        }
        let holder = holders.first().map_or("", String::as_str);
        let message = format!("this begins with `{name}`, and what it is asked of is {holder}");
        let hint = "leave the name of the type out, or name the one that it is";
        self.faults.push(Diagnostic::new("fhirpath.input-type", message, at.clone()).hint(hint));
        Found::UNKNOWN
    }

    fn needs_order(&mut self, current: &Found, asked_by: &str, at: &Range<usize>) {
        if !current.is_ordered {
            let message = format!("{asked_by} needs an order, and `children()` and `descendants()` have none");
            let fault = Diagnostic::new("fhirpath.unordered", message, at.clone());
            self.faults.push(fault.hint("name the elements instead, or choose with `where()`"));
        }
    }

    fn call(
        &mut self,
        function: Function,
        arguments: &[Code],
        current: Found,
        this: &Found,
        at: &Range<usize>,
    ) -> Found {
        match function {
            Function::First | Function::Last | Function::Tail | Function::Skip | Function::Take => {
                self.values(arguments, this);
                self.needs_order(&current, "this function", at);
                current
            }
            Function::Where | Function::Trace => {
                self.values(arguments, &current);
                current
            }
            Function::Aggregate => {
                self.values(arguments, &current);
                Found::UNKNOWN
            }
            Function::All | Function::Exists => {
                self.values(arguments, &current);
                Found::of("System.Boolean")
            }
            Function::Sort => {
                self.values(arguments, &current);
                Found { is_ordered: true, ..current }
            }
            Function::Select => match arguments.first() {
                Some(argument) => {
                    let each = self.code(argument, &current);
                    Found { is_ordered: each.is_ordered && current.is_ordered, ..each }
                }
                None => Found::UNKNOWN,
            },
            Function::Repeat | Function::RepeatAll => self.repeated(arguments, &current),
            Function::Iif => {
                let mut found = Found { types: Some(Vec::new()), is_ordered: true };
                for (place, argument) in arguments.iter().enumerate() {
                    let each = self.code(argument, &current);
                    found = if place == 0 { found } else { found.or(each) };
                }
                found
            }
            Function::Union | Function::Combine => {
                arguments.iter().fold(current, |all, argument| all.or(self.code(argument, this)))
            }
            Function::Coalesce => {
                let nothing = Found { types: Some(Vec::new()), is_ordered: true };
                arguments.iter().fold(nothing, |all, argument| all.or(self.code(argument, this)))
            }
            Function::Single
            | Function::Distinct
            | Function::Intersect
            | Function::Exclude
            | Function::Slice
            | Function::CheckModifiers => {
                self.values(arguments, this);
                current
            }
            Function::Children | Function::Descendants => Found { types: None, is_ordered: false },
            Function::Extension => {
                self.values(arguments, this);
                Found::of("Extension")
            }
            Function::ElementDefinition => Found::of("ElementDefinition"),
            Function::Convert(target) => {
                self.values(arguments, this);
                Found::of(system_type(target))
            }
            Function::Resolve
            | Function::GetValue
            | Function::Maths(_)
            | Function::HighBoundary
            | Function::LowBoundary => {
                self.values(arguments, this);
                Found::UNKNOWN
            }
            Function::Count | Function::Precision => Found::of("System.Integer"),
            Function::Coded(_) | Function::Join | Function::Text(_) => {
                self.values(arguments, this);
                Found::UNKNOWN
            }
            Function::Component(_) | Function::Now | Function::TimeOfDay | Function::Today => Found::UNKNOWN,
            Function::AllFalse
            | Function::AllTrue
            | Function::AnyFalse
            | Function::AnyTrue
            | Function::Comparable
            | Function::ConformsTo
            | Function::Converts(_)
            | Function::Empty
            | Function::HasValue
            | Function::HtmlChecks
            | Function::HtmlChecks2
            | Function::IsDistinct
            | Function::MemberOf
            | Function::Not
            | Function::SubsetOf
            | Function::SubsumedBy
            | Function::Subsumes
            | Function::SupersetOf => {
                self.values(arguments, this);
                Found::of("System.Boolean")
            }
            // These have a form of their own in a program.
            Function::As
            | Function::DefineVariable
            | Function::Is
            | Function::Matches
            | Function::MatchesFull
            | Function::OfType
            | Function::ReplaceMatches
            | Function::Type => Found::UNKNOWN,
        }
    }

    fn values(&mut self, arguments: &[Code], this: &Found) {
        for argument in arguments {
            self.code(argument, this);
        }
    }

    /// What `repeat()` gives is known when a second round gives nothing new. In that round an element that is not there
    /// ends the walk and is no fault.
    fn repeated(&mut self, arguments: &[Code], current: &Found) -> Found {
        let Some(argument) = arguments.first() else { return Found::UNKNOWN };
        let first = self.code(argument, current);
        let told = self.faults.len();
        let second = self.code(argument, &first);
        self.faults.truncate(told);
        let is_closed = match (&first.types, &second.types) {
            (Some(first), Some(second)) => second.iter().all(|each| first.contains(each)),
            (None, _) | (_, None) => false,
        };
        Found { types: first.types.filter(|_| is_closed), is_ordered: first.is_ordered }
    }
}

fn narrowed(is: bool, spec: TypeSpec, operand: Found) -> Found {
    if is {
        return Found::of("System.Boolean");
    }
    let name = if spec.fhir { spec.name.to_owned() } else { format!("System.{}", spec.name) };
    // A name that both namespaces have (`Quantity`) is followed as FHIR's.
    Found { types: Some(vec![name]), is_ordered: operand.is_ordered }
}

fn system_type(target: Target) -> &'static str {
    match target {
        Target::Boolean => "System.Boolean",
        Target::Date => "System.Date",
        Target::DateTime => "System.DateTime",
        Target::Decimal => "System.Decimal",
        Target::Integer => "System.Integer",
        Target::Quantity => "System.Quantity",
        Target::String => "System.String",
        Target::Time => "System.Time",
    }
}
