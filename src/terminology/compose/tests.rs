//! Value sets that take in one another: what comes of them, and what they cost.

use super::*;
use crate::terminology::definition::CodeSystem;
use crate::terminology::values::Membership;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn systems(counts: &[(&str, usize)]) -> Systems {
    let definition = |(url, count): &(&str, usize)| {
        let concept: Vec<Value> = (0..*count).map(|number| json!({"code": format!("c{number}")})).collect();
        json!({"url": url, "content": "complete", "caseSensitive": true, "concept": concept})
    };
    let definitions: Value = counts.iter().map(definition).collect();
    let definitions: Vec<CodeSystem> = serde_json::from_value(definitions).unwrap();
    Systems::compile(&definitions, &[])
}

/// So many sets, each made of the next and of the system `line`, without something that nobody has loaded.
fn chain(count: usize) -> Vec<Definition> {
    let set = |number: usize| {
        json!({"url": format!("v{number}"), "compose": {
            "include": [{"valueSet": [format!("v{}", number + 1)]}, {"system": "line"}],
            "exclude": [{"system": "http://loinc.org", "filter": [{"property": "a", "op": "=", "value": "b"}]}]}})
    };
    let mut sets: Vec<Value> = (0..count).map(set).collect();
    sets.push(json!({"url": format!("v{count}"), "compose": {"include": [{"system": "line"}]}}));
    serde_json::from_value(Value::Array(sets)).unwrap()
}

#[test]
fn every_two_sets_combine_as_each_of_their_codes_says() {
    let counts = [("a", 12), ("urn:ietf:bcp:47", 12), ("c", 12)];
    let systems = systems(&counts);
    let numbers: Vec<u32> = counts.iter().map(|(url, _)| systems.number(url).unwrap()).collect();
    let mut seed = 7u64;
    let mut chance = move |of: u64| {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (seed >> 33) % of
    };
    let mut any = || {
        let mut listing = Listing::default();
        for system in numbers.iter().copied() {
            let way = chance(4);
            if way > 1 {
                let by = if way == 2 {
                    OpenBy::Nothing("not loaded".into())
                } else {
                    OpenBy::Form(crate::terminology::forms::Form::Language)
                };
                listing.open.push(Open { system: (chance(6) > 0).then_some(system), by });
            }
        }
        for system in numbers.iter().copied() {
            let density = chance(3) * 4;
            for concept in 0..12 {
                let entry = Entry { system, concept };
                match chance(12) {
                    way if way >= density => {}
                    0..=3 => listing.listed.push(entry),
                    4..=5 => listing.doubtful.push(entry),
                    _ if listing.open.iter().any(|open| open.system.is_none_or(|one| one == system)) => {
                        listing.barred.push(entry)
                    }
                    _ => {}
                }
            }
        }
        listing
    };
    for round in 0..2000 {
        let (one, other) = (any(), any());
        let either = Listing::any([one.clone(), other.clone()], &systems);
        let both = one.clone().and(other.clone(), &systems);
        let left = one.clone().without(other.clone(), &systems);
        for entry in numbers.iter().flat_map(|system| (0..12).map(|concept| Entry { system: *system, concept })) {
            let (of_one, of_other) = (one.entry(&systems, entry), other.entry(&systems, entry));
            let told = format!("round {round}, {entry:?} of {one:?} and {other:?}");
            // Of a code that neither names, a common part or difference of forms may say that it does not know.
            let is_named = [&one, &other].iter().any(|set| {
                [&set.listed, &set.doubtful, &set.barred].iter().any(|list| list.binary_search(&entry).is_ok())
            });
            let holds = |made: &Listing, exact: Membership| {
                let said = made.entry(&systems, entry);
                said == exact || (!is_named && said == Membership::Undecided)
            };
            assert!(holds(&either, of_one.or(of_other)), "either: {told}");
            assert!(holds(&both, of_one.and(of_other)), "both: {told}");
            assert!(holds(&left, of_one.and(of_other.negated())), "without: {told}");
        }
        for made in [either, both, left] {
            for list in [&made.listed, &made.doubtful, &made.barred] {
                assert!(list.is_sorted_by(|one, next| one < next), "each list stays sorted: {made:?}");
            }
        }
    }
}

#[test]
fn a_long_chain_over_a_large_system_is_worked_out_in_proportion_to_its_size() {
    let systems = systems(&[("line", 40_000)]);
    let sets = chain(300);
    let begun = Instant::now();
    let composed = compose(&systems, &sets);
    let took = begun.elapsed();
    // 27 s before sets were merged, unoptimised as here.
    assert!(took < Duration::from_secs(15), "{took:?}");
    eprintln!("300 chained value sets over 40 000 codes: {took:?}");
    let last = &composed[300];
    assert_eq!((last.0.as_str(), last.2.listed.len()), ("v300", 40_000));
}

#[test]
fn what_sets_take_in_of_one_another_is_bounded_and_what_is_past_that_is_told() {
    let systems = systems(&[("line", 100)]);
    let plain = |number: usize| json!({"url": format!("v{number}"), "compose": {"include": [{"system": "line"}]}});
    let mut sets: Vec<Value> = (0..3).map(plain).collect();
    let many: Vec<Value> = (0..100_000).map(|_| json!({"valueSet": ["v0"]})).collect();
    sets.push(json!({"url": "many", "compose": {"include": many}}));
    sets.push(plain(4));
    let sets: Vec<Definition> = serde_json::from_value(Value::Array(sets)).unwrap();

    let composed = compose_within(1000, &systems, &sets);
    for (url, _, listing) in composed.iter().take(3) {
        assert_eq!((listing.listed.len(), listing.reasons().len()), (100, 0), "{url} is within the bound");
    }
    for (url, _, listing) in composed.iter().skip(3).take(2) {
        assert_eq!(listing.reasons(), ["the value sets take in more than 1000 codes"], "{url}");
        assert_eq!(listing.stray(0, "c1"), Membership::Undecided, "{url}: nothing is said to be out");
    }
    // With room for all of it nothing is different from what it was.
    let composed = compose(&systems, &sets);
    assert!(composed.iter().take(5).all(|(_, _, listing)| listing.is_whole() && listing.listed.len() == 100));
}
