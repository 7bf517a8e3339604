//! Compiling rules: targets against the shape of what is made, recipes against what their target holds.

use super::compile::Compiler;
use super::convert::Conversion;
use super::expressions::Input;
use super::header::Keys;
use super::plan::{Expected, Make, Otherwise, Recipe, Rule};
use super::problem::Mark;
use super::schema::Single;
use super::shape::{Ground, Stepped};
use super::target::{Step, Target};
use super::yaml::{Member, Yaml, YamlValue};
use crate::fhirpath::Expression;
use crate::terminology::tables::Table;
use serde_json::Value;
use std::sync::Arc;

const KEYS: &[&str] =
    &["from", "first", "each", "rules", "constant", "translate", "otherwise", "as", "required", "when", "join"];
const SOURCES: [&str; 4] = ["from", "first", "each", "constant"];

/// What a rule may put at its target; none where the target itself is faulty and has been told.
type Slot<'e> = Option<Stepped<'e>>;

impl<'e> Compiler<'_, 'e, '_> {
    /// The rules of a mapping or of an `each`.
    pub(super) fn rules(&mut self, yaml: &Yaml, input: &Input<'e>, output: &Ground<'e>) -> Vec<Rule> {
        let YamlValue::Mapping(members) = &yaml.value else {
            self.findings.note("mapping.form", yaml.at, "`rules` is targets with recipes");
            return Vec::new();
        };
        let mut rules: Vec<Rule> = Vec::with_capacity(members.len());
        let mut targets: Vec<(Target, Mark)> = Vec::with_capacity(members.len());
        for member in members {
            let Some(target) = self.target(member) else { continue };
            if let Some((other, at)) = targets.iter().find(|(other, _)| other.clashes(&target)) {
                let message = format!("`{}` would overwrite `{}` of line {}", target.text, other.text, at.line);
                self.findings.note_wide("mapping.two-rules", member.at, target.text.chars().count(), message);
            }
            targets.push((target.clone(), member.at));
            let slot = self.slot(&target, member, output);
            if let Some(recipe) = self.recipe(&member.value, input, slot.as_ref()) {
                rules.push(Rule { target, recipe });
            }
        }
        let steps: Vec<&[Step]> = targets.iter().map(|(target, _)| target.steps.as_slice()).collect();
        self.check_required(&steps, output, yaml.at, "");
        rules
    }

    fn target(&mut self, member: &Member) -> Option<Target> {
        match Target::parse(&member.key) {
            Ok(target) => Some(target),
            Err(why) => {
                self.findings.note_wide("mapping.target-form", member.at, member.key.chars().count(), why);
                None
            }
        }
    }

    /// Follows a target through the shape of the output.
    fn slot(&mut self, target: &Target, member: &Member, output: &Ground<'e>) -> Slot<'e> {
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
    fn check_required(&mut self, targets: &[&[Step]], ground: &Ground<'e>, at: Mark, prefix: &str) {
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

    /// A recipe: an expression alone, or keys.
    fn recipe(&mut self, yaml: &Yaml, input: &Input<'e>, slot: Option<&Stepped<'e>>) -> Option<Recipe> {
        if let Some(text) = yaml.text() {
            let expression = self.expression(text, yaml.at, input)?;
            let recipe = Recipe {
                line: yaml.at.line,
                when: None,
                expected_at: self.expected(&expression),
                make: Make::From(expression),
                table: None,
                conversion: None,
                otherwise: Otherwise::Refuse,
                required: false,
                join: None,
            };
            self.check_slot(&recipe, yaml.at, slot);
            return Some(recipe);
        }
        let keys = Keys::of(yaml, "a recipe", KEYS, &mut self.findings)?;
        let when = keys.text("when", &mut self.findings);
        let when = when.and_then(|(text, at)| self.condition(text, at, input));
        let make = self.make(&keys, input, slot);
        let table = keys.text("translate", &mut self.findings).and_then(|(name, at)| self.table(name, at));
        let conversion = keys.text("as", &mut self.findings).and_then(|(name, at)| self.conversion(name, at));
        let otherwise = self.otherwise(&keys);
        let join = keys.get("join").and_then(|member| member.value.text()).map(str::to_owned);
        let required = keys.flag("required", &mut self.findings);
        self.check_keys(&keys);
        let make = make?;
        let expected_at = match &make {
            Make::From(expression) | Make::EachValue(expression) | Make::Each(expression, _) => {
                self.expected(expression)
            }
            Make::First(alternatives) => alternatives.first().map(|one| one.expected_at.clone()).unwrap_or_default(),
            Make::Constant(_) => Expected::default(),
        };
        let line = yaml.at.line;
        let recipe = Recipe { line, when, make, table, conversion, otherwise, required, join, expected_at };
        self.check_slot(&recipe, keys.at, slot);
        if let (Some(table), Some(slot), Make::From(expression) | Make::EachValue(expression)) =
            (&recipe.table, slot, &recipe.make)
        {
            self.check_table(table, &recipe, slot, expression, input, &keys);
        }
        Some(recipe)
    }

    fn make(&mut self, keys: &Keys<'_>, input: &Input<'e>, slot: Option<&Stepped<'e>>) -> Option<Make> {
        let given: Vec<&str> = SOURCES.into_iter().filter(|key| keys.get(key).is_some()).collect();
        match given.as_slice() {
            ["from"] => {
                let (text, at) = keys.text("from", &mut self.findings)?;
                self.expression(text, at, input).map(Make::From)
            }
            ["each"] => {
                let (text, at) = keys.text("each", &mut self.findings)?;
                let expression = self.expression(text, at, input)?;
                let Some(rules) = keys.get("rules") else { return Some(Make::EachValue(expression)) };
                let inner = self.result(&expression, input);
                let output = slot.map(|slot| slot.ground.clone())?;
                Some(Make::Each(expression, self.rules(&rules.value, &inner, &output)))
            }
            ["constant"] => {
                let member = keys.get("constant")?;
                let constant = member.value.constant();
                if constant.is_none() {
                    self.findings.note("mapping.form", member.value.at, "`constant` is a single value");
                }
                constant.map(Make::Constant)
            }
            ["first"] => {
                let member = keys.get("first")?;
                let YamlValue::Sequence(items) = &member.value.value else {
                    self.findings.note("mapping.form", member.value.at, "`first` is a list of recipes");
                    return None;
                };
                let alternatives: Vec<Option<Recipe>> =
                    items.iter().map(|item| self.recipe(item, input, slot)).collect();
                alternatives.into_iter().collect::<Option<Vec<_>>>().map(Make::First)
            }
            _ => {
                let message = "a recipe says one of `from`, `first`, `each` and `constant`";
                self.findings.note("mapping.recipe-source", keys.at, message);
                None
            }
        }
    }

    fn table(&mut self, name: &str, at: Mark) -> Option<Arc<Table>> {
        let found = self.shared.tables.get(name).cloned();
        match &found {
            Some(_) => {
                self.used_tables.insert(name.to_owned());
            }
            None => {
                let known = self.shared.tables.keys().map(String::as_str);
                let message = format!("there is no code table `{name}`");
                self.findings.note_wide("mapping.unknown-table", at, name.chars().count(), message).meant(name, known);
            }
        }
        found
    }

    fn conversion(&mut self, name: &str, at: Mark) -> Option<Conversion> {
        let found = Conversion::named(name);
        if found.is_none() {
            let known = Conversion::ALL.iter().map(|conversion| conversion.as_str());
            let message = format!("there is no conversion `{name}`");
            self.findings.note_wide("mapping.unknown-conversion", at, name.chars().count(), message).meant(name, known);
        }
        found
    }

    fn otherwise(&mut self, keys: &Keys<'_>) -> Otherwise {
        const WAYS: &str = "`refuse`, `carry` (as it came), `omit` (told as a warning) or `{value: …}`";
        let Some(member) = keys.get("otherwise") else {
            if let Some(translate) = keys.get("translate") {
                self.findings
                    .note("mapping.otherwise-unsaid", translate.at, "say what becomes of a code that the table lacks")
                    .way_out(format!("`otherwise:` {WAYS}"));
            }
            return Otherwise::Refuse;
        };
        match (&member.value.value, member.value.text()) {
            (_, Some("refuse")) => return Otherwise::Refuse,
            (_, Some("carry")) => return Otherwise::Carry,
            (_, Some("omit")) => return Otherwise::Omit,
            (YamlValue::Mapping(members), _) => {
                if let [only] = members.as_slice()
                    && only.key == "value"
                    && let Some(value) = only.value.constant()
                {
                    return Otherwise::Value(value);
                }
            }
            (YamlValue::Scalar { .. } | YamlValue::Sequence(_), _) => {}
        }
        self.findings.note("mapping.otherwise", member.value.at, "this is not a way to go on").way_out(WAYS);
        Otherwise::Refuse
    }

    /// Keys that do not go together.
    fn check_keys(&mut self, keys: &Keys<'_>) {
        let needs = |key: &'static str, one_of: &[&str]| {
            let member = keys.get(key)?;
            one_of.iter().all(|other| keys.get(other).is_none()).then_some((key, member.at, one_of.join("` or `")))
        };
        let found = [
            needs("rules", &["each"]),
            needs("otherwise", &["translate", "as"]),
            needs("translate", &["from", "each"]),
            needs("as", &["from", "each"]),
            needs("join", &["from"]),
        ];
        for (key, at, one_of) in found.into_iter().flatten() {
            let message = format!("`{key}` goes with `{one_of}` only");
            self.findings.note_wide("mapping.key-alone", at, key.len(), message);
        }
        if let (Some(_), Some(member)) = (keys.get("rules"), keys.get("translate").or(keys.get("as"))) {
            let message = format!("an `each` with `rules` makes objects; `{}` stands in the rules", member.key);
            self.findings.note_wide("mapping.key-alone", member.at, member.key.len(), message);
        }
    }

    /// What the recipe makes fits what the target holds.
    fn check_slot(&mut self, recipe: &Recipe, at: Mark, slot: Option<&Stepped<'e>>) {
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
            }
            (false, true) => {
                self.findings.note("mapping.target-list", at, "the target is a list").way_out("use `each`");
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
    fn check_table(
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
            for row in table.rows() {
                if let Some(target) = row.target.as_ref().filter(|target| !codes.contains(target)) {
                    let message = format!(
                        "line {} of `{}` gives `{target}`, which the target does not know",
                        row.line,
                        table.name()
                    );
                    self.findings
                        .note("mapping.table-target", at, message)
                        .meant(target, codes.iter().map(String::as_str));
                }
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
