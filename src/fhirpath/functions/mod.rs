//! The functions of FHIRPath and FHIR's additions.

mod codes;
mod convert;
mod fhir;
mod maths;
mod profiles;
mod range;
mod sets;
mod text;

use super::diagnostic::Failure;
use super::program::{Code, CodeKind, Pattern};
use super::run::{Evaluated, Focus, Run, not_single};
use super::table::Function;
use super::value::{Collection, Item, Value};
use std::borrow::Cow;
use std::ops::Range;

/// One call: the collection before the point, the arguments, and where it stands.
pub(super) struct Call<'c, 'r, 'd> {
    run: &'c Run<'r, 'd>,
    input: Collection<'d>,
    arguments: &'c [Code],
    focus: Focus<'c, 'd>,
    at: &'c Range<usize>,
}

impl<'c, 'r, 'd> Call<'c, 'r, 'd> {
    /// The value of an argument; empty when it was left out.
    fn argument(&self, place: usize) -> Evaluated<'d> {
        match self.arguments.get(place) {
            Some(code) => self.run.eval(code, self.focus),
            None => Ok(Collection::new()),
        }
    }

    /// The text that an argument is; none when it is empty or was left out.
    fn text_argument(&self, place: usize, asked_by: &str) -> Result<Option<Cow<'d, str>>, Failure> {
        match self.arguments.get(place).map(|code| &code.kind) {
            // The usual case: written out where the call stands.
            Some(CodeKind::Literal(Value::String(text))) => Ok(Some(text.clone())),
            Some(_) | None => self.run.text(&self.argument(place)?, asked_by, self.at),
        }
    }

    /// The value of an argument over one item of the input.
    fn over(&self, place: usize, item: &Item<'d>, index: usize) -> Evaluated<'d> {
        match self.arguments.get(place) {
            Some(code) => self.run.eval(code, self.focus.on(item, index)),
            None => Ok(Collection::new()),
        }
    }

    /// Whether the condition at `place` is true of one item.
    fn holds(&self, place: usize, item: &Item<'d>, index: usize) -> Result<bool, Failure> {
        Ok(self.run.truth(&self.over(place, item, index)?, self.at)? == Some(true))
    }

    /// The only item of the input; none when it is empty.
    fn single(&self, asked_by: &str) -> Result<Option<&Item<'d>>, Failure> {
        match self.input.items() {
            [] => Ok(None),
            [item] => Ok(Some(item)),
            _ => Err(not_single(asked_by, self.at)),
        }
    }

    fn type_fault(&self, message: &str) -> Failure {
        Failure::new("fhirpath.type", message, self.at.clone())
    }
}

/// Calls a function.
pub(super) fn call<'d>(
    run: &Run<'_, 'd>,
    function: Function,
    input: Collection<'d>,
    arguments: &[Code],
    focus: Focus<'_, 'd>,
    at: &Range<usize>,
) -> Evaluated<'d> {
    let call = Call { run, input, arguments, focus, at };
    match function {
        Function::Empty => Ok(call.input.is_empty().into()),
        Function::Exists => sets::exists(call),
        Function::Count => Ok(Collection::value(Value::Integer(call.input.len() as i64))),
        Function::Not => Ok(run.truth(&call.input, at)?.map(|truth| !truth).into()),
        Function::Where => sets::select_where(call),
        Function::Select => sets::select(call),
        Function::First => Ok(call.input.into_iter().next().into()),
        Function::HasValue => fhir::has_value(&call),
        Function::Extension => fhir::extension(call),
        Function::All => sets::all(call),
        Function::AllFalse | Function::AllTrue | Function::AnyFalse | Function::AnyTrue => sets::truths(function, call),
        Function::Aggregate => sets::aggregate(call),
        Function::Repeat => sets::repeat(call),
        Function::RepeatAll => sets::repeat_all(call),
        Function::Coalesce => sets::coalesce(&call),
        Function::Distinct => super::compare::distinct(run, call.input, at),
        Function::IsDistinct => sets::is_distinct(call),
        Function::Single => Ok(call.single("`single()`")?.cloned().into()),
        Function::Last => Ok(call.input.into_iter().last().into()),
        Function::Tail => Ok(call.input.into_iter().skip(1).collect()),
        Function::Skip | Function::Take => sets::part(function, call),
        Function::Sort => sets::sort(call),
        Function::Intersect | Function::Exclude => sets::sift(function, call),
        Function::SubsetOf | Function::SupersetOf => sets::is_subset(function, call),
        Function::Union | Function::Combine => sets::merge(function, call),
        Function::Children | Function::Descendants => sets::below(function, &call),
        Function::Iif => sets::iif(call),
        Function::Convert(target) => convert::convert(target, &call),
        Function::Converts(target) => convert::converts(target, &call),
        Function::Join => text::join(&call),
        Function::Text(function) => text::of_text(function, &call),
        Function::Coded(coding) => text::coded(coding, &call),
        Function::Maths(function) => maths::of_number(function, &call),
        Function::LowBoundary | Function::HighBoundary => range::boundary(function, &call),
        Function::Precision => range::precision(&call),
        Function::Component(component) => range::component(component, &call),
        Function::Comparable => range::comparable(&call),
        Function::Trace => fhir::trace(call),
        Function::Now => Ok(Collection::value(Value::DateTime(fhir::now(&call)?))),
        Function::Today => Ok(Collection::value(Value::Date(fhir::now(&call)?.date_only()))),
        Function::TimeOfDay => Ok(Collection::value(Value::Time(fhir::now(&call)?.time_only()))),
        Function::GetValue => fhir::get_value(&call),
        Function::Resolve => fhir::resolve(&call),
        Function::MemberOf => codes::member_of(&call),
        Function::Subsumes => codes::subsumes(&call, true),
        Function::SubsumedBy => codes::subsumes(&call, false),
        Function::ConformsTo => profiles::conforms_to(&call),
        Function::Slice => profiles::slice(&call),
        Function::ElementDefinition => profiles::element_definition(&call),
        Function::CheckModifiers => profiles::check_modifiers(call),
        Function::HtmlChecks => fhir::html_checks(&call),
        Function::HtmlChecks2 => fhir::html_says_something(&call),
        // These have a form of their own in a program and are never called.
        Function::Is
        | Function::As
        | Function::DefineVariable
        | Function::OfType
        | Function::Type
        | Function::Matches
        | Function::MatchesFull
        | Function::ReplaceMatches => Ok(Collection::new()),
    }
}

/// Calls a function that takes a regular expression.
pub(super) fn pattern<'d>(
    run: &Run<'_, 'd>,
    function: Function,
    pattern: &Pattern,
    input: Collection<'d>,
    arguments: &[Code],
    focus: Focus<'_, 'd>,
    at: &Range<usize>,
) -> Evaluated<'d> {
    text::matched(function, pattern, &Call { run, input, arguments, focus, at })
}
