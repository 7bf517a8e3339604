//! The shape of an expression to a program, with everything checked that can be.

use super::diagnostic::Diagnostic;
use super::program::{Code, CodeKind, Element, Pattern, Step, StepKind};
use super::syntax::{Ast, AstKind, AstStep, AstStepKind, Join, Special, TypeName};
use super::table::{Arguments, FUNCTIONS, Function, REFUSED, Signature, find};
use super::typing::{TypeSpec, choices_of, split_choice, type_names};
use super::value::Value;
use super::{Scope, fixed_text};
use crate::document::Name;
use crate::issue::nearest;
use std::borrow::Cow;
use std::ops::Range;

/// Bytes that one compiled pattern may take.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// FHIR's own variables.
const VARIABLES: &[&str] = &["context", "resource", "rootResource", "ucum", "sct", "loinc"];

/// Turns an expression into a program; gathers all faults.
pub(super) fn lower(ast: Ast, scope: &Scope, text: &str) -> Result<Code, Vec<Diagnostic>> {
    let mut lowering = Lowering { scope, faults: Vec::new(), defined: Vec::new(), slots: 0 };
    if is_ele_1(text) {
        return Ok(Code { kind: CodeKind::HasContent, at: ast.at });
    }
    let code = lowering.code(ast);
    match lowering.faults.is_empty() {
        true => Ok(code),
        false => Err(lowering.faults),
    }
}

/// The text of `ele-1` as R4 publishes it, blanks aside.
fn is_ele_1(text: &str) -> bool {
    let wanted = "hasValue()or(children().count()>id.count())".bytes();
    text.bytes().filter(|byte| !byte.is_ascii_whitespace()).eq(wanted)
}

/// The texts that operands are, each once, when they are nothing else.
fn texts(operands: &[Ast]) -> Option<Box<[&'static str]>> {
    let mut texts = Vec::with_capacity(operands.len());
    for operand in operands {
        let AstKind::Literal(Value::String(Cow::Borrowed(text))) = &operand.kind else { return None };
        if !texts.contains(text) {
            texts.push(*text);
        }
    }
    Some(texts.into())
}

struct Lowering<'s> {
    scope: &'s Scope,
    faults: Vec<Diagnostic>,
    /// The variables that can be seen where the reading is, each with its number.
    defined: Vec<(String, usize)>,
    /// How many variables have been defined anywhere.
    slots: usize,
}

impl Lowering<'_> {
    fn code(&mut self, ast: Ast) -> Code {
        let kind = match ast.kind {
            AstKind::Literal(value) => CodeKind::Literal(value),
            AstKind::Empty => CodeKind::Empty,
            AstKind::Special(Special::This) => CodeKind::This,
            AstKind::Special(Special::Index) => CodeKind::Index,
            AstKind::Special(Special::Total) => CodeKind::Total,
            AstKind::External(name) => self.external(&name, &ast.at),
            AstKind::Path { head, steps } => self.path(head, steps),
            AstKind::Sign { negative, operand } => CodeKind::Sign { negative, operand: Box::new(self.code(*operand)) },
            AstKind::Binary { operator, left, right } => {
                CodeKind::Binary { operator, left: Box::new(self.code(*left)), right: Box::new(self.code(*right)) }
            }
            AstKind::Implies { left, right } => {
                CodeKind::Implies { left: Box::new(self.code(*left)), right: Box::new(self.code(*right)) }
            }
            AstKind::Chain { join: Join::Union, ref operands } if texts(operands).is_some() => {
                CodeKind::Texts(texts(operands).unwrap_or_default())
            }
            AstKind::Chain { join, operands } => {
                CodeKind::Chain { join, operands: operands.into_iter().map(|each| self.code(each)).collect() }
            }
            AstKind::TypeTest { is, operand, name } => {
                let operand = Box::new(self.code(*operand));
                let function = if is { Function::Is } else { self.cast() };
                let spec = self.type_spec(&name);
                spec.map_or(CodeKind::Empty, |spec| CodeKind::TypeTest { function, operand, spec })
            }
        };
        Code { kind, at: ast.at }
    }

    fn external(&mut self, name: &str, at: &Range<usize>) -> CodeKind {
        let text = |text: String| CodeKind::Literal(Value::String(Cow::Borrowed(fixed_text(&text))));
        match name {
            "context" => return CodeKind::Input,
            "resource" => return CodeKind::Resource,
            "rootResource" => return CodeKind::Root,
            "ucum" => return text("http://unitsofmeasure.org".to_owned()),
            "sct" => return text("http://snomed.info/sct".to_owned()),
            "loinc" => return text("http://loinc.org".to_owned()),
            _ => {}
        }
        if let Some((_, slot)) = self.defined.iter().rev().find(|(known, _)| known == name) {
            return CodeKind::Defined { slot: *slot };
        }
        if let Some(slot) = self.scope.variables.iter().position(|known| known == name) {
            return CodeKind::Variable { name: fixed_text(name), slot };
        }
        if let Some(value_set) = name.strip_prefix("vs-") {
            return text(format!("http://hl7.org/fhir/ValueSet/{value_set}"));
        }
        if let Some(extension) = name.strip_prefix("ext-") {
            return text(format!("http://hl7.org/fhir/StructureDefinition/{extension}"));
        }
        let defined = self.defined.iter().map(|(name, _)| name.as_str());
        let known = VARIABLES.iter().copied().chain(self.scope.variables.iter().map(String::as_str)).chain(defined);
        let mut fault =
            Diagnostic::new("fhirpath.variable-unknown", format!("there is no variable `%{name}` here"), at.clone());
        fault.hint = nearest(name, known).map(|near| format!("did you mean `%{near}`?"));
        self.faults.push(fault);
        CodeKind::Empty
    }

    fn path(&mut self, head: Option<Box<Ast>>, steps: Vec<AstStep>) -> CodeKind {
        let seen = self.defined.len();
        let starts_here = head.as_ref().is_none_or(|head| matches!(head.kind, AstKind::External(_)));
        let head = head.map(|head| Box::new(self.code(*head)));
        let mut lowered = Vec::with_capacity(steps.len());
        let mut steps = steps.into_iter().peekable();
        let mut is_first = starts_here;
        while let Some(step) = steps.next() {
            let at = step.at.clone();
            let follower = steps.peek().and_then(|next| match &next.kind {
                AstStepKind::Member(name) => Some(name.clone()),
                AstStepKind::Call { .. } | AstStepKind::Index(_) => None,
            });
            let (kind, took_follower) = match step.kind {
                AstStepKind::Member(name) => (self.member(&name, is_first, &at), false),
                AstStepKind::Index(index) => (Some(StepKind::Index(self.code(*index))), false),
                AstStepKind::Call { name, arguments } => self.call(&name, arguments, &at, follower.as_deref()),
            };
            if took_follower {
                steps.next();
            }
            lowered.extend(kind.map(|kind| Step { kind, at }));
            is_first = false;
        }
        // A variable is seen to the end of the path that defines it.
        self.defined.truncate(seen);
        CodeKind::Path { head, steps: lowered.into() }
    }

    fn member(&mut self, name: &str, is_first: bool, at: &Range<usize>) -> Option<StepKind> {
        if self.scope.strict_choices
            && let Some((base, kind)) = split_choice(name)
        {
            let message = format!("FHIRPath names the choice element `{base}`, not `{name}`");
            let hint = format!("write `{base}.ofType({kind})`, or `{base}` when the type does not matter");
            self.faults.push(Diagnostic::new("fhirpath.choice-name", message, at.clone()).hint(hint));
            return None;
        }
        let element = Element { name: Name::intern(name), choices: choices_of(name) };
        let like_type = is_first && name.starts_with(|first: char| first.is_ascii_uppercase());
        Some(match like_type {
            true => StepKind::TypeOrChild { name: fixed_text(name), element },
            false => StepKind::Child(element),
        })
    }

    /// A call; and whether it took the member that follows it, as `type().name` does.
    fn call(
        &mut self,
        name: &str,
        arguments: Vec<Ast>,
        at: &Range<usize>,
        follower: Option<&str>,
    ) -> (Option<StepKind>, bool) {
        let Some(signature) = self.signature(name, arguments.len(), at) else { return (None, false) };
        let function = signature.function;
        if function == Function::Type {
            return match follower {
                Some("name") => (Some(StepKind::TypeMember { namespace: false }), true),
                Some("namespace") => (Some(StepKind::TypeMember { namespace: true }), true),
                Some(_) | None => {
                    let message = "of `type()` only `type().name` and `type().namespace` are supported";
                    self.faults.push(Diagnostic::new("fhirpath.function-refused", message, at.clone()));
                    (None, false)
                }
            };
        }
        if function == Function::DefineVariable {
            return (self.define(arguments, at), false);
        }
        let kind = match signature.arguments {
            Arguments::Values | Arguments::OverItems => {
                let arguments = arguments.into_iter().map(|argument| self.code(argument)).collect();
                Some(StepKind::Call { function, arguments })
            }
            Arguments::TypeName => {
                let function = if function == Function::As { self.cast() } else { function };
                self.type_argument(arguments).map(|spec| StepKind::Typed { function, spec })
            }
            Arguments::Pattern => self.pattern(function, arguments),
        };
        (kind, false)
    }

    /// What `as` is here.
    fn cast(&self) -> Function {
        if self.scope.as_selects { Function::OfType } else { Function::As }
    }

    fn define(&mut self, arguments: Vec<Ast>, at: &Range<usize>) -> Option<StepKind> {
        let mut arguments = arguments.into_iter();
        let name = arguments.next()?;
        let AstKind::Literal(Value::String(text)) = name.kind else {
            let message = "the name of a variable is written out as text in quotes";
            self.faults.push(Diagnostic::new("fhirpath.variable-name", message, name.at));
            return None;
        };
        let is_taken = VARIABLES.contains(&text.as_ref())
            || self.scope.variables.iter().any(|known| *known == text)
            || self.defined.iter().any(|(known, _)| *known == text);
        if is_taken {
            let message = format!("there is a variable `%{text}` here already");
            self.faults
                .push(Diagnostic::new("fhirpath.variable-defined", message, at.clone()).hint("choose another name"));
        }
        let value = arguments.next().map(|value| Box::new(self.code(value)));
        let slot = self.slots;
        self.slots += 1;
        self.defined.push((text.into_owned(), slot));
        Some(StepKind::Define { slot, value })
    }

    fn signature(&mut self, name: &str, count: usize, at: &Range<usize>) -> Option<Signature> {
        let Some(signature) = find(name) else {
            let fault = if REFUSED.contains(&name) {
                Diagnostic::new("fhirpath.function-refused", format!("`{name}()` is not supported"), at.clone())
            } else {
                let message = format!("FHIRPath has no function `{name}()`");
                let mut fault = Diagnostic::new("fhirpath.function-unknown", message, at.clone());
                let near = nearest(name, FUNCTIONS.iter().map(|signature| signature.name));
                fault.hint = near.map(|near| format!("did you mean `{near}()`?"));
                fault
            };
            self.faults.push(fault);
            return None;
        };
        if (signature.least..=signature.most).contains(&count) {
            return Some(signature);
        }
        let wanted = match (signature.least, signature.most) {
            (0, 0) => "no argument".to_owned(),
            (1, 1) => "one argument".to_owned(),
            (least, most) if least == most => format!("{least} arguments"),
            (least, most) => format!("{least} to {most} arguments"),
        };
        let message = format!("`{name}()` takes {wanted}, and here are {count}");
        self.faults.push(Diagnostic::new("fhirpath.arguments", message, at.clone()));
        None
    }

    fn type_argument(&mut self, arguments: Vec<Ast>) -> Option<TypeSpec> {
        let argument = arguments.into_iter().next()?;
        let at = argument.at.clone();
        let name = match argument.kind {
            AstKind::Path { head: None, steps } => {
                let names: Option<Vec<String>> = steps
                    .into_iter()
                    .map(|step| match step.kind {
                        AstStepKind::Member(name) => Some(name),
                        AstStepKind::Call { .. } | AstStepKind::Index(_) => None,
                    })
                    .collect();
                match names.unwrap_or_default().as_slice() {
                    [name] => Some(TypeName { namespace: None, name: name.clone(), at: at.clone() }),
                    [namespace, name] => {
                        Some(TypeName { namespace: Some(namespace.clone()), name: name.clone(), at: at.clone() })
                    }
                    _ => None,
                }
            }
            // HL7 has published `as('string')` in places; the text is taken as the name.
            AstKind::Literal(Value::String(text)) => {
                Some(TypeName { namespace: None, name: text.into_owned(), at: at.clone() })
            }
            _ => None,
        };
        match name {
            Some(name) => self.type_spec(&name),
            None => {
                let message = "here should stand the name of a type, for example `Quantity` or `System.String`";
                self.faults.push(Diagnostic::new("fhirpath.type-unknown", message, at));
                None
            }
        }
    }

    fn type_spec(&mut self, name: &TypeName) -> Option<TypeSpec> {
        let found = TypeSpec::find(name.namespace.as_deref(), &name.name, &self.scope.types);
        if found.is_none() {
            let message = match &name.namespace {
                Some(namespace) => format!("there is no type `{namespace}.{}`", name.name),
                None => format!("there is no type `{}`", name.name),
            };
            let mut fault = Diagnostic::new("fhirpath.type-unknown", message, name.at.clone());
            fault.hint = nearest(&name.name, type_names()).map(|near| format!("did you mean `{near}`?"));
            self.faults.push(fault);
        }
        found
    }

    fn pattern(&mut self, function: Function, arguments: Vec<Ast>) -> Option<StepKind> {
        let mut arguments = arguments.into_iter();
        let first = arguments.next()?;
        let at = first.at.clone();
        let pattern = match first.kind {
            AstKind::Literal(Value::String(text)) => match read_pattern(&text, function, PATTERN_BYTES_MAX) {
                Ok(pattern) => Pattern::Fixed(pattern),
                Err(fault) => {
                    let message =
                        "this regular expression cannot be run in linear time, is too large, or is not well formed";
                    let fault = Diagnostic::new("fhirpath.pattern", message, at).hint(last_line(&fault.to_string()));
                    self.faults.push(fault);
                    return None;
                }
            },
            // Matching against nothing gives nothing, and needs no pattern.
            AstKind::Empty => return Some(StepKind::Nothing),
            kind => Pattern::Computed(Box::new(self.code(Ast { kind, at, depth: first.depth }))),
        };
        let arguments = arguments.map(|argument| self.code(argument)).collect();
        Some(StepKind::Pattern { function, pattern, arguments })
    }
}

/// Reads a regular expression, which may take `bytes_max` when it is ready to run.
pub(super) fn read_pattern(text: &str, function: Function, bytes_max: usize) -> Result<regex::Regex, regex::Error> {
    let spelled = match function == Function::MatchesFull {
        true => Cow::Owned(format!("^(?:{text})$")),
        false => Cow::Borrowed(text),
    };
    regex::RegexBuilder::new(&spelled)
        .dot_matches_new_line(true)
        .size_limit(bytes_max)
        .dfa_size_limit(bytes_max)
        .build()
}

/// The line of a pattern's fault that says what is wrong; those before it repeat the pattern.
fn last_line(message: &str) -> String {
    message.lines().last().unwrap_or(message).trim().trim_start_matches("error: ").to_owned()
}
