//! Every function over nothing, over several items, and over one item of each kind. What each gives stands in
//! `docs/FHIRPATH.md`, where it is read and from where it is compared.

use super::appointment;
use crate::fhirpath::table::FUNCTIONS;
use crate::fhirpath::tests::{outcome, told};
use std::fmt::Write;

/// What the functions that need arguments are called with.
const ARGUMENTS: &[(&str, &str)] = &[
    ("aggregate", "$total + $this, 0"),
    ("all", "$this = 1"),
    ("as", "String"),
    ("checkModifiers", "'u'"),
    ("coalesce", "{}, 'x'"),
    ("combine", "'a'"),
    ("comparable", "1 'g'"),
    ("conformsTo", "'u'"),
    ("contains", "'a'"),
    ("decode", "'hex'"),
    ("defineVariable", "'v'"),
    ("encode", "'hex'"),
    ("endsWith", "'a'"),
    ("escape", "'html'"),
    ("exclude", "1 | 'a'"),
    ("extension", "'u'"),
    ("iif", "$this = 1, 'yes', 'no'"),
    ("indexOf", "'a'"),
    ("intersect", "1 | 'a'"),
    ("is", "String"),
    ("join", "'-'"),
    ("lastIndexOf", "'a'"),
    ("log", "2"),
    ("matches", "'a'"),
    ("matchesFull", "'a'"),
    ("memberOf", "'u'"),
    ("ofType", "String"),
    ("power", "2"),
    ("repeat", "status"),
    ("repeatAll", "status"),
    ("replace", "'a', 'b'"),
    ("replaceMatches", "'a', 'b'"),
    ("round", "0"),
    ("select", "$index"),
    ("skip", "1"),
    ("slice", "'u', 's'"),
    ("split", "'a'"),
    ("startsWith", "'a'"),
    ("subsetOf", "1 | 'a'"),
    ("substring", "0"),
    ("subsumedBy", "'a'"),
    ("subsumes", "'b'"),
    ("supersetOf", "'a'"),
    ("take", "1"),
    ("trace", "'t'"),
    ("unescape", "'html'"),
    ("union", "'a'"),
    ("where", "$this = 1"),
];

const INPUTS: &[&str] = &["{}", "(1 | 2)", "true", "1", "2.5", "'a'", "@2024-05", "@T10:30", "3 'g'", "participant[0]"];

#[test]
fn every_function_gives_what_the_page_says_over_nothing_over_several_and_over_each_kind() {
    let document = appointment();
    let mut table = String::from("| Function |");
    INPUTS.iter().for_each(|input| write!(table, " `{}` |", input.replace('|', "\\|")).unwrap());
    table.push_str("\n| --- |");
    table.push_str(&" --- |".repeat(INPUTS.len()));
    table.push('\n');
    for signature in FUNCTIONS {
        let arguments = ARGUMENTS.iter().find(|(name, _)| *name == signature.name).map_or("", |(_, given)| given);
        // `type()` is asked together with what it tells.
        let rest = if signature.name == "type" { ".name" } else { "" };
        let call = format!("{}({arguments}){rest}", signature.name);
        write!(table, "| `{}` |", call.replace('|', "\\|")).unwrap();
        for input in INPUTS {
            let given = outcome(&format!("{input}.{call}"), &document);
            let cell = match given.strip_prefix("failed: fhirpath.") {
                Some(code) => format!("✗ {code}"),
                None if given.is_empty() => "·".to_owned(),
                None => format!("`{given}`"),
            };
            write!(table, " {cell} |").unwrap();
        }
        table.push('\n');
    }
    told::keep("functions", &table);
}

#[test]
fn arguments_are_given_for_functions_that_exist() {
    for (name, _) in ARGUMENTS {
        assert!(FUNCTIONS.iter().any(|signature| signature.name == *name), "{name}");
    }
}
