//! The table of elements, for compilers of mappings: what a path leads to, before any document is there.

use super::plan::{Element, Form, Kind, Plan, Step, UNBOUNDED};
use crate::document::Name;
use crate::issue::nearest;
use crate::terminology::values::ValueSets;

/// All elements of all types that are loaded.
#[derive(Debug, Clone, Copy)]
pub struct Elements<'p> {
    plan: &'p Plan,
    values: &'p ValueSets,
}

/// What a path leads to.
#[derive(Debug, Clone)]
pub struct ElementType<'p> {
    /// The element's name, without `[x]` for a choice.
    pub name: &'static str,
    /// Its types: FHIR's names, for example `CodeableConcept`; several for a choice whose type the path leaves open,
    /// `BackboneElement` for an element with elements of its own.
    pub types: Vec<&'p str>,
    /// True when the element is a choice of types, such as `value[x]`.
    pub is_choice: bool,
    /// True when the element itself may stand more than once.
    pub repeats: bool,
    /// True when the element, or any step on the way to it, may stand more than once.
    pub many: bool,
    /// True when it must be there wherever its parent is.
    pub is_required: bool,
    /// The codes it may have, where its definition binds it to a value set that is known whole.
    pub codes: Option<RequiredCodes<'p>>,
    kinds: Vec<&'p Kind>,
}

/// The codes of a required binding.
#[derive(Debug, Clone)]
pub struct RequiredCodes<'p> {
    /// The value set's canonical url.
    pub url: &'p str,
    /// System and code of each, in order of code.
    pub codes: Vec<(&'p str, &'p str)>,
}

impl<'p> Elements<'p> {
    pub(super) fn new(plan: &'p Plan, values: &'p ValueSets) -> Self {
        Elements { plan, values }
    }

    /// True when there is a resource or data type of this name.
    pub fn has_type(&self, name: &str) -> bool {
        self.plan.type_named(name).is_some()
    }

    /// What `path` leads to: a type's name and element names with points between them, for example
    /// `Appointment.participant.actor.reference`. A choice may be named bare (`Observation.value`), by its JSON name
    /// (`valueQuantity`) or as it is defined (`value[x]`).
    pub fn at(&self, path: &str) -> Option<ElementType<'p>> {
        let mut steps = path.split('.');
        let kind = self.plan.kind(self.plan.type_named(steps.next()?)?);
        let mut found = ElementType {
            name: "",
            types: vec![&kind.path],
            is_choice: false,
            repeats: false,
            many: false,
            is_required: true,
            codes: None,
            kinds: vec![kind],
        };
        for step in steps {
            found = self.below(&found, step)?;
        }
        Some(found)
    }

    /// The child `name` of a type or path.
    pub fn child(&self, type_or_path: &str, name: &str) -> Option<ElementType<'p>> {
        self.below(&self.at(type_or_path)?, name)
    }

    /// The names that children of `path` may have, in order; none when the path leads nowhere.
    pub fn children(&self, path: &str) -> Vec<&'static str> {
        let Some(found) = self.at(path) else { return Vec::new() };
        let steps = found.kinds.iter().flat_map(|kind| self.plan.steps(kind));
        let mut names: Vec<_> = steps.map(|step| step.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The child of `path` that is spelled most like `name`, for hints.
    pub fn nearest(&self, path: &str, name: &str) -> Option<&'static str> {
        nearest(name, self.children(path))
    }

    fn below(&self, holder: &ElementType<'p>, name: &str) -> Option<ElementType<'p>> {
        let bare = name.strip_suffix("[x]").unwrap_or(name);
        let wanted = Name::find(bare)?;
        let mut found: Option<ElementType<'p>> = None;
        for kind in &holder.kinds {
            for step in self.plan.steps(kind) {
                let Some(element) = self.plan.elements.get(step.element as usize) else { continue };
                let is_wanted = step.name == wanted || (element.is_choice && element.name == wanted);
                if is_wanted {
                    let target = self.plan.kind(step.kind);
                    let made = found.get_or_insert_with(|| self.element_type(holder, element, step));
                    made.types.push(self.plan.type_name(target));
                    made.kinds.push(target);
                }
            }
        }
        if let Some(found) = &mut found {
            found.types.sort_unstable();
            found.types.dedup();
        }
        found
    }

    fn element_type(&self, holder: &ElementType<'p>, element: &'p Element, step: &Step) -> ElementType<'p> {
        let repeats = element.max == UNBOUNDED || element.max > 1;
        let is_coded = match self.plan.kind(step.kind).form {
            Form::Primitive(_) | Form::Coding | Form::CodeableConcept => true,
            Form::Resource | Form::AnyResource | Form::Complex | Form::Reference | Form::Extension => false,
        };
        ElementType {
            name: element.name.as_str(),
            types: Vec::new(),
            is_choice: element.is_choice,
            repeats,
            many: holder.many || repeats,
            is_required: element.min > 0,
            codes: if is_coded { self.codes(element) } else { None },
            kinds: Vec::new(),
        }
    }

    fn codes(&self, element: &'p Element) -> Option<RequiredCodes<'p>> {
        let binding = self.plan.bindings.get(element.binding? as usize).filter(|binding| binding.is_required)?;
        let set = self.values.get(binding.bound.as_ref()?.value_set?)?;
        set.is_listed().then(|| RequiredCodes { url: set.url(), codes: set.codes().collect() })
    }
}

#[cfg(test)]
mod tests {
    use crate::fhirpath::{Scope, compile_for};
    use crate::profile::tests::r4;

    #[test]
    fn paths_lead_to_types_through_backbones_and_data_types() {
        let elements = r4().elements();
        let check = |path: &str, types: &[&str], repeats: bool, many: bool| {
            let found = elements.at(path).unwrap_or_else(|| panic!("{path} leads nowhere"));
            assert_eq!(found.types, types, "{path}");
            assert_eq!((found.repeats, found.many), (repeats, many), "{path}");
        };
        check("Appointment", &["Appointment"], false, false);
        check("Appointment.start", &["instant"], false, false);
        check("Appointment.id", &["id"], false, false);
        check("Appointment.participant", &["BackboneElement"], true, true);
        check("Appointment.participant.actor", &["Reference"], false, true);
        check("Appointment.participant.actor.reference", &["string"], false, true);
        check("Task.input.value[x]", &elements.at("Task.input.value").unwrap().types, false, true);
        check("Task.input.valueString", &["string"], false, true);
        check("Extension.url", &["uri"], false, false);
        check("Bundle.entry.link.url", &["uri"], false, true);
        check("Bundle.entry.resource", &["Resource"], false, true);
        check("ServiceRequest.occurrencePeriod.start", &["dateTime"], false, false);
        check("HumanName.given", &["string"], true, true);
        assert!(elements.at("Task.input.value").unwrap().types.len() > 40);
        for nowhere in ["Nothing", "Appointment.participants", "Appointment.start.hour", "", "Appointment."] {
            assert!(elements.at(nowhere).is_none(), "{nowhere:?}");
        }
        assert_eq!(elements.child("HumanName", "family").unwrap().types, ["string"]);
    }

    #[test]
    fn required_codes_are_told_where_they_are_known_whole() {
        let elements = r4().elements();
        let status = elements.at("Appointment.status").unwrap();
        assert!(status.is_required);
        let codes = status.codes.unwrap();
        assert_eq!(codes.codes.len(), 10);
        assert!(codes.codes.contains(&("http://hl7.org/fhir/appointmentstatus", "booked")));
        assert!(elements.at("Attachment.contentType").unwrap().codes.is_none(), "media types are not listed");
        assert!(elements.at("Appointment.specialty").unwrap().codes.is_none(), "a preferred binding does not bind");
    }

    #[test]
    fn children_are_listed_for_hints() {
        let elements = r4().elements();
        assert_eq!(elements.nearest("Appointment", "participants"), Some("participant"));
        assert_eq!(elements.nearest("Appointment.participant", "actr"), Some("actor"));
        assert!(elements.children("Appointment").contains(&"basedOn"));
        assert!(elements.children("Nothing").is_empty());
    }

    #[test]
    fn expressions_are_read_strictly_against_the_definitions_that_are_loaded() {
        for (text, input, code) in [
            ("participant.actor.reference", "Appointment", None),
            ("participant.actr", "Appointment", Some("fhirpath.element-unknown")),
            ("status", "Appointment.participant", None),
            ("value.ofType(Quantity).unit", "Observation", None),
            ("value.ofType(Quantity).units", "Observation", Some("fhirpath.element-unknown")),
            ("item.item.item.linkId", "Questionnaire", None),
            ("contained.ofType(Patient).name", "Task", None),
            ("Patient.name", "Appointment", Some("fhirpath.input-type")),
            ("meta.extension.url", "Slot", None),
        ] {
            let told = compile_for(text, &Scope::new(), r4(), input).map(|_| ());
            assert_eq!(told.err().map(|faults| faults[0].code), code, "{text}");
        }
    }
}
