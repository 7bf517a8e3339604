//! Compiling rules: targets against the shape of what is made, recipes against what their target holds.

use super::compile::Compiler;
use super::convert::Conversion;
use super::expressions::Input;
use super::header::Keys;
use super::plan::{Expected, Make, Otherwise, Recipe, Rule};
use super::problem::Mark;
use super::shape::{Ground, Stepped};
use super::target::{Step, Target};
use super::yaml::{Member, Yaml, YamlValue};
use crate::terminology::tables::Table;
use std::sync::Arc;

const KEYS: &[&str] =
    &["from", "first", "each", "rules", "constant", "translate", "otherwise", "as", "required", "when", "join"];
const SOURCES: [&str; 4] = ["from", "first", "each", "constant"];

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
            // The same target twice is the same key twice, which the reader has told.
            let clash = targets.iter().find(|(other, _)| other.clashes(&target) && other.text != target.text);
            if let Some((other, at)) = clash {
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
            // Most likely the unknown key was meant to be one of them.
            [] if keys.has_unknown => None,
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
}
