//! Code systems and value sets, by small ones made up for the purpose.

use super::definition::{CodeSystem, Definition};
use super::systems::Content;
use super::values::{Membership, ValueSets};
use serde_json::{Value, json};

fn compile(definitions: Value) -> ValueSets {
    let systems: Vec<CodeSystem> = serde_json::from_value(json!([
        {"url": "urn:meal", "version": "2", "content": "complete", "caseSensitive": true, "valueSet": "urn:meal:all",
            "property": [{"code": "heat"}, {"code": "kcal"}],
            "concept": [
                {"code": "meal", "property": [{"code": "notSelectable", "valueBoolean": true}], "concept": [
                    {"code": "lunch", "display": "Mid-day meal", "designation": [{"language": "cy", "value": "Cinio"}],
                        "property": [{"code": "heat", "valueCode": "warm"}, {"code": "kcal", "valueInteger": 600}],
                        "concept": [{"code": "late-lunch"}]},
                    {"code": "tea", "property": [{"code": "heat", "valueCode": "hot"}]}]},
                {"code": "fast", "property": [{"code": "status", "valueCode": "retired"}]},
            ]},
        {"url": "urn:flat", "content": "complete", "caseSensitive": true, "concept": [
            {"code": "a"}, {"code": "b", "property": [{"code": "subsumedBy", "valueCode": "a"}]},
            {"code": "c", "property": [{"code": "parent", "valueCode": "b"}]},
            {"code": "d", "property": [{"code": "parent", "valueCode": "d"}]}, {"code": "e"},
        ]},
        {"url": "urn:any-case", "content": "complete", "concept": [{"code": "One"}, {"code": "one"}, {"code": "Two"}]},
        {"url": "urn:part", "content": "fragment", "caseSensitive": true, "concept": [
            {"code": "one", "concept": [{"code": "one-a"}]}, {"code": "other"}]},
        {"url": "urn:names", "content": "supplement", "supplements": "urn:meal", "concept": [
            {"code": "tea", "designation": [{"value": "High tea"}]}]},
    ]))
    .unwrap();
    let definitions: Vec<Definition> = serde_json::from_value(definitions).unwrap();
    ValueSets::compile(&systems, &definitions)
}

fn codes(sets: &ValueSets, url: &str) -> Vec<String> {
    sets.find(url).unwrap().codes().map(|(_, code)| code.to_owned()).collect()
}

#[test]
fn a_whole_system_is_taken_in_with_the_codes_below_others() {
    let sets = compile(json!([{"url": "all", "compose": {"include": [{"system": "urn:meal"}]}}]));
    assert_eq!(codes(&sets, "all|1.0"), ["fast", "late-lunch", "lunch", "meal", "tea"]);
    let all = sets.find("all").unwrap();
    assert!(all.is_listed() && all.undecided().is_empty());
    assert_eq!(all.holds(None, "tea"), Membership::In);
    assert_eq!(all.holds(Some("urn:meal"), "tea"), Membership::In);
    assert_eq!(all.holds(Some("urn:other"), "tea"), Membership::Out);
    assert_eq!(all.holds(Some("urn:flat"), "a"), Membership::Out);
    assert_eq!(all.holds(None, "Tea"), Membership::Out, "codes are told apart by case");
    assert_eq!(codes(&sets, "urn:meal:all").len(), 5, "the system itself names the set of all its codes");
}

#[test]
fn filters_choose_by_hierarchy_property_and_name() {
    let filter = |property: &str, op: &str, value: &str| json!({"property": property, "op": op, "value": value});
    let check = |system: &str, filters: Vec<Value>, expected: &[&str]| {
        let told = format!("{filters:?}");
        let sets = compile(json!([{"url": "x", "compose": {"include": [{"system": system, "filter": filters}]}}]));
        assert_eq!(codes(&sets, "x"), expected, "{told}");
        assert!(sets.find("x").unwrap().is_listed(), "{told}");
    };
    let meal = "urn:meal";
    check(meal, vec![filter("concept", "is-a", "lunch")], &["late-lunch", "lunch"]);
    check(meal, vec![filter("concept", "descendent-of", "meal")], &["late-lunch", "lunch", "tea"]);
    check(meal, vec![filter("concept", "is-not-a", "lunch")], &["fast", "meal", "tea"]);
    check(meal, vec![filter("concept", "generalizes", "late-lunch")], &["late-lunch", "lunch", "meal"]);
    check(meal, vec![filter("concept", "in", "tea, lunch")], &["lunch", "tea"]);
    check(meal, vec![filter("code", "not-in", "tea,lunch")], &["fast", "late-lunch", "meal"]);
    check(meal, vec![filter("heat", "=", "hot")], &["tea"]);
    check(meal, vec![filter("heat", "exists", "true")], &["lunch", "tea"]);
    check(meal, vec![filter("heat", "exists", "false")], &["fast", "late-lunch", "meal"]);
    check(meal, vec![filter("kcal", "=", "600")], &["lunch"]);
    check(meal, vec![filter("code", "regex", ".*lunch")], &["late-lunch", "lunch"]);
    check(meal, vec![filter("code", "regex", "lun")], &[]);
    check(meal, vec![filter("display", "regex", "Cin.*")], &["lunch"]);
    check(meal, vec![filter("parent", "=", "lunch")], &["late-lunch"]);
    check(meal, vec![filter("child", "=", "late-lunch")], &["lunch"]);
    check(meal, vec![filter("inactive", "=", "true")], &["fast"]);
    check(meal, vec![filter("notSelectable", "=", "false")], &["fast", "late-lunch", "lunch", "tea"]);
    check(meal, vec![filter("concept", "is-a", "meal"), filter("heat", "=", "warm")], &["lunch"]);
    check("urn:flat", vec![filter("concept", "is-a", "a")], &["a", "b", "c"]);
    check("urn:flat", vec![filter("concept", "generalizes", "d")], &["d"]);
}

#[test]
fn filters_that_cannot_be_told_are_undecided_and_say_why() {
    let check = |system: &str, filter: Value, why: &str| {
        let sets = compile(json!([{"url": "x", "compose": {"include": [{"system": system, "filter": [filter]}]}}]));
        let set = sets.find("x").unwrap();
        assert!(set.undecided()[0].contains(why), "{:?}", set.undecided());
        assert_eq!(set.holds(Some(system), "new"), Membership::Undecided);
        assert_eq!(set.holds(Some("urn:else"), "new"), Membership::Out);
    };
    check("urn:meal", json!({"property": "price", "op": "=", "value": "1"}), "have no property price");
    check(
        "urn:meal",
        json!({"property": "concept", "op": "is-a", "value": "brunch"}),
        "a code that the system does not have",
    );
    check("urn:meal", json!({"property": "code", "op": "regex", "value": "("}), "regular expression");
    check("urn:meal", json!({"property": "code", "op": "like", "value": "("}), "like is not known");
    check("urn:snomed", json!({"property": "concept", "op": "is-a", "value": "1"}), "needs its codes");
}

#[test]
fn sets_take_in_sets_and_leave_codes_out() {
    let sets = compile(json!([
        {"url": "all", "version": "0", "compose": {"include": [{"system": "urn:flat"}]}},
        {"url": "two", "compose": {"include": [{"valueSet": ["all"]}],
            "exclude": [{"system": "urn:meal", "concept": [{"code": "fast"}, {"code": "meal"}]}]}},
        {"url": "all", "compose": {"include": [{"system": "urn:meal"}]}},
        {"url": "hot", "compose": {"include": [{"system": "urn:meal", "concept": [{"code": "tea"}, {"code": "lunch"}]}]}},
        {"url": "both", "compose": {"include": [{"valueSet": ["two", "hot"]}, {"system": "urn:flat", "concept": [{"code": "a"}]}]}},
        {"url": "narrowed", "compose": {"include": [{"system": "urn:meal", "valueSet": ["hot"],
            "filter": [{"property": "concept", "op": "is-a", "value": "lunch"}]}]}},
        {"url": "active", "compose": {"inactive": false, "include": [{"system": "urn:meal"}]}},
        {"url": "old", "compose": {"include": [{"valueSet": ["all|0"]}]}},
    ]));
    assert_eq!(codes(&sets, "both"), ["lunch", "tea", "a"], "several value sets mean what all of them hold");
    assert_eq!(codes(&sets, "narrowed"), ["lunch"]);
    assert_eq!(codes(&sets, "active"), ["late-lunch", "lunch", "meal", "tea"]);
    assert_eq!(codes(&sets, "old"), ["a", "b", "c", "d", "e"]);
    let check = |system, code, expected| assert_eq!(sets.find("both").unwrap().holds(system, code), expected, "{code}");
    check(Some("urn:meal"), "tea", Membership::In);
    check(None, "a", Membership::In);
    check(Some("urn:meal"), "fast", Membership::Out);
}

#[test]
fn what_cannot_be_listed_is_undecided_and_says_why() {
    let sets = compile(json!([
        {"url": "mixed", "compose": {"include": [{"system": "urn:snomed"}, {"system": "urn:meal"}]}},
        {"url": "fragment", "compose": {"include": [{"system": "urn:part"}]}},
        {"url": "fragment-below", "compose": {"include": [{"system": "urn:part",
            "filter": [{"property": "concept", "op": "is-a", "value": "one"}]}]}},
        {"url": "ring", "compose": {"include": [{"valueSet": ["ring"]}]}},
        {"url": "listed", "compose": {"include": [{"system": "urn:snomed"}]},
            "expansion": {"total": 1, "contains": [{"system": "urn:snomed", "code": "1"}]}},
        {"url": "page", "compose": {"include": [{"system": "urn:snomed"}]},
            "expansion": {"total": 9, "contains": [{"system": "urn:snomed", "code": "1"}]}},
        {"url": "but", "compose": {"include": [{"system": "urn:snomed"}],
            "exclude": [{"system": "urn:snomed", "concept": [{"code": "7"}]}]}},
        {"url": "perhaps-not", "compose": {"include": [{"system": "urn:meal"}], "exclude": [{"valueSet": ["gone"]}]}},
        {"url": "sct", "compose": {"include": [{"valueSet": ["http://snomed.info/sct/999?fhir_vs=isa/1"]},
            {"system": "http://snomed.info/sct", "concept": [{"code": "2"}]}]}},
        {"url": "nothing"},
    ]));
    let check = |url: &str, system, code, expected, why: &str| {
        assert_eq!(sets.find(url).unwrap().holds(system, code), expected, "{url} {code} {why}");
    };
    check("mixed", Some("urn:meal"), "tea", Membership::In, "");
    check("mixed", Some("urn:meal"), "coffee", Membership::Out, "all of that system is listed");
    check("mixed", Some("urn:snomed"), "1", Membership::Undecided, "");
    check("mixed", None, "coffee", Membership::Undecided, "");
    check("fragment", None, "one", Membership::In, "");
    check("fragment", None, "two", Membership::Undecided, "");
    check("fragment-below", Some("urn:part"), "one-a", Membership::In, "");
    check("fragment-below", Some("urn:part"), "other", Membership::Out, "the fragment says where it stands");
    check("fragment-below", Some("urn:part"), "new", Membership::Undecided, "");
    check("ring", None, "x", Membership::Undecided, "");
    check("listed", None, "2", Membership::Out, "an expansion tells all");
    check("page", None, "2", Membership::Undecided, "a page of an expansion does not");
    check("but", Some("urn:snomed"), "7", Membership::Out, "it is left out by name");
    check("but", Some("urn:snomed"), "8", Membership::Undecided, "");
    check("perhaps-not", Some("urn:meal"), "tea", Membership::Undecided, "it may be left out");
    check("perhaps-not", Some("urn:flat"), "a", Membership::Out, "");
    check("sct", Some("http://snomed.info/sct"), "1", Membership::Undecided, "");
    check("sct", Some("http://snomed.info/sct"), "2", Membership::In, "");
    check("sct", Some("urn:flat"), "a", Membership::Out, "an implicit set of SNOMED CT has codes of SNOMED CT only");
    check("nothing", None, "a", Membership::Undecided, "");
    assert_eq!(sets.find("mixed").unwrap().undecided(), ["code system urn:snomed is not loaded"]);
    assert!(sets.find("http://loinc.org/vs/LL379-9").is_some());
    assert!(sets.find("http://loinc.org/vsomething").is_none());
}

#[test]
fn systems_that_are_told_by_form_decide_without_a_list() {
    let sets = compile(json!([
        {"url": "languages", "compose": {"include": [{"system": "urn:ietf:bcp:47"}]}},
        {"url": "time", "compose": {"include": [{"system": "http://unitsofmeasure.org",
            "filter": [{"property": "canonical", "op": "=", "value": "s"}]}]}},
        {"url": "two-letters", "compose": {"include": [{"system": "urn:iso:std:iso:3166",
            "filter": [{"property": "code", "op": "regex", "value": "[A-Z]{2}"}]}]}},
    ]));
    let check = |url: &str, code: &str, expected| {
        let set = sets.find(url).unwrap();
        assert_eq!(set.holds(None, code), expected, "{url} {code}");
        assert!(set.undecided().is_empty() && !set.is_listed());
    };
    check("languages", "en-GB", Membership::In);
    check("languages", "English", Membership::In);
    check("languages", "british english", Membership::Out);
    check("time", "min", Membership::In);
    check("time", "mg", Membership::Out);
    check("two-letters", "GB", Membership::In);
    check("two-letters", "GBR", Membership::Out);
}

#[test]
fn where_case_does_not_matter_the_code_as_written_comes_first() {
    let sets = compile(
        json!([{"url": "x", "compose": {"include": [{"system": "urn:any-case", "concept": [{"code": "TWO"}]}]}}]),
    );
    let system = sets.systems().find("urn:any-case").unwrap();
    let found = |code: &str| system.concept(code).map(|concept| concept.code());
    assert_eq!((found("one"), found("One"), found("ONE")), (Some("one"), Some("One"), Some("One")));
    assert_eq!(found("three"), None);
    assert_eq!(sets.find("x").unwrap().holds(Some("urn:any-case"), "two"), Membership::In);
}

#[test]
fn a_code_knows_its_names_and_its_place() {
    let sets = compile(
        json!([{"url": "x", "compose": {"include": [{"system": "urn:meal", "concept": [{"code": "brunch"}]}]}}]),
    );
    let meal = sets.systems().find("urn:meal|2").unwrap();
    let lunch = meal.concept("lunch").unwrap();
    assert_eq!(lunch.display(), Some("Mid-day meal"));
    assert!(lunch.is_called("mid-day  MEAL ") && lunch.is_called("cinio") && !lunch.is_called("Midday meal"));
    assert!(meal.concept("late-lunch").unwrap().is_called("anything"), "what has no name may be called anything");
    assert_eq!(
        meal.concept("tea").unwrap().designations().collect::<Vec<_>>(),
        [(None, "High tea")],
        "from a supplement"
    );
    assert!(meal.concept("meal").unwrap().is_abstract() && meal.concept("fast").unwrap().is_inactive());
    assert!(meal.concept("brunch").is_none(), "a value set's word does not make a code of a complete system");
    assert_eq!(meal.subsumes("meal", "late-lunch"), Some(true));
    assert_eq!(meal.subsumes("late-lunch", "meal"), Some(false));
    assert_eq!(meal.subsumes("tea", "tea"), Some(true));
    assert_eq!(meal.subsumes("tea", "coffee"), None);
    assert_eq!(sets.systems().find("urn:flat").unwrap().subsumes("a", "c"), Some(true));
    assert_eq!(meal.content(), Content::Complete);
}

#[test]
fn a_chain_of_thirty_thousand_codes_and_a_set_of_as_many_parts_take_no_time() {
    let concepts: Vec<Value> = (0..30_000)
        .map(|n| json!({"code": format!("c{n}"), "property": [{"code": "parent", "valueCode": format!("c{}", n + 1)}]}))
        .collect();
    let systems: Vec<CodeSystem> =
        serde_json::from_value(json!([{"url": "urn:chain", "content": "complete", "concept": concepts}])).unwrap();
    let includes: Vec<Value> =
        (0..10_000).map(|n| json!({"system": "urn:chain", "concept": [{"code": format!("c{n}")}]})).collect();
    let definitions: Vec<Definition> = serde_json::from_value(json!([
        {"url": "parts", "compose": {"include": includes}},
        {"url": "top", "compose": {"include": [{"system": "urn:chain",
            "filter": [{"property": "concept", "op": "is-a", "value": "c29999"}]}]}},
    ]))
    .unwrap();
    let sets = ValueSets::compile(&systems, &definitions);
    assert_eq!(codes(&sets, "parts").len(), 10_000);
    assert_eq!(codes(&sets, "top").len(), 30_000);
    assert_eq!(sets.systems().find("urn:chain").unwrap().subsumes("c29999", "c0"), Some(true));
}
