//! What the definitions are asked: `conformsTo`, `slice`, `elementDefinition`; and `checkModifiers`.

use super::super::run::Evaluated;
use super::super::value::{Collection, Item};
use super::Call;
use super::codes::not_known;

/// `conformsTo(structure)`: fails when the definition is not loaded.
pub(super) fn conforms_to<'d>(call: &Call<'_, '_, 'd>) -> Evaluated<'d> {
    let Some(profile) = call.text_argument(0, "`conformsTo()`")? else { return Ok(Collection::new()) };
    let Some(item) = call.input.single() else { return Ok(Collection::new()) };
    let node = item.node().ok_or_else(|| call.type_fault("`conformsTo()` is asked of resources and elements"))?;
    let context = call.run.context;
    match context.model.and_then(|model| model.conforms_to(node, &profile, context)) {
        Some(conforms) => Ok(conforms.into()),
        None => Err(not_known(call, "there is no definition here with the url that `conformsTo()` names")),
    }
}

/// `slice(structure, name)`: those of the input that belong to the slice.
pub(super) fn slice<'d>(call: &Call<'_, '_, 'd>) -> Evaluated<'d> {
    let (structure, name) = (call.text_argument(0, "`slice()`")?, call.text_argument(1, "`slice()`")?);
    let (Some(structure), Some(name)) = (structure, name) else { return Ok(Collection::new()) };
    let model = call.run.context.model;
    let mut found = Collection::new();
    for node in call.input.iter().filter_map(Item::node) {
        call.run.spend(1, call.at)?;
        match model.and_then(|model| model.is_in_slice(node, &structure, &name)) {
            Some(true) => found.push(Item::Node(node)),
            Some(false) => {}
            None => return Err(not_known(call, "there is no definition here with the slice that `slice()` names")),
        }
    }
    Ok(found)
}

/// `elementDefinition()`: what each element is defined as, where the definitions are kept in that form.
pub(super) fn element_definition<'d>(call: &Call<'_, '_, 'd>) -> Evaluated<'d> {
    let model = call.run.context.model;
    let mut found = Collection::new();
    for node in call.input.iter().filter_map(Item::node) {
        call.run.spend(1, call.at)?;
        match model.and_then(|model| model.element_definition(node)) {
            Some(definition) => found.push(Item::Node(definition)),
            None => return Err(not_known(call, "the ElementDefinition of this element is not kept here")),
        }
    }
    Ok(found)
}

/// `checkModifiers(url, …)`: the input, when it has no modifier extension but those named.
pub(super) fn check_modifiers<'d>(call: Call<'_, '_, 'd>) -> Evaluated<'d> {
    let mut allowed = Vec::new();
    for place in 0..call.arguments.len() {
        for item in &call.argument(place)? {
            allowed.extend(item.text());
        }
    }
    for node in call.input.iter().filter_map(Item::node) {
        for child in node.children().filter(|child| child.name() == "modifierExtension") {
            call.run.spend(1 + allowed.len(), call.at)?;
            let url = child.child_named("url").and_then(|url| url.string());
            if !url.is_some_and(|url| allowed.iter().any(|known| known == url)) {
                let message = "an element has a modifier extension that the expression does not allow for";
                return Err(super::Failure::new("fhirpath.modifier", message, call.at.clone()));
            }
        }
    }
    Ok(call.input)
}
