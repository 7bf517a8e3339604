//! Where extensions may stand, compiled once at start.

use super::NotEvaluated;
use super::compile::{Compiler, Source};
use super::definition;
use super::invariant;
use super::plan::ExtensionContext;
use crate::document::Name;
use crate::fhirpath::{self, Scope};
use std::sync::Arc;

impl<'s> Compiler<'s, '_> {
    /// The contexts of an extension's definition, and the invariants on the element that it stands in.
    pub(super) fn add_contexts(&mut self, source: &'s Source<'s>) {
        let structure = source.structure;
        let first = self.plan.contexts.len() as u32;
        let mut undecided = None;
        for context in &structure.context {
            match compile(context) {
                Ok(context) => self.plan.contexts.push(context),
                Err(why) => undecided = Some(why),
            }
        }
        if let Some(why) = undecided {
            // One that cannot be decided may be the one that allows it.
            self.plan.contexts.truncate(first as usize);
            self.set_aside.push(NotEvaluated { what: format!("the context of {}", structure.url), why });
        }
        let first_invariant = self.plan.constraints.len() as u32;
        for expression in &structure.context_invariant {
            let constraint = definition::Constraint {
                key: "contextInvariant".into(),
                severity: "error".into(),
                human: "what the extension asks of the element that it stands in".into(),
                expression: Some(expression.clone()),
                source: None,
                extension: Vec::new(),
            };
            match invariant::compile(&constraint) {
                Ok(compiled) => self.plan.constraints.push(Arc::new(compiled)),
                Err(why) => {
                    let what = format!("the context invariant of {}", structure.url);
                    self.set_aside.push(NotEvaluated { what, why });
                }
            }
        }
        let (contexts, invariants) = (self.plan.contexts.len() as u32, self.plan.constraints.len() as u32);
        if let Some(origin) = self.plan.origins.get_mut(source.number as usize) {
            origin.contexts = first..contexts;
            origin.context_invariants = first_invariant..invariants;
        }
    }
}

fn compile(context: &definition::Context) -> Result<ExtensionContext, String> {
    match context.r#type.as_str() {
        "element" => {
            // A definition may name the element by url and id; what the url names stands in the id as well.
            let told = context.expression.rsplit('#').next().unwrap_or(&context.expression);
            let mut names = told.split('.');
            let type_name = names.next().unwrap_or(told);
            let path = names.map(|name| Name::intern(name.strip_suffix("[x]").unwrap_or(name))).collect();
            Ok(ExtensionContext::Element { type_name: type_name.into(), path, told: told.into() })
        }
        "extension" => Ok(ExtensionContext::Extension(context.expression.as_str().into())),
        "fhirpath" => match fhirpath::compile(&context.expression, &Scope::new()) {
            Ok(expression) => Ok(ExtensionContext::Expression(expression)),
            Err(diagnostics) => {
                let told: Vec<_> = diagnostics.iter().map(ToString::to_string).collect();
                Err(told.join("; "))
            }
        },
        other => Err(format!("a context of the type `{other}` is not known")),
    }
}
