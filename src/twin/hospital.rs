//! The twin's memory: its diary of appointments, the tasks it was sent, and how it finds them again.

use super::diary::Stretch;
use super::journal::{Became, Entry, Journal};
use super::{call_back, instant};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};

/// System of ODS codes of organisations.
pub(super) const ODS_SYSTEM: &str = "https://fhir.nhs.uk/Id/ods-organization-code";
/// System of NHS numbers.
pub(super) const NHS_NUMBER_SYSTEM: &str = "https://fhir.nhs.uk/Id/nhs-number";
/// System of the identifier of a PIFU booking.
pub(super) const PIFU_BOOKING_SYSTEM: &str = "urn:stile:pifu-booking";

/// An appointment in the diary.
#[derive(Debug, Clone)]
pub(super) struct Held {
    /// The twin's FHIR id of it.
    pub id: String,
    /// Its number: the value of the identifier in the twin's system.
    pub number: String,
    /// What the gateway calls it, once the gateway has said so.
    pub gateway_id: Option<String>,
    /// The resource as it stands.
    pub resource: Value,
}

/// A request, as the HTTP side read it.
#[derive(Debug, Clone, Default)]
pub(super) struct Incoming {
    /// The body.
    pub resource: Value,
    /// `X-Request-Id`.
    pub message: Option<String>,
    /// The identifier in `If-None-Exist`: system and value.
    pub if_none_exist: Option<(String, String)>,
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Said {
    /// It is new here; `changed` is the id of the appointment that the gateway is to hear about.
    Created { resource: Value, changed: Option<String> },
    /// It was here already.
    Found { resource: Value },
    /// It was refused.
    Refused(Refusal),
}

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// `issue-type` code.
    pub code: &'static str,
    /// One sentence, without a patient's data.
    pub text: String,
    /// The element it is about.
    pub expression: &'static str,
}

impl Refusal {
    /// A refusal with status 422.
    pub fn new(code: &'static str, expression: &'static str, text: impl Into<String>) -> Self {
        Refusal { status: 422, code, text: text.into(), expression }
    }
}

/// Where a resource is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Appointment(usize),
    Task(usize),
}

/// Hands an appointment to the line that calls the gateway about it.
pub(super) use call_back::Desk;

/// The twin's memory.
pub(super) struct Hospital {
    /// ODS code.
    pub organisation: String,
    /// System of appointment numbers.
    pub system: String,
    appointments: Vec<Held>,
    tasks: Vec<Value>,
    by_id: HashMap<String, Slot>,
    by_identifier: HashMap<(String, String), Vec<Slot>>,
    by_message: HashMap<String, Slot>,
    next_number: u64,
    journal: Journal,
}

impl Hospital {
    /// An empty diary.
    pub fn new(organisation: &str, system: &str, first_number: u64) -> Self {
        Hospital {
            organisation: organisation.to_owned(),
            system: system.to_owned(),
            appointments: Vec::new(),
            tasks: Vec::new(),
            by_id: HashMap::new(),
            by_identifier: HashMap::new(),
            by_message: HashMap::new(),
            next_number: first_number,
            journal: Journal::default(),
        }
    }

    /// What was received and done.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Writes down what became of a call back.
    pub fn called_back(&mut self, appointment: &str, reason: Option<String>, now: Timestamp) {
        let number = self.appointment(appointment).map(|held| held.number.clone());
        let became = if reason.is_none() { Became::Taken } else { Became::GivenUp };
        let entry = line("call-back", became, now);
        self.journal.write(Entry { appointment: number, reason, ..entry });
    }

    /// An appointment by the twin's id.
    pub fn appointment(&self, id: &str) -> Option<&Held> {
        match self.by_id.get(id)? {
            Slot::Appointment(at) => self.appointments.get(*at),
            Slot::Task(_) => None,
        }
    }

    /// A resource by type and id.
    pub fn read(&self, resource_type: &str, id: &str) -> Option<&Value> {
        self.resource_at(*self.by_id.get(id)?).filter(|resource| type_of(resource) == resource_type)
    }

    /// The resources of a type with an identifier.
    pub fn search(&self, resource_type: &str, system: &str, value: &str) -> Vec<&Value> {
        self.slots(resource_type, system, value).into_iter().filter_map(|slot| self.resource_at(slot)).collect()
    }

    /// Takes an Appointment: one to be booked for a PIFU booking, or one to be kept as it comes.
    pub fn take_appointment(&mut self, incoming: Incoming, now: Timestamp) -> Said {
        let booking = identifier_of(&incoming.resource, PIFU_BOOKING_SYSTEM);
        let is_booking = booking.is_some() && text(&incoming.resource, "status") == Some("proposed");
        let what = if is_booking { "pifu-booking" } else { "appointment" };
        self.take(incoming, "Appointment", what, booking, now, |hospital, resource| {
            if is_booking { hospital.book(resource, now) } else { hospital.seed(resource) }
        })
    }

    /// Takes a Task: a change request.
    pub fn take_task(&mut self, incoming: Incoming, now: Timestamp) -> Said {
        let kind = super::change::kind_of(&incoming.resource);
        let request = identifier_of(&incoming.resource, "urn:stile:request");
        let what = kind.as_ref().map_or("unknown", |kind| kind.as_str());
        self.take(incoming, "Task", what, request, now, |hospital, resource| {
            hospital.change(resource, kind.as_ref().ok(), now)
        })
    }

    /// The way of every request: known already, or applied, or refused; and written down.
    fn take(
        &mut self,
        incoming: Incoming,
        resource_type: &'static str,
        what: &str,
        request: Option<String>,
        now: Timestamp,
        apply: impl FnOnce(&mut Hospital, Value) -> Result<(Slot, usize, Became), Refusal>,
    ) -> Said {
        let Incoming { resource, message, if_none_exist } = incoming;
        let entry = Entry { message: message.clone(), request, ..line(what, Became::Refused, now) };
        let known = match self.known(resource_type, message.as_deref(), if_none_exist.as_ref()) {
            Ok(known) => known,
            Err(refusal) => return self.refuse(entry, refusal),
        };
        if let Some(slot) = known {
            self.journal.write(Entry { became: Became::Repeated, appointment: self.number_of(slot), ..entry });
            return Said::Found { resource: self.resource_at(slot).cloned().unwrap_or_default() };
        }
        if type_of(&resource) != resource_type {
            let text = format!("the body is not a resource of the type {resource_type}");
            return self.refuse(entry, Refusal { status: 400, ..Refusal::new("invalid", resource_type, text) });
        }
        match apply(self, resource) {
            Err(refusal) => self.refuse(entry, refusal),
            Ok((slot, appointment, became)) => {
                if let Some(message) = message {
                    self.by_message.insert(message, slot);
                }
                let held = self.appointments.get(appointment);
                let changed = held.filter(|_| became != Became::Seeded).map(|held| held.id.clone());
                let number = held.map(|held| held.number.clone());
                self.journal.write(Entry { became, appointment: number, ..entry });
                Said::Created { resource: self.resource_at(slot).cloned().unwrap_or_default(), changed }
            }
        }
    }

    fn refuse(&mut self, entry: Entry, refusal: Refusal) -> Said {
        self.journal.write(Entry { became: Became::Refused, reason: Some(refusal.text.clone()), ..entry });
        Said::Refused(refusal)
    }

    /// What a request is known by: its message id, or the identifier in `If-None-Exist`.
    fn known(
        &self,
        resource_type: &str,
        message: Option<&str>,
        if_none_exist: Option<&(String, String)>,
    ) -> Result<Option<Slot>, Refusal> {
        if let Some(slot) = message.and_then(|message| self.by_message.get(message)) {
            return Ok(Some(*slot));
        }
        let Some((system, value)) = if_none_exist else { return Ok(None) };
        match self.slots(resource_type, system, value).as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(*one)),
            [_, _, ..] => {
                let text = "If-None-Exist finds more than one resource here";
                Err(Refusal { status: 412, ..Refusal::new("multiple-matches", "identifier", text) })
            }
        }
    }

    fn slots(&self, resource_type: &str, system: &str, value: &str) -> Vec<Slot> {
        let found = self.by_identifier.get(&(system.to_owned(), value.to_owned()));
        let of_type = |slot: &&Slot| match slot {
            Slot::Appointment(_) => resource_type == "Appointment",
            Slot::Task(_) => resource_type == "Task",
        };
        found.into_iter().flatten().filter(of_type).copied().collect()
    }

    fn resource_at(&self, slot: Slot) -> Option<&Value> {
        match slot {
            Slot::Appointment(at) => self.appointments.get(at).map(|held| &held.resource),
            Slot::Task(at) => self.tasks.get(at),
        }
    }

    fn number_of(&self, slot: Slot) -> Option<String> {
        match slot {
            Slot::Appointment(at) => self.appointments.get(at).map(|held| held.number.clone()),
            Slot::Task(at) => {
                let focus = self.tasks.get(at)?.pointer("/focus/identifier/value")?;
                focus.as_str().map(str::to_owned)
            }
        }
    }

    /// Puts an appointment into the diary as it came.
    fn seed(&mut self, resource: Value) -> Result<(Slot, usize, Became), Refusal> {
        let number = identifier_of(&resource, &self.system);
        if let Some(number) = &number
            && !self.slots("Appointment", &self.system, number).is_empty()
        {
            let text = "an appointment with this number is in the diary already";
            return Err(Refusal { status: 409, ..Refusal::new("duplicate", "Appointment.identifier", text) });
        }
        let at = self.keep_appointment(resource, number);
        Ok((Slot::Appointment(at), at, Became::Seeded))
    }

    fn book(&mut self, proposed: Value, now: Timestamp) -> Result<(Slot, usize, Became), Refusal> {
        let taken = self.taken();
        let booked = super::change::booked(&proposed, &self.organisation, &taken, now)?;
        let at = self.keep_appointment(booked, None);
        // The gateway knows it by the twin's id from the first call back on; the proposal's own identifier finds it.
        if let (Some(held), Some(booking)) =
            (self.appointments.get_mut(at), identifier_of(&proposed, PIFU_BOOKING_SYSTEM))
        {
            held.gateway_id = Some(held.id.clone());
            let key = (PIFU_BOOKING_SYSTEM.to_owned(), booking);
            self.by_identifier.entry(key).or_default().push(Slot::Appointment(at));
        }
        Ok((Slot::Appointment(at), at, Became::Booked))
    }

    fn change(
        &mut self,
        mut task: Value,
        kind: Option<&super::change::Kind>,
        now: Timestamp,
    ) -> Result<(Slot, usize, Became), Refusal> {
        let kind = kind.ok_or_else(super::change::unknown_kind)?;
        let number = task.pointer("/focus/identifier/value").and_then(Value::as_str).unwrap_or_default();
        let at = match self.slots("Appointment", &self.system, number).first() {
            Some(Slot::Appointment(at)) => *at,
            Some(Slot::Task(_)) | None => {
                return Err(Refusal::new(
                    "not-found",
                    "Task.focus.identifier",
                    "No appointment with the number in Task.focus.identifier is in this diary",
                ));
            }
        };
        let Some(held) = self.appointments.get_mut(at) else {
            return Err(Refusal::new("not-found", "Task.focus", "The appointment is not in this diary"));
        };
        super::change::apply(kind, &task, &mut held.resource, now)?;
        if let Some(gateway_id) = super::change::gateway_id(&task) {
            held.gateway_id = Some(gateway_id);
        }
        set(&mut task, "id", json!(uuid::Uuid::new_v4().to_string()));
        set(&mut task, "status", json!("completed"));
        set(&mut task, "lastModified", json!(instant::write(now)));
        let slot = Slot::Task(self.tasks.len());
        self.index(slot, &task);
        self.tasks.push(task);
        Ok((slot, at, Became::Applied))
    }

    fn keep_appointment(&mut self, mut resource: Value, number: Option<String>) -> usize {
        let number = number.unwrap_or_else(|| {
            let number = self.next_number.to_string();
            self.next_number += 1;
            let identifier = json!({"system": self.system, "value": number});
            match resource.get_mut("identifier").and_then(Value::as_array_mut) {
                Some(identifiers) => identifiers.insert(0, identifier),
                None => set(&mut resource, "identifier", json!([identifier])),
            }
            number
        });
        let id = uuid::Uuid::new_v4().to_string();
        set(&mut resource, "id", json!(id));
        let at = self.appointments.len();
        self.index(Slot::Appointment(at), &resource);
        self.appointments.push(Held { id, number, gateway_id: None, resource });
        at
    }

    fn index(&mut self, slot: Slot, resource: &Value) {
        if let Some(id) = text(resource, "id") {
            self.by_id.insert(id.to_owned(), slot);
        }
        for identifier in array(resource, "identifier") {
            if let (Some(system), Some(value)) = (text(identifier, "system"), text(identifier, "value")) {
                let found = self.by_identifier.entry((system.to_owned(), value.to_owned())).or_default();
                found.push(slot);
            }
        }
    }

    /// Starts of the appointments that stand.
    fn taken(&self) -> BTreeSet<Timestamp> {
        let stands = |held: &&Held| text(&held.resource, "status") != Some("cancelled");
        let start = |held: &Held| instant::read(text(&held.resource, "start")?, false);
        self.appointments.iter().filter(stands).filter_map(start).collect()
    }
}

fn line(what: &str, became: Became, at: Timestamp) -> Entry {
    let what = what.to_owned();
    Entry { number: 0, at, what, became, message: None, request: None, appointment: None, reason: None }
}

/// `resourceType`.
pub(super) fn type_of(resource: &Value) -> &str {
    text(resource, "resourceType").unwrap_or_default()
}

/// The text of an element.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

/// The repeats of an element; none when it is absent.
pub(super) fn array<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Sets an element of an object.
pub(super) fn set(resource: &mut Value, name: &str, value: Value) {
    if let Some(object) = resource.as_object_mut() {
        object.insert(name.to_owned(), value);
    }
}

/// The value of the identifier in a system.
pub(super) fn identifier_of(resource: &Value, system: &str) -> Option<String> {
    let of_system = |identifier: &&Value| text(identifier, "system") == Some(system);
    let found = array(resource, "identifier").iter().find(of_system)?;
    text(found, "value").map(str::to_owned)
}

/// The periods of an element, in their order.
pub(super) fn stretches<'a>(periods: impl Iterator<Item = &'a Value>) -> Vec<Stretch> {
    periods.filter_map(instant::period).collect()
}
