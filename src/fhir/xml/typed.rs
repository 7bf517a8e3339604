//! What R4 knows about the element at hand, from fhirbolt's tables.

use fhirbolt_shared::{FhirReleases, path::ElementPath};

/// The JSON form of a primitive's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A JSON string, and what is no primitive.
    String,
    /// A JSON number.
    Number,
    /// `true` or `false`.
    Boolean,
}

/// A path into R4's definitions that follows a walk over a tree.
pub(super) struct Typed(ElementPath);

impl Typed {
    pub(super) fn new() -> Self {
        Typed(ElementPath::new(FhirReleases::R4))
    }

    /// Goes down into an element, or into a resource by its type.
    pub(super) fn enter(&mut self, name: &str) {
        // A dot separates steps inside the path. No FHIR name has one, but XML and JSON names may.
        self.0.push(if name.contains('.') { "-" } else { name });
    }

    /// Goes back up.
    pub(super) fn leave(&mut self) {
        self.0.pop();
    }

    /// The element holds a resource: its child names the type.
    pub(super) fn holds_resource(&self) -> bool {
        self.0.current_element_is_resource()
    }

    /// The element repeats, so JSON has it in an array.
    pub(super) fn repeats(&self) -> bool {
        self.0.current_element_is_sequence()
    }

    /// The element is a primitive.
    pub(super) fn is_primitive(&self) -> bool {
        self.0.current_element_is_primitive()
    }

    /// The element is an extension, whose `url` is an attribute in XML.
    pub(super) fn is_extension(&self) -> bool {
        self.0.current_element_is_extension()
    }

    /// The form of the element's value.
    pub(super) fn form(&self) -> Form {
        let path = &self.0;
        if path.current_element_is_boolean() {
            Form::Boolean
        } else if path.current_element_is_integer()
            || path.current_element_is_unsigned_integer()
            || path.current_element_is_positive_integer()
            || path.current_element_is_decimal()
        {
            Form::Number
        } else {
            Form::String
        }
    }

    /// Where a child stands among the children that the definition lists; the largest number for one it does not list.
    pub(super) fn position_of(&self, child: &str) -> usize {
        self.0.position_of_child(child)
    }

    /// True when the definition lists a child of this name.
    pub(super) fn knows(&self, child: &str) -> bool {
        self.position_of(child) != usize::MAX
    }
}

/// True for the name of a type that R4 defines.
pub(in crate::fhir) fn is_type(name: &str) -> bool {
    let mut typed = Typed::new();
    typed.enter(name);
    typed.knows("id")
}
