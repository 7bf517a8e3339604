//! The story itself, step by step. Each step says what is promised, does it over HTTP, and checks it.

use super::cast::{Body, Cast, ORGANISATION};
use super::portal::{Heard, Portal};
use super::teller::Teller;
use crate::twin::Twin;
use reqwest::Method;
use serde_json::{Value, json};
use std::io::Write;
use std::time::{Duration, Instant};

/// How many steps there are.
pub(super) const STEPS: usize = 7;
/// How often it looks, in milliseconds.
const LOOK_MS: u64 = 50;
/// States of a request that nothing follows but what the story hopes for did not happen (product page, states).
const ENDED_OTHERWISE: [&str; 5] = ["refused", "withdrawn", "superseded", "undeliverable", "resolved"];
/// What a reader sees of an open request.
const REQUEST_STATUS: &str = "https://fhir.nhs.uk/StructureDefinition/Extension-Appointment-RequestStatus";

/// A step did not go as told; says what was expected and what came.
pub(super) type Told = Result<(), String>;

/// Everything the story needs.
pub(super) struct Stage<'a, W> {
    pub portal: Portal,
    pub twin: &'a Twin,
    pub teller: &'a mut Teller<W>,
    pub cast: &'a Cast,
    /// How long it waits for something that takes its way through the twin, in milliseconds.
    pub wait_ms_max: u64,
}

impl<W: Write> Stage<'_, W> {
    /// Plays the story; ends at the first step that does not go as told.
    pub async fn play(&mut self) -> Told {
        self.appointment().await?;
        self.broken_appointment().await?;
        self.referral().await?;
        self.cancel().await?;
        self.cancel_again().await?;
        self.follow_up().await?;
        self.waiting_list().await
    }

    async fn appointment(&mut self) -> Told {
        self.teller.begin("An appointment reaches the gateway");
        self.teller.say(
            "The trust's PAS has booked a patient into dermatology; that appointment was put into the twin's diary \
             just now. The trust's portal, which shows it to the patient, pushes it to the gateway.",
        );
        let mut held = self.cast.json(Body::Appointment);
        if let Some(resource) = held.as_object_mut() {
            // The gateway's id, the portal's link and the portal's identifier are not the PAS's.
            resource.remove("id");
            let extensions = resource.get_mut("extension").and_then(Value::as_array_mut);
            extensions.into_iter().for_each(|extensions| extensions.truncate(2));
            let identifiers = resource.get_mut("identifier").and_then(Value::as_array_mut);
            identifiers.into_iter().for_each(|identifiers| identifiers.truncate(1));
        }
        self.twin.hold(held)?;
        let path = self.address("Appointment", "appointment");
        self.puts(&path, Body::Appointment, &["identifier.value", "status", "start", "basedOn.identifier.value"])
            .await?;
        self.teller.holds("checked against FHIR R4, mapped to the waiting-list model, kept on disk: then 201");
        let read = self.gets(&path).await?;
        self.expect_text(&read.body, "/status", "booked")
    }

    async fn broken_appointment(&mut self) -> Told {
        self.teller.begin("A broken one is refused, with what to fix");
        self.teller.say(
            "The next appointment has `participants` for `participant`, a status that FHIR does not have, and a start \
             without its offset from UTC. All of it is told at once, each with its place.",
        );
        let path = self.address("Appointment", "broken");
        let body = self.cast.text(Body::Broken);
        self.teller.sends("PUT", &path);
        self.teller.shows(&self.cast.json(Body::Broken), &["status", "start", "participants.status"]);
        let heard = self.portal.ask(Method::PUT, &path, Some(body)).await?;
        self.teller.hears(heard.status, heard.took_ms);
        self.teller.shows_issues(&heard.body);
        if !matches!(heard.status, 400 | 422) {
            return Err(unexpected("a refusal (400 or 422)", &heard));
        }
        for place in ["Appointment.participants", "Appointment.status", "Appointment.start"] {
            let issues = heard.body.get("issue").and_then(Value::as_array).into_iter().flatten();
            let mut places = issues.filter_map(|issue| issue.pointer("/expression/0").and_then(Value::as_str));
            // `participants` is an array as sent, and so its place bears an index.
            if !places.any(|told| told.trim_end_matches("[0]") == place) {
                return Err(format!("the OperationOutcome does not point at {place}"));
            }
        }
        self.teller.holds("each fault has its place and a way out; no value of the patient's is repeated");
        let gone = self.portal.ask(Method::GET, &path, None).await?;
        if gone.status != 404 {
            return Err(unexpected("404, as nothing of it was to be kept", &gone));
        }
        self.teller.holds("nothing of it was kept");
        Ok(())
    }

    async fn referral(&mut self) -> Told {
        self.teller.begin("A referral makes a place on the waiting list");
        let path = self.address("ServiceRequest", "referral");
        self.puts(
            &path,
            Body::Referral,
            &["identifier.value", "status", "priority", "authoredOn", "basedOn.identifier.value"],
        )
        .await?;
        let entry = format!("/waiting-list/entries/{}", self.cast.get("referral"));
        let read = self.gets(&entry).await?;
        self.expect_text(&read.body, "/status", "active")?;
        self.teller.holds("the referral has its waiting-list entry; step 7 shows it whole");
        Ok(())
    }

    async fn cancel(&mut self) -> Told {
        self.teller.begin("A patient asks to cancel");
        self.teller.say(
            "A change request is a Task that points at the appointment. It changes nothing by itself: the appointment \
             is the PAS's. But everyone who reads the appointment sees at once that something was asked for.",
        );
        let task = self.address("Task", "cancel");
        let appointment = self.address("Appointment", "appointment");
        let began = Instant::now();
        self.puts(&task, Body::Cancel, &["code.coding.code", "focus.reference", "reasonCode.text"]).await?;
        let pending = self.gets(&appointment).await?;
        let shown = json!({"Extension-Appointment-RequestStatus": request_status(&pending.body)});
        self.teller.shows(&pending.body, &["status"]);
        self.teller.shows(&shown, &["Extension-Appointment-RequestStatus"]);
        if request_status(&pending.body) != Some("Pending Cancellation") {
            return Err("the appointment does not show `Pending Cancellation` right after the acceptance".into());
        }
        self.expect_text(&pending.body, "/status", "booked")?;
        self.teller.holds(&format!(
            "`Pending Cancellation` is visible {} ms after the request was sent; the status is still the PAS's",
            began.elapsed().as_millis()
        ));
        let done = self.waits_for(&task, "applied").await?;
        self.expect_text(&done, "/status", "completed")?;
        let ledger = self.twin.ledger();
        if ledger.pointer("/counts/applied") != Some(&Value::from(1)) {
            return Err("the twin's ledger does not hold exactly one applied change request".into());
        }
        self.teller.holds(&format!(
            "delivered to the twin, applied there once, called back through the same door as anyone's: {} ms in all",
            began.elapsed().as_millis()
        ));
        let cancelled = self.gets(&appointment).await?;
        self.teller.shows(&cancelled.body, &["status"]);
        self.expect_text(&cancelled.body, "/status", "cancelled")?;
        if request_status(&cancelled.body).is_some() {
            return Err("the appointment still shows a pending request after it was applied".into());
        }
        self.teller.holds("the appointment is cancelled, by the PAS's own word");
        Ok(())
    }

    async fn cancel_again(&mut self) -> Told {
        self.teller.begin("The same wish again is refused, and says why");
        let path = self.address("Task", "again");
        let mut body = self.cast.json(Body::Cancel);
        if let Some(task) = body.as_object_mut() {
            task.insert("id".into(), Value::from(self.cast.get("again")));
        }
        self.teller.sends("PUT", &path);
        self.teller.shows(&body, &["code.coding.code", "focus.reference"]);
        let heard = self.portal.ask(Method::PUT, &path, Some(body.to_string())).await?;
        self.teller.hears(heard.status, heard.took_ms);
        self.teller.shows_issues(&heard.body);
        if heard.status != 422 {
            return Err(unexpected("422", &heard));
        }
        self.expect_text(&heard.body, "/issue/0/details/coding/0/code", "change.appointment-over")?;
        self.teller.holds("a guard, not an error of the machine: the rule has a name that a portal can switch on");
        Ok(())
    }

    async fn follow_up(&mut self) -> Told {
        self.teller.begin("A patient-initiated follow-up is booked");
        self.teller.say(
            "Rheumatology has put another patient on patient-initiated follow-up (PIFU) for a year: a Task with the \
             code `pifu-triage`. Then the patient asks for a follow-up: a ServiceRequest on the same pathway.",
        );
        let enrolment = self.address("Task", "enrolment");
        self.puts(
            &enrolment,
            Body::Enrolment,
            &["reasonCode.coding.code", "status", "basedOn.identifier.value", "restriction.period.end"],
        )
        .await?;
        let booking = self.address("ServiceRequest", "booking");
        self.puts(&booking, Body::Booking, &["category.coding.code", "basedOn.identifier.value", "occurrencePeriod"])
            .await?;
        let done = self.waits_for(&self.address("Task", "booking"), "booked").await?;
        self.expect_text(&done, "/status", "completed")?;
        let Some(reference) = done.pointer("/output/0/valueReference/reference").and_then(Value::as_str) else {
            return Err("the booked Task names no appointment in Task.output".into());
        };
        let booked = self.gets(&format!("/fhir/{reference}")).await?;
        self.teller.shows(&booked.body, &["identifier.value", "status", "start", "end"]);
        self.expect_text(&booked.body, "/status", "booked")?;
        self.teller.holds("the clinic chose a slot in the time that the patient asked for; the loop is closed");
        Ok(())
    }

    async fn waiting_list(&mut self) -> Told {
        self.teller.begin("The waiting list, in the gateway's own model");
        let path = format!("/waiting-list/entries/{}", self.cast.get("referral"));
        let read = self.gets(&path).await?;
        self.teller.verbatim(&serde_json::to_string_pretty(&read.body).unwrap_or_default());
        self.expect_text(&read.body, "/provider", ORGANISATION)?;
        let ledger = self.twin.ledger();
        for (count, expected) in [("applied", 1), ("booked", 1), ("repeated", 0), ("refused", 0), ("given-up", 0)] {
            let came = ledger.pointer(&format!("/counts/{count}")).and_then(Value::as_u64).unwrap_or(0);
            if came != expected {
                return Err(format!("the twin's ledger counts {came} {count}, and {expected} was expected"));
            }
        }
        self.teller.holds("the twin's ledger agrees: one change applied, one follow-up booked, nothing twice");
        Ok(())
    }

    fn address(&self, resource_type: &str, id: &str) -> String {
        format!("/fhir/{resource_type}/{}", self.cast.get(id))
    }

    /// Sends a body that must be kept as new.
    async fn puts(&mut self, path: &str, body: Body, shown: &[&str]) -> Told {
        self.teller.sends("PUT", path);
        self.teller.shows(&self.cast.json(body), shown);
        let heard = self.portal.ask(Method::PUT, path, Some(self.cast.text(body))).await?;
        self.teller.hears(heard.status, heard.took_ms);
        if heard.status == 201 {
            return Ok(());
        }
        self.teller.shows_issues(&heard.body);
        Err(unexpected("201", &heard))
    }

    /// Reads what must be there.
    async fn gets(&mut self, path: &str) -> Result<Heard, String> {
        self.teller.sends("GET", path);
        let heard = self.portal.ask(Method::GET, path, None).await?;
        self.teller.hears(heard.status, heard.took_ms);
        if heard.status == 200 {
            return Ok(heard);
        }
        self.teller.shows_issues(&heard.body);
        Err(unexpected("200", &heard))
    }

    /// Looks at a Task until its business status is `state`, telling each state that it passes through.
    async fn waits_for(&mut self, path: &str, state: &str) -> Result<Value, String> {
        self.teller.sends("GET", &format!("{path}  until it is {state}"));
        let began = Instant::now();
        let mut last = String::new();
        loop {
            let heard = self.portal.ask(Method::GET, path, None).await?;
            if heard.status != 200 {
                self.teller.shows_issues(&heard.body);
                return Err(unexpected("200", &heard));
            }
            let now = heard.body.pointer("/businessStatus/text").and_then(Value::as_str).unwrap_or("without a state");
            if now != last {
                self.teller.verbatim(&format!("    {now} after {} ms", began.elapsed().as_millis()));
                last = now.to_owned();
            }
            if now == state {
                return Ok(heard.body);
            }
            if ENDED_OTHERWISE.contains(&now) {
                let why = heard.body.pointer("/statusReason/text").and_then(Value::as_str).unwrap_or("no reason given");
                return Err(format!("the request ended as {now} ({why}) and was to end as {state}"));
            }
            if began.elapsed() > Duration::from_millis(self.wait_ms_max) {
                return Err(format!("the request is still {now} after {} ms and was to be {state}", self.wait_ms_max));
            }
            tokio::time::sleep(Duration::from_millis(LOOK_MS)).await;
        }
    }

    fn expect_text(&self, body: &Value, pointer: &str, expected: &str) -> Told {
        match body.pointer(pointer).and_then(Value::as_str) {
            Some(came) if came == expected => Ok(()),
            Some(came) => Err(format!("{pointer} is `{came}` and was to be `{expected}`")),
            None => Err(format!("{pointer} is absent and was to be `{expected}`")),
        }
    }
}

/// What a reader of an appointment sees of an open request.
fn request_status(appointment: &Value) -> Option<&str> {
    let extensions = appointment.get("extension")?.as_array()?;
    let shown = extensions.iter().find(|one| one.get("url").and_then(Value::as_str) == Some(REQUEST_STATUS))?;
    shown.get("valueCode").and_then(Value::as_str)
}

fn unexpected(expected: &str, heard: &Heard) -> String {
    let said = heard.body.pointer("/issue/0/details/text").and_then(Value::as_str).unwrap_or("no reason given");
    format!("{expected} was expected, and the gateway answered {}: {said}", heard.status)
}
