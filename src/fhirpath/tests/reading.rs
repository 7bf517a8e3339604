//! What compiling refuses, what it tells about paths, and what hostile text does to it: nothing.

use super::compiled;
use super::definitions::R4;
use crate::document::Document;
use crate::fhirpath::{Context, Failure, PathStart, Scope, compile, compile_for};
use proptest::prelude::*;
use serde_json::json;

#[test]
fn what_is_not_known_is_refused_with_its_place_and_a_way_out() {
    for (text, code, at, hint) in [
        ("status = ", "fhirpath.syntax", 9..9, None),
        ("status = 'open", "fhirpath.syntax", 9..14, None),
        ("a /* b", "fhirpath.syntax", 2..6, None),
        ("a b", "fhirpath.syntax", 2..3, None),
        ("a..b", "fhirpath.syntax", 2..3, None),
        ("a ; b", "fhirpath.syntax", 2..3, None),
        ("@2026-13", "fhirpath.syntax", 0..8, None),
        ("'\\q'", "fhirpath.syntax", 1..3, Some("known are")),
        ("$that", "fhirpath.syntax", 0..5, None),
        ("name.exist()", "fhirpath.function-unknown", 5..12, Some("did you mean `exists()`?")),
        ("lookup('x', 'y')", "fhirpath.function-refused", 0..16, None),
        ("a.first(1)", "fhirpath.arguments", 2..10, None),
        ("a.is(Patiant)", "fhirpath.type-unknown", 5..12, Some("did you mean `Patient`?")),
        ("a is System.Patiant", "fhirpath.type-unknown", 5..19, Some("did you mean `Patient`?")),
        ("a.is(1)", "fhirpath.type-unknown", 5..6, None),
        ("%resorce.id", "fhirpath.variable-unknown", 0..8, Some("did you mean `%resource`?")),
        ("a.matches('(')", "fhirpath.pattern", 10..13, Some("unclosed group")),
        ("a.matches('(?=x)')", "fhirpath.pattern", 10..17, Some("look-around")),
        ("a.matches('(\\\\w{1000}){1000}')", "fhirpath.pattern", 10..29, Some("size limit")),
    ] {
        let faults = compile(text, &Scope::new()).map(|_| ()).unwrap_err();
        let fault = &faults[0];
        assert_eq!((fault.code, &fault.at), (code, &at), "{text}: {fault}");
        let told = fault.hint.as_deref().unwrap_or("");
        assert!(hint.is_none_or(|hint| told.contains(hint)), "{text}: the hint is {told:?}");
    }
}

#[test]
fn with_the_definitions_at_hand_what_is_wrong_for_every_input_is_refused() {
    let r4 = R4::load();
    for (text, input, wanted) in [
        ("name.given1", "Patient", Some(("fhirpath.element-unknown", "did you mean `given`?"))),
        ("name.where(use = 'official').famly", "Patient", Some(("fhirpath.element-unknown", "did you mean `family`?"))),
        ("contact.name.given | contact.nme", "Patient", Some(("fhirpath.element-unknown", "did you mean `name`?"))),
        ("relationship.coding.cod", "Patient.contact", Some(("fhirpath.element-unknown", "did you mean `code`?"))),
        ("value.ofType(Period).unit", "Observation", Some(("fhirpath.element-unknown", ""))),
        ("value.unit", "Observation", None),
        ("value.units", "Observation", Some(("fhirpath.element-unknown", ""))),
        ("valueQuantity.unit", "Observation", None),
        ("valueAddress", "Observation", Some(("fhirpath.element-unknown", ""))),
        ("name.count().foo", "Patient", Some(("fhirpath.element-unknown", ""))),
        (
            "name.select(given | family).lenght()",
            "Patient",
            Some(("fhirpath.function-unknown", "did you mean `length()`?")),
        ),
        ("Encounter.status", "Patient", Some(("fhirpath.input-type", "leave the name"))),
        ("Resource.id", "Patient", None),
        ("entry.resource.where($this is Patient).name", "Bundle", None),
        ("entry.resource.ofType(Patient).nam", "Bundle", Some(("fhirpath.element-unknown", "did you mean `name`?"))),
        ("entry.resource.select(Patient.name)", "Bundle", None),
        ("subject.resolve().anything", "Observation", None),
        ("item.repeat(item).linkId", "Questionnaire", None),
        ("repeat(item).linkID", "Questionnaire", Some(("fhirpath.element-unknown", "did you mean `linkId`?"))),
        ("children().skip(1)", "Patient", Some(("fhirpath.unordered", "where()"))),
        ("descendants().where(id.exists()).first()", "Patient", Some(("fhirpath.unordered", ""))),
        ("descendants()[0]", "Patient", Some(("fhirpath.unordered", ""))),
        ("children().id.count()", "Patient", None),
        ("defineVariable('n', name).select(%n.gven)", "Patient", Some(("fhirpath.element-unknown", "given"))),
        ("iif(active, name, contact.name).familly", "Patient", Some(("fhirpath.element-unknown", "family"))),
        ("extension('u').value.anything", "Patient", Some(("fhirpath.element-unknown", ""))),
        ("%resource.anything", "Patient", None),
        ("anything", "NoSuchType", None),
        ("birthDate.extension.url", "Patient", None),
    ] {
        let told = compile_for(text, &Scope::new(), &r4, input).map(|_| ());
        match (told, wanted) {
            (Ok(()), None) => {}
            (Err(faults), Some((code, hint))) => {
                let fault = &faults[0];
                assert_eq!(fault.code, code, "{text}: {fault}");
                assert!(fault.hint.as_deref().unwrap_or("").contains(hint), "{text}: {fault}");
            }
            (told, wanted) => panic!("{text} on {input}: {told:?}, wanted {wanted:?}"),
        }
    }
}

#[test]
fn all_faults_are_told_and_not_the_first_only() {
    let faults = compile("a.foo() and %bar and c is Baz", &Scope::new()).map(|_| ()).unwrap_err();
    let codes: Vec<_> = faults.iter().map(|fault| fault.code).collect();
    assert_eq!(codes, ["fhirpath.function-unknown", "fhirpath.variable-unknown", "fhirpath.type-unknown"]);
}

#[test]
fn a_full_choice_name_is_refused_where_the_scope_asks_for_it() {
    let faults = compile("valueQuantity.unit", &Scope::new().strict_choices()).map(|_| ()).unwrap_err();
    assert_eq!(faults[0].code, "fhirpath.choice-name");
    assert!(faults[0].hint.as_deref().unwrap().contains("value.ofType(Quantity)"));
    assert!(compile("valueQuantity.unit", &Scope::new()).is_ok());
}

#[test]
fn the_paths_an_expression_reads_are_told_without_running_it() {
    for (text, wanted) in [
        ("status", "status"),
        ("Appointment.status", "Appointment:status"),
        ("participant.actor.reference", "participant.actor.reference"),
        ("participant.where(status = 'a').actor", "participant.status participant participant.actor"),
        ("participant.exists(actor.exists())", "participant.actor participant"),
        ("start.exists() = end.exists()", "start end"),
        ("(a | b).c", "a.c b.c"),
        ("extension('u').value.ofType(Coding).code", "extension.value<Coding>.code"),
        ("(value as Quantity).unit", "value<Quantity>.unit"),
        ("name.select(given | family)", "name name.given name.family"),
        ("iif(a, b, c).d", "a b.d c.d"),
        ("%resource.contained.id", "%resource/contained.id"),
        ("a.where(b = %resource.c)", "a.b %resource/c a"),
        ("descendants().where(x)", "*"),
        ("'x' + 1", ""),
        ("items.aggregate($total + $this.n)", "items.n items"),
    ] {
        let paths: Vec<String> = compiled(text)
            .paths()
            .iter()
            .map(|path| {
                let start = match &path.start {
                    PathStart::Input => String::new(),
                    PathStart::Resource => "%resource/".to_owned(),
                    PathStart::Root => "%rootResource/".to_owned(),
                    PathStart::Variable(name) => format!("%{name}/"),
                };
                let kind = path.on_type.map(|name| format!("{name}:")).unwrap_or_default();
                let steps: Vec<_> = path
                    .steps
                    .iter()
                    .map(|step| step.of_type.map_or(step.name.to_owned(), |kind| format!("{}<{kind}>", step.name)))
                    .collect();
                format!("{start}{kind}{}{}", steps.join("."), if path.reads_below { "*" } else { "" })
            })
            .collect();
        assert_eq!(paths.join(" "), wanted, "{text}");
    }
    let path = &compiled("participant.actr").paths()[0];
    assert_eq!(path.steps[1].at, 12..16);
}

#[test]
fn text_that_nests_without_end_is_refused_and_does_not_overflow() {
    for text in [
        "(".repeat(100_000),
        "a.where(".repeat(20_000),
        "-".repeat(60_000),
        format!("1{}", "+1".repeat(30_000)),
        format!("{}1{}", "(".repeat(1000), ")".repeat(1000)),
        format!("a{}", "[0".repeat(5_000)),
        format!("a{}", " is Patient".repeat(5_000)),
        "a implies ".repeat(5_000) + "a",
    ] {
        assert!(compile(&text, &Scope::new()).is_err(), "{}", &text[..20]);
    }
}

#[test]
fn what_compiles_runs_as_deep_as_it_may_be_and_long_lists_are_not_deep() {
    let document = Document::from_value(&json!({"a": {"a": true}}));
    let context = Context::new(document.root());
    let deep = format!("{}a{}", "a.where(".repeat(98), ")".repeat(98));
    assert!(compiled(&deep).evaluate(document.root(), &context).is_ok());
    let deep = format!("{}true{}", "iif(true, ".repeat(98), ")".repeat(98));
    assert_eq!(compiled(&deep).holds(document.root(), &context), Ok(Some(true)));
    let codes: Vec<_> = (0..2_000).map(|code| format!("'c{code}'")).collect();
    let list = format!("'c1999' in ({})", codes.join(" | "));
    assert_eq!(compiled(&list).holds(document.root(), &context), Ok(Some(true)));
    let path = format!("a{}", ".a".repeat(10_000));
    assert!(compiled(&path).evaluate(document.root(), &context).unwrap().is_empty());
}

#[test]
fn an_evaluation_ends_however_large_the_input() {
    let many: Vec<_> = (0..5_000).map(|n| json!({"x": n, "y": [n, n + 1]})).collect();
    let document = Document::from_value(&json!({"a": many}));
    let context = Context::new(document.root()).steps_max(200_000);
    let codes =
        |text: &str| compiled(text).evaluate(document.root(), &context).map(|_| ()).map_err(|failure| failure.code);
    assert_eq!(codes("a.select(%resource.a.x)"), Err("fhirpath.steps"));
    assert_eq!(codes("a.distinct()"), Err("fhirpath.steps"));
    assert_eq!(codes("a.descendants().select(%resource.descendants())"), Err("fhirpath.steps"));
    assert_eq!(codes("a.repeat($this.y | $this)"), Ok(()));
    // Doubling a text twenty times and more.
    let doubling = format!("('x'{})", ".select($this + $this)".repeat(60));
    assert_eq!(codes(&doubling), Err("fhirpath.text-bytes"));
    assert_eq!(codes("'x'.repeat($this + 'x')"), Err("fhirpath.steps"));
}

#[test]
fn what_repeats_inside_what_repeats_is_read_strictly_to_an_end() {
    let text = format!("{}item{}", "repeat(".repeat(60), ")".repeat(60));
    assert!(compile_for(&text, &Scope::new(), &R4::load(), "Questionnaire").is_ok());
}

#[test]
fn a_failure_names_the_place_in_the_expression_and_no_value() {
    let document = Document::from_value(&json!({"name": ["Synthetic", "Person"]}));
    let failure = compiled("name.upper()").evaluate(document.root(), &Context::new(document.root())).unwrap_err();
    assert_eq!(failure.code, "fhirpath.not-single");
    assert_eq!(failure.at, 5..12);
    let Failure { message, .. } = failure;
    assert!(!message.contains("Synthetic"), "{message}");
}

proptest! {
    #[test]
    fn no_text_makes_the_compiler_panic(text in "\\PC{0,80}") {
        let _ = compile(&text, &Scope::new());
    }

    #[test]
    fn no_arrangement_of_tokens_makes_compiling_or_running_panic(
        tokens in proptest::collection::vec(
            prop::sample::select(vec![
                "a", "start", "where", "(", ")", ".", "[", "]", "0", "1.5", "'x'", "'2026-01'", "@2026-02", "@T10", "|", "&",
                "and", "or", "implies", "in", "contains", "=", "~", "<", "+", "-", "*", "/", "div", "mod", "is", "as",
                "Quantity", "{", "}", "$this", "$index", "$total", "%resource", "first()", "descendants()", "repeat(",
                "select(", "iif(", ",", "7 days", "4 'kg'", "toString()", "substring(1)", "upper()", "round(1)",
                "lowBoundary()", "9223372036854775807", "99999999999999999999999999999999999.99", "0.0000000000000000000000000001",
                "@9999-12-31", "@0001-01-01T00:00:00+14:00", "90000000 years", "9223372036854775807 days", "power(99)", "abs()",
                "highBoundary(3)", "toQuantity()", "split('')", "sort(", "distinct()", "exists(",
                "defineVariable('v')", "defineVariable('w', ", "%v", "%w", "repeatAll(", "coalesce(", "yearOf()", "matches(",
                "matches(a)", "toQuantity('days')", "dateOf()", "1 'cm2'", "2 'm'", "is(System.Patient)", "children()",
            ]),
            0..14,
        )
    ) {
        let text = tokens.join(" ");
        static R4_DEFINITIONS: std::sync::OnceLock<R4> = std::sync::OnceLock::new();
        let r4 = R4_DEFINITIONS.get_or_init(R4::load);
        let document = Document::from_value(&json!({
            "resourceType": "Patient", "start": "2026-01-01", "a": [{"a": 1, "start": "x"}, {"a": 2.5}, {"a": {"a": true}}]
        }));
        if let Ok(expression) = compile(&text, &Scope::new()) {
            let context = Context::new(document.root()).steps_max(20_000);
            let _ = expression.evaluate(document.root(), &context);
            let _ = expression.paths();
            let _ = compile_for(&text, &Scope::new(), r4, "Patient");
        }
    }
}

#[test]
fn expressions_are_shared_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&compiled("status"));
    shared(&Scope::new());
}
