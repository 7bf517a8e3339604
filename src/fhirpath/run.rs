//! Running a program: paths, operators that join truth values, and the bound on steps.

use super::context::Context;
use super::diagnostic::Failure;
use super::program::{Code, CodeKind, Element, Step, StepKind};
use super::syntax::{Join, Operator};
use super::table::Function;
use super::value::{Collection, Item, Value};
use super::{arithmetic, compare, functions, typing};
use crate::document::Node;
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::ops::Range;

/// What evaluating gives.
pub(super) type Evaluated<'d> = Result<Collection<'d>, Failure>;

/// Bytes that one text made on the way may have.
pub(super) const TEXT_BYTES_MAX: usize = 1 << 20;

/// One evaluation.
pub(super) struct Run<'r, 'd> {
    pub(super) context: &'r Context<'d>,
    pub(super) input: Node<'d>,
    steps_left: Cell<u64>,
    /// What `defineVariable()` kept, by number.
    defined: RefCell<Vec<Collection<'d>>>,
}

/// What `$this`, `$index` and `$total` are where an expression stands.
#[derive(Clone, Copy)]
pub(super) struct Focus<'f, 'd> {
    pub(super) this: Option<&'f Item<'d>>,
    pub(super) index: Option<usize>,
    pub(super) total: Option<&'f Collection<'d>>,
    /// Set where an expression stands on a whole collection and not on an item of it.
    pub(super) all: Option<&'f Collection<'d>>,
}

impl<'f, 'd> Focus<'f, 'd> {
    /// The focus on one item of a collection.
    pub(super) fn on(self, item: &'f Item<'d>, index: usize) -> Focus<'f, 'd> {
        Focus { this: Some(item), index: Some(index), total: self.total, all: None }
    }

    /// What a path without a head begins with.
    fn whole(self) -> Collection<'d> {
        match self.all {
            Some(all) => all.clone(),
            None => self.this.cloned().into(),
        }
    }
}

impl<'r, 'd> Run<'r, 'd> {
    pub(super) fn new(context: &'r Context<'d>, input: Node<'d>) -> Self {
        let steps_left = Cell::new(context.steps_max);
        Run { context, input, steps_left, defined: RefCell::default() }
    }

    /// Counts steps, and fails when there are no more: of this evaluation's, or of those it shares with others.
    pub(super) fn spend(&self, steps: usize, at: &Range<usize>) -> Result<(), Failure> {
        let steps = steps as u64;
        let Some(left) = self.steps_left.get().checked_sub(steps) else {
            let message = "the expression took more steps over this input than one evaluation may take";
            return Err(Failure::new("fhirpath.steps", message, at.clone()));
        };
        self.steps_left.set(left);
        let Some(budget) = self.context.budget else { return Ok(()) };
        let Some(left) = budget.get().checked_sub(steps) else {
            // What is left is taken, so that what comes after fails at once.
            budget.set(0);
            let message = "the expressions over this input took more steps together than they may take";
            return Err(Failure::new("fhirpath.budget", message, at.clone()));
        };
        budget.set(left);
        Ok(())
    }

    pub(super) fn eval(&self, code: &Code, focus: Focus<'_, 'd>) -> Evaluated<'d> {
        match &code.kind {
            CodeKind::Literal(value) => Ok(Collection::value(value.clone())),
            CodeKind::Empty => Ok(Collection::new()),
            CodeKind::This => Ok(focus.whole()),
            CodeKind::Index => Ok(focus.index.map(|index| Item::Value(Value::Integer(index as i64), None)).into()),
            CodeKind::Total => Ok(focus.total.cloned().unwrap_or_default()),
            CodeKind::Input => Ok(Collection::node(self.input)),
            CodeKind::Resource => Ok(Collection::node(self.context.resource)),
            CodeKind::Root => Ok(Collection::node(self.context.root)),
            CodeKind::Variable { name, slot } => self.variable(name, *slot, &code.at),
            CodeKind::Defined { slot } => Ok(self.defined.borrow().get(*slot).cloned().unwrap_or_default()),
            CodeKind::Path { head, steps } => self.path(head.as_deref(), steps, focus),
            CodeKind::HasContent => Ok(has_content(focus).into()),
            CodeKind::Sign { negative, operand } => {
                let operand = self.eval(operand, focus)?;
                arithmetic::sign(self, *negative, operand, &code.at)
            }
            CodeKind::Binary { operator, left, right } => self.binary(*operator, left, right, focus, &code.at),
            CodeKind::Implies { left, right } => self.implies(left, right, focus),
            CodeKind::Chain { join, operands } => self.chain(*join, operands, focus, &code.at),
            CodeKind::Texts(texts) => {
                self.spend(texts.len(), &code.at)?;
                let text = |text: &&'static str| Item::Value(Value::String(Cow::Borrowed(text)), None);
                Ok(texts.iter().map(text).collect())
            }
            CodeKind::TypeTest { function, operand, spec } => {
                let operand = self.eval(operand, focus)?;
                self.typed(*function, *spec, operand, &code.at)
            }
        }
    }

    fn variable(&self, name: &str, slot: usize, at: &Range<usize>) -> Evaluated<'d> {
        let variables = &self.context.variables;
        let found = variables
            .get(slot)
            .filter(|(known, _)| *known == name)
            .or_else(|| variables.iter().find(|(known, _)| *known == name));
        match found {
            Some((_, value)) => Ok(value.clone()),
            None => {
                let message = format!("the variable `%{name}` was not given a value");
                Err(Failure::new("fhirpath.variable-unset", message, at.clone()))
            }
        }
    }

    // ---- paths

    fn path(&self, head: Option<&Code>, steps: &[Step], focus: Focus<'_, 'd>) -> Evaluated<'d> {
        let mut steps = steps.iter();
        let mut current = match (head, focus.this, steps.as_slice().first()) {
            (Some(head), _, _) => self.eval(head, focus)?,
            // The usual beginning, without a collection for the focus.
            (None, Some(Item::Node(node)), Some(Step { kind: StepKind::Child(element), at })) => {
                steps.next();
                let mut found = Collection::new();
                self.collect(*node, element, &mut found, at)?;
                found
            }
            (None, _, _) => focus.whole(),
        };
        for step in steps {
            current = self.step(step, current, focus)?;
        }
        Ok(current)
    }

    fn collect(
        &self,
        node: Node<'d>,
        element: &Element,
        found: &mut Collection<'d>,
        at: &Range<usize>,
    ) -> Result<(), Failure> {
        let mut seen = 1;
        for child in node.children() {
            seen += 1;
            if element.is(child) {
                found.push(Item::Node(child));
            }
        }
        self.spend(seen, at)
    }

    fn step(&self, step: &Step, input: Collection<'d>, focus: Focus<'_, 'd>) -> Evaluated<'d> {
        match &step.kind {
            StepKind::Child(element) => self.children_named(element, &input, &step.at),
            StepKind::TypeOrChild { name, element } => {
                let is_type =
                    |item: &Item<'d>| item.node().is_some_and(|node| typing::is_of_type(node, name, self.context));
                match input.iter().all(is_type) {
                    true => Ok(input),
                    false => self.children_named(element, &input, &step.at),
                }
            }
            StepKind::Index(index) => {
                let index = self.eval(index, focus)?;
                let index = self.integer(&index, &step.at)?;
                let index = index.and_then(|index| usize::try_from(index).ok());
                Ok(index.and_then(|index| input.into_iter().nth(index)).into())
            }
            StepKind::Call { function, arguments } => {
                self.spend(1 + input.len() / 8, &step.at)?;
                functions::call(self, *function, input, arguments, focus, &step.at)
            }
            StepKind::Typed { function, spec } => self.typed(*function, *spec, input, &step.at),
            StepKind::Pattern { function, pattern, arguments } => {
                functions::pattern(self, *function, pattern, input, arguments, focus, &step.at)
            }
            StepKind::Define { slot, value } => self.define(*slot, value.as_deref(), input, focus),
            StepKind::Nothing => Ok(Collection::new()),
            StepKind::TypeMember { namespace } => Ok(input
                .iter()
                .filter_map(|item| self.type_member(item, *namespace))
                .map(|text| Item::Value(Value::String(text), None))
                .collect()),
        }
    }

    /// Keeps a variable's value; the input goes on as it came.
    fn define(&self, slot: usize, value: Option<&Code>, input: Collection<'d>, focus: Focus<'_, 'd>) -> Evaluated<'d> {
        let value = match value {
            Some(code) => self.eval(code, Focus { this: None, all: Some(&input), ..focus })?,
            None => input.clone(),
        };
        let mut defined = self.defined.borrow_mut();
        if defined.len() <= slot {
            defined.resize_with(slot + 1, Collection::new);
        }
        if let Some(kept) = defined.get_mut(slot) {
            *kept = value;
        }
        Ok(input)
    }

    fn children_named(&self, element: &Element, input: &Collection<'d>, at: &Range<usize>) -> Evaluated<'d> {
        let mut found = Collection::new();
        for item in input {
            if let Item::Node(node) = item {
                self.collect(*node, element, &mut found, at)?;
            }
        }
        Ok(found)
    }

    fn type_member(&self, item: &Item<'d>, namespace: bool) -> Option<Cow<'d, str>> {
        match item {
            Item::Value(_, _) if namespace => Some(Cow::Borrowed("System")),
            Item::Value(value, _) => Some(Cow::Borrowed(value.type_name())),
            Item::Node(_) if namespace => Some(Cow::Borrowed("FHIR")),
            Item::Node(node) => typing::told_type(*node, self.context).map(|name| Cow::Owned(name.to_owned())),
        }
    }

    fn typed(
        &self,
        function: Function,
        spec: typing::TypeSpec,
        input: Collection<'d>,
        at: &Range<usize>,
    ) -> Evaluated<'d> {
        self.spend(1 + input.len(), at)?;
        if function == Function::Is {
            return match input.items() {
                [] => Ok(Collection::new()),
                [item] => Ok(spec.matches(item, self.context).into()),
                _ => Err(not_single("`is`", at)),
            };
        }
        if function == Function::As && input.len() > 1 {
            return Err(not_single("`as`", at));
        }
        Ok(input.into_iter().filter(|item| spec.selects(item, self.context)).collect())
    }

    // ---- operators

    fn binary(
        &self,
        operator: Operator,
        left: &Code,
        right: &Code,
        focus: Focus<'_, 'd>,
        at: &Range<usize>,
    ) -> Evaluated<'d> {
        let first = self.eval(left, focus)?;
        if let (Operator::In, CodeKind::Texts(texts), Some(item)) = (operator, &right.kind, first.single()) {
            return Ok(compare::is_listed(self, item, texts, at)?.into());
        }
        let second = self.eval(right, focus)?;
        self.spend(1, at)?;
        match operator {
            Operator::Equal => Ok(compare::equal(self, &first, &second, at)?.into()),
            Operator::NotEqual => Ok(compare::equal(self, &first, &second, at)?.map(|equal| !equal).into()),
            Operator::Equivalent => Ok(compare::equivalent(self, &first, &second, at)?.into()),
            Operator::NotEquivalent => Ok((!compare::equivalent(self, &first, &second, at)?).into()),
            Operator::Order(order) => Ok(compare::ordered(self, order, &first, &second, at)?.into()),
            Operator::In => self.contains(&second, &first, at),
            Operator::Contains => self.contains(&first, &second, at),
            Operator::Xor => {
                let (first, second) = (self.truth(&first, &left.at)?, self.truth(&second, &right.at)?);
                Ok(first.zip(second).map(|(first, second)| first != second).into())
            }
            Operator::Compute(operator) => arithmetic::combine(self, operator, &first, &second, at),
        }
    }

    fn implies(&self, left: &Code, right: &Code, focus: Focus<'_, 'd>) -> Evaluated<'d> {
        let first = self.eval(left, focus)?;
        let first = self.truth(&first, &left.at)?;
        if first == Some(false) {
            return Ok(true.into());
        }
        let second = self.eval(right, focus)?;
        let second = self.truth(&second, &right.at)?;
        let result = match (first, second) {
            (_, Some(true)) => Some(true),
            (Some(_), other) => other,
            (None, _) => None,
        };
        Ok(result.into())
    }

    fn contains(&self, among: &Collection<'d>, sought: &Collection<'d>, at: &Range<usize>) -> Evaluated<'d> {
        match sought.items() {
            [] => Ok(Collection::new()),
            [item] => Ok(compare::is_among(self, item, among, at)?.into()),
            _ => Err(not_single("membership (`in`, `contains`)", at)),
        }
    }

    fn chain(&self, join: Join, operands: &[Code], focus: Focus<'_, 'd>, at: &Range<usize>) -> Evaluated<'d> {
        match join {
            Join::And | Join::Or => {
                let decisive = join == Join::Or;
                let mut result = Some(!decisive);
                for operand in operands {
                    let value = self.eval(operand, focus)?;
                    match self.truth(&value, &operand.at)? {
                        Some(truth) if truth == decisive => return Ok(decisive.into()),
                        Some(_) => {}
                        None => result = None,
                    }
                }
                Ok(result.into())
            }
            Join::Union => {
                let mut all = Collection::new();
                for operand in operands {
                    all.append(self.eval(operand, focus)?);
                }
                compare::distinct(self, all, at)
            }
            Join::Concatenate => {
                let mut joined = String::new();
                for operand in operands {
                    let value = self.eval(operand, focus)?;
                    joined.push_str(&self.text(&value, "`&`", &operand.at)?.unwrap_or_default());
                    self.check_length(joined.len(), at)?;
                }
                Ok(Collection::text(joined))
            }
        }
    }

    // ---- what a single item is

    /// The truth value of a collection: FHIRPath takes a single item that is no Boolean for true.
    pub(super) fn truth(&self, value: &Collection<'d>, at: &Range<usize>) -> Result<Option<bool>, Failure> {
        match value.items() {
            [] => Ok(None),
            [item] => Ok(Some(item.boolean().unwrap_or(true))),
            _ => Err(not_single("a condition", at)),
        }
    }

    /// The whole number that a collection is.
    pub(super) fn integer(&self, value: &Collection<'d>, at: &Range<usize>) -> Result<Option<i64>, Failure> {
        match value.items() {
            [] => Ok(None),
            [item] => match item.value() {
                Some(Value::Integer(integer)) => Ok(Some(integer)),
                Some(_) | None => Err(Failure::new("fhirpath.type", "here a whole number is needed", at.clone())),
            },
            _ => Err(not_single("a whole number", at)),
        }
    }

    /// The text that a collection is.
    pub(super) fn text(
        &self,
        value: &Collection<'d>,
        asked_by: &str,
        at: &Range<usize>,
    ) -> Result<Option<Cow<'d, str>>, Failure> {
        match value.items() {
            [] => Ok(None),
            [item] => match item.value() {
                Some(Value::String(text)) => Ok(Some(text)),
                // An element without a value, such as one with an extension only, has no text.
                None if item.node().is_some_and(|node| !node.has_children() || is_primitive_shell(node)) => Ok(None),
                Some(_) | None => {
                    Err(Failure::new("fhirpath.type", format!("{asked_by} works on text only"), at.clone()))
                }
            },
            _ => Err(not_single(asked_by, at)),
        }
    }

    /// Fails when a text grows beyond all use.
    pub(super) fn check_length(&self, bytes: usize, at: &Range<usize>) -> Result<(), Failure> {
        if bytes > TEXT_BYTES_MAX {
            let message = format!("a text grew beyond {TEXT_BYTES_MAX} bytes");
            return Err(Failure::new("fhirpath.text-bytes", message, at.clone()));
        }
        self.spend(1 + bytes / 64, at)
    }
}

/// A primitive without a value has at most an id and extensions.
pub(super) fn is_primitive_shell(node: Node<'_>) -> bool {
    node.children().all(|child| matches!(child.name(), "id" | "extension"))
}

/// `ele-1`: the element has a value, or a child beside `id`.
fn has_content(focus: Focus<'_, '_>) -> bool {
    match focus.this {
        Some(Item::Node(node)) => node.value().is_some() || node.children().any(|child| child.name() != "id"),
        Some(Item::Value(..)) => true,
        None => false,
    }
}

/// The failure of an operation that allows one item at most.
pub(super) fn not_single(asked_by: &str, at: &Range<usize>) -> Failure {
    Failure::new("fhirpath.not-single", format!("{asked_by} needs one item, and here are several"), at.clone())
}
