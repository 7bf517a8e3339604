//! The stable names of everything Stile checks.
//!
//! A name, once published, keeps its meaning: portals switch on it. Each has its usual severity and FHIR issue
//! code beside it, so that the same fault is told the same way wherever it is met.

use super::{IssueCode, Severity};
use std::fmt;

macro_rules! rules {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal, $severity:ident, $code:ident;)+) => {
        /// A rule that a submission can break.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Rule { $($(#[doc = $doc])+ $variant,)+ }

        impl Rule {
            /// Every rule, in the order of this file.
            pub const ALL: &'static [Rule] = &[$(Rule::$variant),+];

            /// The stable name.
            pub fn as_str(self) -> &'static str {
                match self { $(Rule::$variant => $name,)+ }
            }

            /// The severity it usually has.
            pub fn severity(self) -> Severity {
                match self { $(Rule::$variant => Severity::$severity,)+ }
            }

            /// The FHIR issue code it has.
            pub fn code(self) -> IssueCode {
                match self { $(Rule::$variant => IssueCode::$code,)+ }
            }

            /// The rule of this name.
            pub fn from_name(name: &str) -> Option<Rule> {
                Rule::ALL.iter().copied().find(|rule| rule.as_str() == name)
            }

            /// One line that says what the rule asks.
            pub fn about(self) -> &'static str {
                match self { $(Rule::$variant => concat!($($doc),+).trim_ascii(),)+ }
            }
        }
    };
}

rules! {
    // ---- reading the text
    /// The body is text in UTF-8.
    TextEncoding = "text.encoding", Fatal, Structure;
    /// The body is well-formed JSON (RFC 8259).
    JsonSyntax = "json.syntax", Fatal, Structure;
    /// A resource is a JSON object.
    JsonNotObject = "json.not-object", Fatal, Structure;
    /// A member name stands once in its object.
    JsonDuplicate = "json.duplicate-key", Error, Structure;
    /// A string holds whole Unicode characters, no lone surrogate.
    JsonSurrogate = "json.lone-surrogate", Error, Structure;
    /// FHIR has no null but as padding in arrays of primitives.
    JsonNull = "json.null", Error, Structure;
    /// An array has at least one item, an object at least one member.
    JsonEmpty = "json.empty", Error, Structure;
    /// A number lies in the range of an IEEE 754 double, as its readers expect.
    JsonNumber = "json.number-range", Error, Value;
    /// The body is well-formed XML in FHIR's namespace.
    XmlSyntax = "xml.syntax", Fatal, Structure;
    /// The elements of an XML resource stand in the order of its definition.
    XmlOrder = "xml.order", Error, Structure;
    /// The body is not larger than the limit.
    LimitBytes = "limit.bytes", Fatal, TooLong;
    /// The body is not nested deeper than the limit.
    LimitDepth = "limit.depth", Fatal, TooCostly;
    /// The body has not more nodes than the limit.
    LimitNodes = "limit.nodes", Fatal, TooCostly;
    /// The invariants of a resource are decided within the steps that a resource of its size may cost.
    LimitSteps = "limit.steps", Error, TooCostly;

    // ---- structure, against the definitions
    /// A resource names its type.
    ResourceTypeMissing = "resource.type-missing", Fatal, Structure;
    /// A resource's type is one that FHIR R4 defines.
    ResourceTypeUnknown = "resource.type-unknown", Fatal, Structure;
    /// A resource's type is the one that the address or element expects.
    ResourceTypeMismatch = "resource.type-mismatch", Error, Invalid;
    /// A resource is FHIR R4, not STU3 or another release.
    ResourceRelease = "resource.release", Error, NotSupported;
    /// An id in the body is the one in the address.
    ResourceIdMismatch = "resource.id-mismatch", Error, Invalid;
    /// A resource to be updated says its id.
    ResourceIdMissing = "resource.id-missing", Error, Required;
    /// An element is one that its type defines.
    ElementUnknown = "element.unknown", Error, Structure;
    /// An element that must be there is there.
    ElementRequired = "element.required", Error, Required;
    /// An element repeats no more often than it may.
    ElementTooMany = "element.too-many", Error, Structure;
    /// An element that repeats is an array, one that does not is not.
    ElementArray = "element.array", Error, Structure;
    /// An element has the JSON type that its FHIR type has.
    ElementType = "element.type", Error, Structure;
    /// A choice element appears with one type only.
    ElementChoice = "element.choice", Error, Structure;
    /// An element has a value or children.
    ElementEmpty = "element.empty", Error, Structure;
    /// A primitive has the form and range of its type.
    PrimitiveFormat = "primitive.format", Error, Value;
    /// A primitive has a value that can be meant: no white space around a string, no year beyond all lives.
    PrimitiveUnusual = "primitive.unusual", Warning, Value;
    /// A code is in the value set that its required binding names.
    CodeRequired = "code.required-binding", Error, CodeInvalid;
    /// A code is in the value set that its extensible binding names, if the set has one that fits.
    CodeExtensible = "code.extensible-binding", Warning, CodeInvalid;
    /// A code is one that its code system has.
    CodeUnknown = "code.unknown", Error, CodeInvalid;
    /// The system of a code is the absolute address of a code system, and not of a value set.
    CodeSystem = "code.system", Error, CodeInvalid;
    /// A code is shown by a name that its code system gives it, in any case of letters.
    CodeDisplay = "code.display", Warning, Value;
    /// A code is one that its code system still uses.
    CodeInactive = "code.inactive", Warning, BusinessRule;
    /// The ids of elements differ within a resource.
    ElementIdDuplicate = "element.duplicate-id", Error, Structure;
    /// A contained resource has an id of its own, by which it is pointed at.
    ContainedId = "contained.id", Error, Structure;
    /// What a narrative points at inside its resource is there.
    NarrativeLink = "narrative.link", Error, NotFound;
    /// A reference has one of the forms that FHIR gives it: Type/id, an absolute address, or # and an id.
    ReferenceForm = "reference.form", Warning, Value;
    /// A reference that can only be meant for the Bundle that it stands in leads to one of its entries.
    ReferenceUnresolved = "reference.unresolved", Warning, NotFound;
    /// A reference leads to one entry of its Bundle.
    ReferenceAmbiguous = "reference.ambiguous", Error, MultipleMatches;
    /// What a reference points at fits one of the profiles that the element asks for.
    ReferenceProfile = "reference.profile", Error, Structure;
    /// A reference reaches its target as the profile asks: contained, in the same Bundle or elsewhere, with or without a version.
    ReferenceMode = "reference.mode", Error, Structure;
    /// A reference points at a resource of a type that the element allows.
    ReferenceTarget = "reference.target", Error, Structure;
    /// An element has the value that a profile gives it.
    ProfileValue = "profile.value", Error, Value;
    /// A slice has as many members as its profile asks for.
    SliceRequired = "slice.required", Error, Required;
    /// A slice has no more members than it may.
    SliceTooMany = "slice.too-many", Error, Structure;
    /// A repeat of an element whose slicing is closed is a member of a slice.
    SliceClosed = "slice.closed", Error, Structure;
    /// A repeat of an element is a member of one slice only.
    SliceSeveral = "slice.several", Error, Structure;
    /// The members of slices stand in the order of the profile, and what matches none where it may.
    SliceOrder = "slice.order", Error, Structure;
    /// A value that may have several profiles fits one of them.
    ProfileNoneFits = "profile.none-fits", Error, Structure;
    /// A profile that a resource claims is loaded, so that it can be held against it.
    ProfileNotLoaded = "profile.not-loaded", Warning, NotFound;
    /// An invariant of the definition holds.
    Invariant = "invariant.failed", Error, Invariant;
    /// The system of an identifier is an absolute address, and so is a value that is an address by itself.
    IdentifierSystem = "identifier.system", Error, CodeInvalid;
    /// The size that an attachment tells is that of its data.
    AttachmentSize = "attachment.size", Error, Structure;
    /// An attachment has its data, or says where or what it is.
    AttachmentEmpty = "attachment.empty", Warning, Structure;
    /// A security label stands once in a resource's `meta`.
    MetaDuplicate = "meta.duplicate-label", Error, Duplicate;
    /// The `fullUrl` of an entry is absolute and agrees with the type and id of its resource.
    BundleFullUrl = "bundle.full-url", Error, Invalid;
    /// A document begins with its Composition, a message with its MessageHeader.
    BundleFirst = "bundle.first-entry", Error, Invalid;
    /// What a Composition or MessageHeader points at is in the same Bundle.
    BundleContent = "bundle.content", Error, NotFound;
    /// Each entry of a document or message can be reached from its first.
    BundleUnreachable = "bundle.unreachable", Error, Invalid;
    /// The links of a Bundle are those that its type has, each once.
    BundleLink = "bundle.link", Error, Invalid;
    /// The entries of a search result say why they are in it, and have an id.
    BundleSearch = "bundle.search", Error, Invalid;
    /// The request of an entry is one that a server can carry out.
    BundleRequest = "bundle.request", Warning, Invalid;
    /// A modifier extension, which can turn the meaning of what it stands in round, is one that a loaded definition knows.
    ExtensionModifierUnknown = "extension.modifier-unknown", Error, Extension;
    /// An extension is one that a loaded definition knows, or part of one.
    ExtensionUnknown = "extension.unknown", Warning, Extension;
    /// An extension stands in an element that its definition names.
    ExtensionContext = "extension.context", Error, Extension;
    /// A resource follows no rules but FHIR's and its profiles': `implicitRules` is not used.
    ImplicitRules = "resource.implicit-rules", Error, NotSupported;
    /// What could not be decided here is listed, never passed silently.
    NotEvaluated = "check.not-evaluated", Information, Informational;

    // ---- tolerances
    /// A deviation that the sender's settings tolerate was turned into R4 before checking.
    Tolerated = "tolerance.applied", Information, Informational;

    /// A well-known identifier system is spelled as NHS England publishes it, also in the case of its letters.
    IdentifierSystemCase = "identifier.system-case", Information, Informational;

    // ---- mapping
    /// A mapping exists for what was sent.
    MappingNone = "mapping.none", Error, NotSupported;
    /// A value that the target needs is there.
    MappingRequired = "mapping.required", Error, Required;
    /// A code is in the code table that the mapping names.
    MappingUnknownCode = "mapping.unknown-code", Error, CodeInvalid;
    /// A value can be converted to the form that the target needs.
    MappingConversion = "mapping.conversion", Error, Value;
    /// A target that holds one value gets one.
    MappingManyValues = "mapping.many-values", Error, Structure;
    /// A rule of a mapping finds no more values than its limit, of which none is left out.
    MappingTooMany = "mapping.too-many-items", Error, TooCostly;
    /// What a mapping makes fits the canonical schema.
    MappingSchema = "mapping.schema", Error, Invalid;

    // ---- the canonical model
    /// An NHS number has ten digits and the right check digit (Modulus 11).
    NhsNumber = "nhs-number.check-digit", Error, Value;
    /// An ODS code is three to ten upper-case letters and digits.
    OdsCode = "ods-code.form", Error, Value;

    // ---- England's national standards, beside FHIR and profiles
    /// An NHS number is written as ten digits and nothing between them.
    NhsNumberForm = "nhs-number.form", Warning, Value;
    /// An NHS number is a patient's, not one of the range 999 000 0000 to 999 999 9999 that is kept for tests.
    NhsNumberTestRange = "nhs-number.test-range", Warning, BusinessRule;
    /// The verification status of an NHS number is a code of today's lists.
    NhsNumberVerification = "nhs-number.verification-status", Warning, CodeInvalid;
    /// A local time without an offset does not fall into the hour that comes twice when the clocks go back.
    ClockRepeatedHour = "clock.repeated-hour", Error, Value;
    /// A local time without an offset does not fall into the hour that is left out when the clocks go forward.
    ClockMissingHour = "clock.missing-hour", Error, Value;
    /// A time with summer time's offset stands in summer time.
    ClockOffset = "clock.offset", Warning, Value;
    /// An appointment's start is a date that the patient can come on, not a placeholder about two years ahead.
    AppointmentPlaceholder = "appointment.placeholder", Warning, BusinessRule;

    // ---- Patient Care Aggregator, producer standard
    /// An element that the aggregator's producer standard asks for is there.
    PcaRequired = "pca.required", Error, Required;
    /// An id is a GUID, which stays the same.
    PcaId = "pca.id", Warning, Value;
    /// Status, document status and intent are among those that the aggregator knows.
    PcaStatus = "pca.status", Error, CodeInvalid;
    /// An extension of the aggregator has the type of value and the codes that it defines.
    PcaExtension = "pca.extension", Error, Extension;
    /// A consultation medium is one that the aggregator shows and does not strip.
    PcaConsultationMedium = "pca.consultation-medium", Warning, CodeInvalid;
    /// A deep link is an absolute https address.
    PcaDeepLink = "pca.deep-link", Error, Value;
    /// An appointment has one specialty: a treatment function code with its display.
    PcaSpecialty = "pca.specialty", Error, Structure;
    /// An appointment type is an inpatient, ambulatory or home health encounter, or absent for outpatients.
    PcaAppointmentType = "pca.appointment-type", Error, CodeInvalid;
    /// An inpatient appointment has an end.
    PcaInpatientEnd = "pca.inpatient-end", Error, Required;
    /// A time is in UTC.
    PcaUtc = "pca.utc", Warning, Value;
    /// The participants of an appointment are named as the aggregator reads them.
    PcaParticipant = "pca.participant", Error, Structure;
    /// A patient is named by NHS number.
    PcaPatient = "pca.patient", Error, Required;
    /// The organisation that is responsible is named by its ODS code and its name.
    PcaOrganisation = "pca.organisation", Error, Required;
    /// A pathway or referral is named by an identifier with its system and value, in the form of its system.
    PcaPathway = "pca.pathway", Error, Value;
    /// A document is a PDF behind a deep link.
    PcaAttachment = "pca.attachment", Error, Value;
    /// What a document or task is about is an Appointment and its address.
    PcaRelated = "pca.related", Error, Structure;
    /// A questionnaire says its type, and a PIFU questionnaire its pathway and treatment function.
    PcaQuestionnaire = "pca.questionnaire", Error, BusinessRule;
    /// The name of a document or task, which patients and others see in lists, holds no NHS number.
    PcaPersonalData = "pca.personal-data", Error, BusinessRule;

    // ---- Booking and Referral Standard
    /// A message says the version of the standard that it follows.
    BarsVersion = "bars.version", Error, Required;
    /// A message says when it was made.
    BarsTimestamp = "bars.timestamp", Error, Required;
    /// Each resource of a message says when it last changed.
    BarsLastUpdated = "bars.last-updated", Error, Required;
    /// Each entry of a message has a resource and its address.
    BarsEntry = "bars.entry", Error, Structure;
    /// A message begins with its only header, which has every part that routing needs.
    BarsHeader = "bars.header", Error, Required;
    /// A message's event is one of the standard's.
    BarsEvent = "bars.event", Error, CodeInvalid;
    /// A message's reason is new, update or delete.
    BarsReason = "bars.reason", Error, CodeInvalid;
    /// An endpoint is a service of the directory of services.
    BarsEndpoint = "bars.endpoint", Error, Value;
    /// A message's definition is one of the standard's and belongs to its event.
    BarsDefinition = "bars.definition", Error, CodeInvalid;
    /// A message's focus is the resource in it that its event is about.
    BarsFocus = "bars.focus", Error, Structure;
    /// Sender and receiver of a message are organisations in it.
    BarsParty = "bars.party", Error, Structure;
    /// A message holds as many resources of each type as its definition says.
    BarsContents = "bars.contents", Error, Structure;
    /// A response says which message it answers and how it went.
    BarsResponse = "bars.response", Error, Required;
    /// What is cancelled is sent as an update.
    BarsCancellation = "bars.cancellation", Warning, BusinessRule;
    /// A referral has the intent, category and period that the standard fixes.
    BarsServiceRequest = "bars.service-request", Error, Structure;
    /// A use case is one that the standard lists.
    BarsUseCase = "bars.use-case", Warning, CodeInvalid;
    /// An appointment has the times of the slot that is booked.
    BarsSlotTimes = "bars.slot-times", Warning, BusinessRule;

    // ---- change requests and PIFU: the guards
    /// A change request is about an appointment that Stile knows.
    ChangeUnknownAppointment = "change.unknown-appointment", Error, NotFound;
    /// A cancelled, fulfilled or missed appointment cannot be changed.
    ChangeAppointmentOver = "change.appointment-over", Error, BusinessRule;
    /// An appointment that has begun cannot be changed.
    ChangeAppointmentBegun = "change.appointment-begun", Error, BusinessRule;
    /// A patient under 16 cannot be served here.
    ChangeUnderSixteen = "change.under-sixteen", Error, BusinessRule;
    /// A placeholder date about two years ahead is not a date that can be changed.
    ChangePlaceholder = "change.placeholder", Error, BusinessRule;
    /// Another open request for the appointment must end first.
    ChangeAlreadyOpen = "change.already-open", Error, BusinessRule;
    /// An e-RS booked appointment cannot be changed by an unattended system.
    ChangeErsBooked = "change.ers-booked", Error, BusinessRule;
    /// The patient of a change request is the patient of the appointment.
    ChangeOtherPatient = "change.other-patient", Error, BusinessRule;
    /// A change request answers to one that exists and is open.
    ChangeUnknownRequest = "change.unknown-request", Error, NotFound;
    /// A downstream is set for the organisation that must act.
    ChangeNoDownstream = "change.no-downstream", Error, BusinessRule;
    /// Reference and identifier of a change request mean the same appointment.
    ChangeFocus = "change.focus", Error, BusinessRule;
    /// An appointment's request status asks for nothing; a Task does.
    ChangeStatusOnly = "change.status-only", Warning, Informational;
    /// An answer fits the request that it answers.
    ChangeAnswerUnfit = "change.answer-unfit", Error, BusinessRule;
    /// A request that has ended is not moved by an answer.
    ChangeEnded = "change.ended", Information, Informational;
    /// A PIFU booking needs an enrolment on the same pathway.
    PifuNoEnrolment = "pifu.no-enrolment", Error, BusinessRule;
    /// A PIFU booking needs an enrolment that is active.
    PifuNotActive = "pifu.not-active", Error, BusinessRule;
    /// A PIFU booking falls inside the enrolment's period.
    PifuOutsidePeriod = "pifu.outside-period", Error, BusinessRule;
    /// A PIFU booking needs an enrolment without another open booking.
    PifuAlreadyOpen = "pifu.already-open", Error, BusinessRule;

    // ---- requests as such
    /// A query parameter is one that this search knows.
    QueryUnknown = "query.unknown-parameter", Error, NotSupported;
    /// A query parameter has a value of the right form.
    QueryValue = "query.value", Error, Value;
    /// A header has a value of the right form.
    HeaderValue = "header.value", Error, Value;
    /// An id in the address has the form of a FHIR id.
    AddressId = "address.id", Error, Value;
    /// A business identifier or `If-None-Exist` finds at most one resource.
    IdentifierAmbiguous = "identifier.multiple-matches", Error, MultipleMatches;
    /// A request that was accepted is not altered; another one is sent.
    RequestUnalterable = "request.unalterable", Error, BusinessRule;
    /// What was accepted can be followed at the Task that the message names.
    RequestFollow = "request.follow", Information, Informational;
    /// The request as a whole went well.
    AllWell = "request.all-well", Information, Informational;
    /// The request was refused as a whole; see the status.
    Request = "request.refused", Error, Processing;
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for Rule {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for Rule {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
        Rule::from_name(&name).ok_or_else(|| serde::de::Error::custom("no such rule"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_and_dotted() {
        let mut seen = HashSet::new();
        for rule in Rule::ALL {
            assert!(seen.insert(rule.as_str()), "{rule} stands twice");
            assert!(rule.as_str().contains('.'), "{rule} has no group");
            assert!(rule.about().ends_with('.'), "{rule} has no sentence");
        }
    }
}
