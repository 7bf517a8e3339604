//! Checking rules against what their targets hold.

use super::compile::Compiler;
use super::expressions::Input;
use super::header::Keys;
use super::plan::{Make, Otherwise, Recipe};
use super::problem::Mark;
use super::schema::Single;
use super::shape::{Ground, Stepped};
use super::target::{Step, Target};
use super::yaml::Member;
use crate::fhirpath::Expression;
use crate::terminology::tables::Table;
use serde_json::Value;

/// What a rule may put at its target; none where the target itself is faulty and has been told.
type Slot<'e> = Option<Stepped<'e>>;

impl<'e> Compiler<'_, 'e, '_> {
    /// Follows a target through the shape of the output.
    pub(super) fn slot(&mut self, target: &Target, member: &Member, output: &Ground<'e>) -> Slot<'e> {
        let width = member.key.chars().count();
        let mut ground = output.clone();
        let mut steps = target.steps.iter().peekable();
        while let Some(step) = steps.next() {
            let Some(mut stepped) = ground.step(&step.name) else {
                let known = ground.names();
                let message = format!("{} has no `{}`", ground.name(), step.name);
                self.findings
                    .note_wide("mapping.target-path", member.at, width, message)
                    .meant(&step.name, known.iter().map(String::as_str));
                return None;
            };
            if let (Ground::Fhir(..), true) = (&ground, stepped.element == step.name && self.is_open_choice(&stepped)) {
                let message = format!("`{}` is a choice of types and is written with one of them", step.name);
                self.findings
                    .note_wide("mapping.target-choice", member.at, width, message)
                    .way_out(format!("for example `{}String`", step.name));
                return None;
            }
            let is_last = steps.peek().is_none();
            if step.index.is_some() && !stepped.repeats {
                let message = format!("`{}` holds one value and takes no index", step.name);
                self.findings.note_wide("mapping.target-index", member.at, width, message);
                return None;
            }
            if step.index.is_none() && stepped.repeats && !is_last {
                let message = format!("`{}` is a list: say which item", step.name);
                self.findings
                    .note_wide("mapping.target-index", member.at, width, message)
                    .way_out(format!("`{}[0]`, or a rule for `{}` with `each`", step.name, step.name));
                return None;
            }
            if is_last {
                stepped.repeats &= step.index.is_none();
                return Some(stepped);
            }
            ground = stepped.ground;
        }
        None
    }

    fn is_open_choice(&self, stepped: &Stepped<'e>) -> bool {
        match &stepped.ground {
            Ground::Canonical(_) => false,
            Ground::Fhir(path, elements) => elements.at(path).is_some_and(|found| found.types.len() > 1),
        }
    }

    /// Elements that must be there have a rule, here and in each object that the rules build.
    pub(super) fn check_required(&mut self, targets: &[&[Step]], ground: &Ground<'e>, at: Mark, prefix: &str) {
        let element = |step: &Step| ground.step(&step.name).map(|stepped| stepped.element);
        for name in ground.required() {
            let found = targets.iter().any(|steps| steps.first().and_then(element).as_deref() == Some(&name));
            if !found {
                self.findings
                    .note("mapping.required-target", at, format!("`{prefix}{name}` must be there and has no rule"))
                    .way_out(format!("add a rule for `{prefix}{name}`"));
            }
        }
        let mut seen: Vec<(&str, Option<usize>)> = Vec::new();
        for steps in targets {
            let Some((first, rest)) = steps.split_first() else { continue };
            let key = (first.name.as_str(), first.index);
            if rest.is_empty() || seen.contains(&key) {
                continue;
            }
            seen.push(key);
            let inner: Vec<&[Step]> = targets
                .iter()
                .filter_map(|steps| steps.split_first())
                .filter(|(step, rest)| (step.name.as_str(), step.index) == key && !rest.is_empty())
                .map(|(_, rest)| rest)
                .collect();
            if let Some(stepped) = ground.step(&first.name) {
                self.check_required(&inner, &stepped.ground, at, &format!("{prefix}{}.", first.name));
            }
        }
    }

    /// What the recipe makes fits what the target holds.
    pub(super) fn check_slot(&mut self, recipe: &Recipe, at: Mark, slot: Option<&Stepped<'e>>) {
        let Some(slot) = slot else { return };
        let makes_list = match &recipe.make {
            Make::Each(..) | Make::EachValue(_) => true,
            Make::From(_) | Make::Constant(_) => false,
            // Each alternative is checked by itself.
            Make::First(_) => return,
        };
        match (makes_list, slot.repeats) {
            (true, false) => {
                let message = "`each` makes a list and the target holds one value";
                self.findings.note("mapping.target-one", at, message).way_out("use `from`, with `join` for texts");
                return;
            }
            (false, true) => {
                self.findings.note("mapping.target-list", at, "the target is a list").way_out("use `each`");
                return;
            }
            (true, true) | (false, false) => {}
        }
        let is_object = matches!(recipe.make, Make::Each(..));
        match slot.single {
            None if !is_object => {
                let known = slot.ground.names().join(", ");
                self.findings
                    .note("mapping.target-object", at, "the target has parts and holds no single value")
                    .way_out(format!("give its parts a rule each: {known}"));
            }
            Some(_) if is_object => {
                self.findings.note(
                    "mapping.target-single",
                    at,
                    "the target holds single values, and `rules` make parts",
                );
            }
            Some(single) => self.check_single(recipe, at, single, slot.codes.as_deref()),
            None => {}
        }
    }

    fn check_single(&mut self, recipe: &Recipe, at: Mark, single: Single, codes: Option<&[String]>) {
        let fixed = match (&recipe.make, &recipe.otherwise) {
            (Make::Constant(value), _) => Some(value),
            (_, Otherwise::Value(value)) => Some(value),
            _ => None,
        };
        if let Some(value) = fixed {
            let of = match value {
                Value::Bool(_) => Single::Boolean,
                Value::Number(_) => Single::Integer,
                Value::String(_) | Value::Null | Value::Array(_) | Value::Object(_) => Single::Text,
            };
            if of != single {
                self.findings.note("mapping.type", at, "the value has another type than the target");
            } else if let (Some(codes), Some(text)) = (codes, value.as_str())
                && !codes.iter().any(|code| code == text)
            {
                let message = format!("the target does not know the code `{text}`");
                self.findings.note("mapping.code", at, message).meant(text, codes.iter().map(String::as_str));
            }
        }
        let made = match recipe.conversion {
            Some(conversion) => Some(conversion.makes()),
            None => recipe.table.as_ref().map(|_| Single::Text),
        };
        if made.is_some_and(|made| made != single) {
            self.findings.note(
                "mapping.type",
                at,
                "what the conversion or table makes has another type than the target",
            );
        }
    }

    /// A table's targets are codes of the rule's target, and it has a row for each code that the source may have.
    pub(super) fn check_table(
        &mut self,
        table: &Table,
        recipe: &Recipe,
        slot: &Stepped<'e>,
        expression: &Expression,
        input: &Input<'e>,
        keys: &Keys<'_>,
    ) {
        let at = keys.get("translate").map_or(keys.at, |member| member.value.at);
        if recipe.conversion.is_none()
            && let Some(codes) = &slot.codes
        {
            let rows = table.rows().iter().filter(|row| row.target.as_ref().is_some_and(|code| !codes.contains(code)));
            let mut lines: Vec<u32> = rows.map(|row| row.line).collect();
            lines.sort_unstable();
            if let Some(first) = lines.first() {
                let more = if lines.len() > 1 { format!(" and {} more", lines.len() - 1) } else { String::new() };
                let message =
                    format!("line {first}{more} of `{}` give codes that the target does not know", table.name());
                self.findings
                    .note_wide("mapping.table-target", at, table.name().chars().count(), message)
                    .way_out(format!("it knows: {}", codes.join(", ")));
            }
        }
        if recipe.otherwise != Otherwise::Refuse {
            return;
        }
        let Some(codes) = self.source_codes(expression, input) else { return };
        let missing: Vec<&str> = codes.iter().map(String::as_str).filter(|code| table.row(code).is_none()).collect();
        if !missing.is_empty() {
            let message = format!("`{}` has no row for {}", table.name(), missing.join(", "));
            self.findings
                .note("mapping.table-incomplete", at, message)
                .way_out("add a row for each; one with an empty target says that the code is refused on purpose");
        }
    }
}
