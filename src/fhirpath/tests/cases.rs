//! Every function and operator with its edges, over one small appointment.

use super::super::table::FUNCTIONS;
use super::{compiled, outcome};
use crate::document::{Document, Node};
use crate::fhirpath::{Collection, Context, Item, Model, Scope, compile};
use serde_json::json;

fn appointment() -> Document {
    super::reader::from_json(
        &json!({
            "resourceType": "Appointment",
            "id": "a1",
            "contained": [{"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1990-02-28"}],
            "extension": [
                {"url": "https://example.org/priority", "valueCode": "routine"},
                {"url": "https://example.org/wait", "valueQuantity":
                    {"value": 18, "unit": "weeks", "system": "http://unitsofmeasure.org", "code": "wk"}}
            ],
            "status": "booked",
            "_status": {"id": "s1", "extension": [{"url": "https://example.org/note", "valueString": "seen"}]},
            "priority": 5,
            "minutesDuration": 20.5,
            "start": "2026-03-28T09:00:00Z",
            "end": "2026-03-28T10:30:00+01:00",
            "created": "2026-03",
            "comment": "Bring glasses",
            "participant": [
                {"status": "accepted", "required": true, "actor": {"reference": "#p1"}},
                {"status": "tentative", "required": false, "actor": {"reference": "Location/1"}},
                {"status": "accepted", "actor": {"reference": "Practitioner/2"}}
            ]
        })
        .to_string(),
    )
}

fn check(cases: &[(&str, &str)]) {
    let document = appointment();
    for (text, wanted) in cases {
        assert_eq!(outcome(text, &document), *wanted, "{text}");
    }
}

#[test]
fn every_function_has_a_case_here() {
    let source = include_str!("cases.rs");
    let tests = source.split_once("fn existence").map_or("", |(_, tests)| tests);
    let missing: Vec<_> =
        FUNCTIONS.iter().map(|signature| signature.name).filter(|name| !tests.contains(&format!("{name}("))).collect();
    assert!(missing.is_empty(), "no case calls {missing:?}");
}

#[test]
fn existence() {
    check(&[
        ("participant.empty()", "false"),
        ("specialty.empty()", "true"),
        ("participant.exists()", "true"),
        ("participant.exists(status = 'tentative')", "true"),
        ("participant.exists(status = 'declined')", "false"),
        ("specialty.exists(true)", "false"),
        ("participant.all(status.exists())", "true"),
        ("participant.all(required.exists())", "false"),
        ("specialty.all(false)", "true"),
        ("participant.required.allTrue()", "false"),
        ("participant.required.anyTrue()", "true"),
        ("participant.required.allFalse()", "false"),
        ("participant.required.anyFalse()", "true"),
        ("{}.allTrue()", "true"),
        ("{}.anyTrue()", "false"),
        ("status.allTrue()", "failed: fhirpath.type"),
        ("participant.status.subsetOf('accepted' | 'tentative' | 'declined')", "true"),
        ("participant.status.subsetOf('accepted' | 'declined')", "false"),
        ("participant.status.supersetOf('accepted')", "true"),
        ("{}.subsetOf('a')", "true"),
        ("participant.count()", "3"),
        ("specialty.count()", "0"),
        ("participant.status.distinct()", "accepted, tentative"),
        ("participant.status.isDistinct()", "false"),
        ("participant.actor.reference.isDistinct()", "true"),
        ("{}.isDistinct()", "true"),
    ]);
}

#[test]
fn filtering_and_parts() {
    check(&[
        ("participant.where(status = 'accepted').actor.reference", "#p1, Practitioner/2"),
        ("participant.where(required).status", "accepted"),
        ("participant.where($index = 1).status", "tentative"),
        ("where(status = 'booked').id", "a1"),
        (
            "participant.select(status & ':' & actor.reference)",
            "accepted:#p1, tentative:Location/1, accepted:Practitioner/2",
        ),
        ("participant.repeat(actor).reference", "#p1, Location/1, Practitioner/2"),
        ("participant[1].status", "tentative"),
        ("participant[7].status", ""),
        ("participant[-1].status", ""),
        ("participant['x']", "failed: fhirpath.type"),
        ("id.single()", "a1"),
        ("specialty.single()", ""),
        ("participant.single()", "failed: fhirpath.not-single"),
        ("participant.status.first()", "accepted"),
        ("participant.actor.reference.last()", "Practitioner/2"),
        ("participant.status.tail()", "tentative, accepted"),
        ("participant.status.skip(2)", "accepted"),
        ("participant.status.skip(-2).count()", "3"),
        ("participant.status.take(1)", "accepted"),
        ("participant.status.take(0)", ""),
        ("participant.status.intersect('accepted' | 'x')", "accepted"),
        ("participant.status.exclude('accepted')", "tentative"),
        ("participant.status.union('x')", "accepted, tentative, x"),
        ("participant.status.combine('accepted').count()", "4"),
        ("participant.status.sort()", "accepted, accepted, tentative"),
        ("participant.sort(-status, actor.reference).actor.reference", "Location/1, #p1, Practitioner/2"),
        ("(1 | 2 | 3).aggregate($this + $total, 10)", "16"),
        ("(3 | 1 | 2).aggregate(iif($total.empty() or $this < $total, $this, $total))", "1"),
    ]);
}

#[test]
fn types_and_choices() {
    check(&[
        ("extension('https://example.org/priority').value", "routine"),
        ("extension.value.ofType(code)", "routine"),
        ("extension.value.ofType(Quantity).code", "wk"),
        ("extension.value.ofType(string)", ""),
        ("(extension[1].value as Quantity).value", "18"),
        ("extension[1].value.as(Quantity).value", "18"),
        ("extension[1].value is Quantity", "true"),
        ("extension[1].value.is(Period)", "false"),
        ("extension[0].valueCode", "routine"),
        ("is(Appointment)", "true"),
        ("is(DomainResource)", "true"),
        ("$this is Patient", "false"),
        ("contained.ofType(Patient).gender", "female"),
        ("priority.is(integer)", "true"),
        ("priority.is(Integer)", "false"),
        ("1.is(Integer)", "true"),
        ("1.type().name", "Integer"),
        ("type().name", "Appointment"),
        ("participant.required.first().type().namespace", "FHIR"),
        ("participant is Patient", "failed: fhirpath.not-single"),
    ]);
}

#[test]
fn conversions() {
    check(&[
        ("'17'.toInteger()", "17"),
        ("'1.5'.toInteger()", ""),
        ("priority.toString() & '!'", "5!"),
        ("'1.50'.toDecimal()", "1.50"),
        ("'x'.toDecimal()", ""),
        ("'yes'.toBoolean()", "true"),
        ("'maybe'.toBoolean()", ""),
        ("start.toDate()", "2026-03-28"),
        ("start.toDateTime()", "2026-03-28T09:00:00Z"),
        ("created.toDate()", "2026-03"),
        ("'09:30'.toTime()", "09:30"),
        ("'25:00'.toTime()", ""),
        ("'4 days'.toQuantity()", "4 days"),
        ("'4 \\'wk\\''.toQuantity()", "4 'wk'"),
        ("7 days.toQuantity('wk')", "1 'wk'"),
        ("priority.toQuantity()", "5 '1'"),
        ("extension[1].value.toQuantity()", "18 'wk'"),
        ("'a'.convertsToInteger()", "false"),
        ("'1'.convertsToDecimal()", "true"),
        ("1.convertsToString()", "true"),
        ("2.convertsToBoolean()", "false"),
        ("start.convertsToDateTime()", "true"),
        ("comment.convertsToDate()", "false"),
        ("'9'.convertsToTime()", "false"),
        ("'1 week'.convertsToQuantity()", "true"),
        ("iif(priority > 3, 'high', 'low')", "high"),
        ("iif(specialty.exists(), 'a')", ""),
        ("iif(status, 'a', 'b')", "failed: fhirpath.type"),
        ("participant.status.toInteger()", "failed: fhirpath.not-single"),
        ("specialty.toInteger()", ""),
    ]);
}

#[test]
fn texts() {
    check(&[
        ("comment.length()", "13"),
        ("'naïve'.length()", "5"),
        ("comment.upper()", "BRING GLASSES"),
        ("comment.lower()", "bring glasses"),
        ("comment.startsWith('Bring')", "true"),
        ("comment.startsWith('')", "true"),
        ("comment.endsWith('glasses')", "true"),
        ("comment.contains('ing g')", "true"),
        ("specialty.contains('x')", ""),
        ("participant.status.contains('x')", "failed: fhirpath.not-single"),
        ("priority.contains('x')", "failed: fhirpath.type"),
        ("'naïve'.indexOf('v')", "3"),
        ("comment.indexOf('zz')", "-1"),
        ("'a-b-c'.lastIndexOf('-')", "3"),
        ("comment.substring(6)", "glasses"),
        ("comment.substring(0, 5)", "Bring"),
        ("'naïve'.substring(2, 2)", "ïv"),
        ("comment.substring(6, 99)", "glasses"),
        ("comment.substring(13)", ""),
        ("comment.substring(-1)", ""),
        ("comment.replace('glasses', 'lenses')", "Bring lenses"),
        ("'abc'.replace('', '-')", "-a-b-c-"),
        ("comment.matches('^B[a-z]+')", "true"),
        ("comment.matches('[a-z]+')", "true"),
        ("comment.matchesFull('[a-z]+')", "false"),
        ("comment.matches({})", ""),
        ("'11/30'.replaceMatches('(?P<month>\\\\d+)/(?P<day>\\\\d+)', '${day}-${month}')", "30-11"),
        ("'ab'.toChars()", "a, b"),
        ("'a,b,,c'.split(',')", "a, b, , c"),
        ("'abc'.split('')", "a, b, c"),
        ("participant.status.join('; ')", "accepted; tentative; accepted"),
        ("participant.status.join()", "acceptedtentativeaccepted"),
        ("'  x '.trim()", "x"),
        ("'hello?'.encode('base64')", "aGVsbG8/"),
        ("'hi'.encode('base64')", "aGk="),
        ("'hello?'.encode('urlbase64')", "aGVsbG8_"),
        ("'hi'.encode('hex')", "6869"),
        ("'6869'.decode('hex')", "hi"),
        ("'aGk='.decode('base64')", "hi"),
        ("'%%%'.decode('base64')", ""),
        ("'a<b&c'.escape('html')", "a&lt;b&amp;c"),
        ("'&amp;lt;'.unescape('html')", "&lt;"),
        ("'a\"b'.escape('json')", "a\\\"b"),
        ("'x'.encode('rot13')", "failed: fhirpath.type"),
    ]);
}

#[test]
fn numbers() {
    check(&[
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("7 div 2", "3"),
        ("7 mod 2", "1"),
        ("7 / 2", "3.5"),
        ("1 / 0", ""),
        ("9223372036854775807 + 1", ""),
        ("0.1 + 0.2", "0.3"),
        ("minutesDuration * 2", "41.0"),
        ("-priority", "-5"),
        ("-(status)", "failed: fhirpath.type"),
        ("'a' + 'b'", "ab"),
        ("'a' + {}", ""),
        ("'a' & {}", "a"),
        ("'a' - 'b'", "failed: fhirpath.type"),
        ("(-5).abs()", "5"),
        ("1.1.ceiling()", "2"),
        ("(-1.1).floor()", "-2"),
        ("1.9.truncate()", "1"),
        ("3.14159.round(2)", "3.14"),
        ("2.5.round()", "3"),
        ("81.sqrt()", "9"),
        ("(-1).sqrt()", ""),
        ("0.exp()", "1"),
        ("1.ln()", "0"),
        ("16.log(2)", "4"),
        ("2.power(10)", "1024"),
        ("2.power(-1)", "0.5"),
        ("(-1).power(0.5)", ""),
        ("1.587.lowBoundary(2)", "1.58"),
        ("1.587.highBoundary(2)", "1.59"),
        ("1.58700.precision()", "5"),
        ("1 'cm'.comparable(1 'm')", "true"),
        ("1 'cm'.comparable(1 's')", "false"),
        ("1 'kg' + 500 'g'", "1.5 'kg'"),
        ("1 'kg' + 1 's'", ""),
        ("'x'.abs()", "failed: fhirpath.type"),
    ]);
}

#[test]
fn dates() {
    check(&[
        // An instant told in two zones: 09:30 UTC ends after 09:00 UTC.
        ("start <= end", "true"),
        ("end <= start", "false"),
        ("end > @2026-03-28T09:29:59Z", "true"),
        ("start = @2026-03-28T10:00:00+01:00", "true"),
        ("start = '2026-03-28T09:00:00Z'", "true"),
        ("created < @2026-03-15", ""),
        ("created < @2026-04-15", "true"),
        ("created = @2026-03", "true"),
        ("created = @2026-03-01", ""),
        ("created ~ @2026-03-01", "false"),
        ("start + 1 day", "2026-03-29T09:00:00Z"),
        ("start - 90 minutes", "2026-03-28T07:30:00Z"),
        ("@2024-02-29 + 1 year", "2025-02-28"),
        ("@2024-01-31 + 1 month", "2024-02-29"),
        ("@2014 + 25 months", "2016"),
        ("@T23:30 + 1 hour", "00:30"),
        ("@9999-12-31 + 1 day", ""),
        ("@2024-01-01 + 9223372036854775807 days", ""),
        ("@2024-01-01 - 9223372036854775807 months", ""),
        ("@2024-01-01T10:00:00 + 9223372036854775807 seconds", ""),
        ("@T10:00 + 9223372036 seconds", "09:47"),
        ("@2024-01-31 + 1 'kg'", "failed: fhirpath.type"),
        ("created.lowBoundary()", "2026-03-01"),
        ("created.highBoundary()", "2026-03-31"),
        ("today()", "2026-03-29"),
        ("now()", "2026-03-29T00:30:00.000Z"),
        ("timeOfDay()", "00:30:00.000"),
        ("start < now()", "true"),
        ("comment < today()", "failed: fhirpath.type"),
        ("contained.birthDate + 16 years <= today()", "true"),
        ("18 weeks > 100 days", "true"),
        ("1 year = 12 months", "true"),
        ("1 year = 1 'a'", ""),
        ("1 year ~ 1 'a'", "true"),
        ("extension[1].value > 17 'wk'", "true"),
    ]);
}

#[test]
fn truth_values() {
    check(&[
        ("true and {}", ""),
        ("false and {}", "false"),
        ("true or {}", "true"),
        ("{} or false", ""),
        ("true xor true", "false"),
        ("true xor {}", ""),
        ("false implies {}", "true"),
        ("{} implies true", "true"),
        ("true implies {}", ""),
        ("status and true", "true"),
        ("participant and true", "failed: fhirpath.not-single"),
        ("status.not()", "false"),
        ("specialty.not()", ""),
        ("'booked' in ('booked' | 'pending')", "true"),
        ("status in ('proposed' | 'pending')", "false"),
        ("participant.status contains 'tentative'", "true"),
        ("{} in ('a')", ""),
        ("specialty contains 'a'", "false"),
        ("participant.status in ('a')", "failed: fhirpath.not-single"),
        ("status != 'booked'", "false"),
        ("specialty = 'x'", ""),
        ("{} ~ {}", "true"),
        ("('a' | 'b') = ('b' | 'a')", "false"),
        ("('a' | 'b') ~ ('b' | 'a')", "true"),
        ("'Bring  Glasses' ~ 'bring glasses'", "true"),
        ("'a' !~ 'b'", "true"),
        ("1 = 1.0", "true"),
        ("'1' = 1", "false"),
        ("participant[0] = participant[0]", "true"),
        ("participant[0] = participant[2]", "false"),
        ("participant[0].actor ~ participant[2].actor", "false"),
        ("1 < 'a'", "failed: fhirpath.type"),
    ]);
}

#[test]
fn fhirs_additions() {
    check(&[
        ("status.hasValue()", "true"),
        ("participant.hasValue()", "false"),
        ("participant.status.hasValue()", "false"),
        ("status.getValue() + '!'", "booked!"),
        ("status.extension('https://example.org/note').value", "seen"),
        ("status.children().count()", "2"),
        ("participant.actor.descendants()", "#p1, Location/1, Practitioner/2"),
        ("participant[0].actor.resolve().gender", "female"),
        ("participant[1].actor.resolve()", ""),
        ("participant.actor.reference.first().resolve().id", "p1"),
        ("status.memberOf('http://hl7.org/fhir/ValueSet/appointmentstatus')", "failed: fhirpath.not-known"),
        ("'<div xmlns=\"x\">ok</div>'.htmlChecks()", "true"),
        ("'<div> </div>'.htmlChecks()", "false"),
        ("'<div onclick=\"x()\">a</div>'.htmlChecks()", "false"),
        ("'<div>a<script>b</script></div>'.htmlChecks()", "false"),
        ("status.trace('seen')", "booked"),
        ("%resource.id", "a1"),
        ("%context.participant.first().select(%resource.id)", "a1"),
        ("%ucum", "http://unitsofmeasure.org"),
        ("%`vs-x`", "http://hl7.org/fhir/ValueSet/x"),
        ("%`ext-x`", "http://hl7.org/fhir/StructureDefinition/x"),
        ("Appointment.status", "booked"),
        ("Patient.status", ""),
        ("`status`", "booked"),
    ]);
}

/// Knows one value set, one code system, one profile and one slice.
struct Small {
    definition: Document,
}

impl Model for Small {
    fn member_of(&self, value_set: &str, system: Option<&str>, code: &str) -> Option<bool> {
        (value_set == "x").then_some(code == "booked" || (system == Some("s") && code == "narrow"))
    }

    fn subsumes(&self, system: &str, broader: &str, narrower: &str) -> Option<bool> {
        (system == "s").then_some((broader, narrower) == ("broad", "narrow"))
    }

    fn conforms_to<'n>(&self, node: Node<'n>, profile: &str, context: &Context<'n>) -> Option<bool> {
        context.budget_left()?;
        (profile == "p").then_some(node.resource_type() == Some("Appointment"))
    }

    fn is_in_slice(&self, node: Node<'_>, structure: &str, slice: &str) -> Option<bool> {
        (structure == "p" && slice == "first").then_some(node.index() == 0)
    }

    fn element_definition<'n>(&'n self, node: Node<'n>) -> Option<Node<'n>> {
        (node.name() == "status").then_some(self.definition.root())
    }
}

#[test]
fn what_the_definitions_say_is_used_and_what_they_do_not_say_is_a_failure() {
    let document = super::reader::from_json(
        &json!({
            "resourceType": "Appointment", "status": "booked", "comment": "x",
            "participant": [{"status": "accepted"}, {"status": "tentative", "modifierExtension": [{"url": "m"}]}],
            "specialty": [{"coding": [{"system": "t", "code": "broad"}, {"system": "s", "code": "broad"}]}],
            "serviceType": [{"coding": [{"system": "s", "code": "narrow"}]}],
            "reasonCode": [{"text": "only told"}],
            "appointmentType": {"coding": [{"system": "u", "code": "narrow"}]}
        })
        .to_string(),
    );
    let small = Small { definition: Document::from_value(&json!({"path": "Appointment.status", "min": 1})) };
    let budget = std::cell::Cell::new(100_000);
    let context = Context::new(document.root()).model(&small).budget(&budget);
    for (text, wanted) in [
        ("status.memberOf('x')", "true"),
        ("comment.memberOf('x')", "false"),
        ("'booked'.memberOf('x')", "true"),
        ("status.memberOf('y')", "failed: fhirpath.not-known"),
        ("status.memberOf({})", ""),
        ("participant.status.memberOf('x')", ""),
        ("language.memberOf('x')", ""),
        ("participant.first().memberOf('x')", "failed: fhirpath.type"),
        ("serviceType.first().memberOf('x')", "true"),
        ("specialty.coding.first().memberOf('x')", "false"),
        ("reasonCode.first().memberOf('x')", "false"),
        ("specialty.first().subsumes(serviceType.first())", "true"),
        ("serviceType.first().subsumes(specialty.first())", "false"),
        ("serviceType.first().subsumedBy(specialty.coding.last())", "true"),
        ("specialty.coding.last().subsumes(specialty.coding.last())", "true"),
        ("specialty.coding.last().subsumes(specialty.coding.first())", ""),
        ("specialty.coding.last().subsumes({})", ""),
        ("appointmentType.subsumes('broad')", "failed: fhirpath.not-known"),
        ("appointmentType.subsumedBy('narrow')", "true"),
        ("status.subsumes(participant.first())", "failed: fhirpath.type"),
        ("conformsTo('p')", "true"),
        ("status.conformsTo('p')", "false"),
        ("conformsTo('q')", "failed: fhirpath.not-known"),
        ("conformsTo({})", ""),
        ("participant.conformsTo('p')", ""),
        ("1.conformsTo('p')", "failed: fhirpath.type"),
        ("participant.slice('p', 'first').status", "accepted"),
        ("participant.slice('p', 'second')", "failed: fhirpath.not-known"),
        ("language.slice('p', 'second')", ""),
        ("status.elementDefinition().min", "1"),
        ("comment.elementDefinition()", "failed: fhirpath.not-known"),
        ("{}.elementDefinition()", ""),
        ("participant.checkModifiers('m').count()", "2"),
        ("participant.checkModifiers('n', 'm').count()", "2"),
        ("participant.checkModifiers('n')", "failed: fhirpath.modifier"),
        ("participant.first().checkModifiers('n').status", "accepted"),
    ] {
        assert_eq!(super::outcome_in(text, document.root(), &context), wanted, "{text}");
    }
}

#[test]
fn a_budget_is_shared_and_what_is_beyond_it_fails_at_once() {
    let document = appointment();
    let budget = std::cell::Cell::new(1_000);
    let context = Context::new(document.root()).budget(&budget);
    let walk = compiled("descendants().count()");
    let mut ran = 0;
    let failure = loop {
        match walk.evaluate(document.root(), &context) {
            Ok(_) => ran += 1,
            Err(failure) => break failure,
        }
        assert!(ran < 1_000, "the budget is never spent");
    };
    assert!(ran > 1, "one evaluation took all of it");
    assert_eq!(failure.code, "fhirpath.budget");
    assert_eq!(compiled("status").evaluate(document.root(), &context).unwrap_err().code, "fhirpath.budget");
    assert_eq!(compiled("status").evaluate(document.root(), &Context::new(document.root())).unwrap().len(), 1);
}

#[test]
fn what_the_context_gives_is_used() {
    let document = appointment();
    let other = Document::from_value(&json!({"resourceType": "Location", "id": "1", "name": "Clinic"}));
    let resolver = |reference: &str| (reference == "Location/1").then(|| other.root());
    let heard = std::cell::RefCell::new(Vec::new());
    let trace = |name: &str, items: &Collection<'_>| heard.borrow_mut().push((name.to_owned(), items.len()));
    let context =
        Context::new(document.root()).resolver(&resolver).trace(&trace).variable("sender", Collection::text("portal"));
    let scope = Scope::new().variable("other").variable("sender");
    let one = |text: &str| {
        let found = compile(text, &scope).unwrap().evaluate(document.root(), &context);
        found.map(|found| found.single().and_then(|item| item.text().map(|text| text.into_owned())))
    };
    assert_eq!(one("participant[1].actor.resolve().name").unwrap().as_deref(), Some("Clinic"));
    assert_eq!(one("%sender").unwrap().as_deref(), Some("portal"));
    assert_eq!(one("%other").unwrap_err().code, "fhirpath.variable-unset");
    assert_eq!(one("now()").unwrap_err().code, "fhirpath.no-time");
    one("participant.trace('who', actor).count()").unwrap();
    assert_eq!(*heard.borrow(), [("who".to_owned(), 3)]);
}

#[test]
fn a_value_remembers_the_element_it_was_made_from() {
    let document = appointment();
    let context = Context::new(document.root());
    for text in ["comment.upper()", "comment.substring(0, 5)", "comment.replace('B', 'b')", "comment.toString()"] {
        let found = compiled(text).evaluate(document.root(), &context).unwrap();
        let origin = found.single().and_then(Item::origin).unwrap_or_else(|| panic!("{text} has no origin"));
        assert_eq!(origin.expression(), "Appointment.comment", "{text}");
    }
}
