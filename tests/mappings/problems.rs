//! Every fault that a mapping file can have is found when it is compiled, where it stands and with a way out.

use super::{files, profiles};
use stile::mapping::{Library, Problem, Source};

const GOOD: &str = "mapping: m
version: 1.0.0
title: T
from: { resource: Appointment }
to: appointment
rules:
  status: { from: status, translate: appointment-status, otherwise: refuse }
";

pub(super) fn compile(yaml: &str) -> Result<Library, Vec<Problem>> {
    compile_all(&[Source::new("m.yaml", yaml)])
}

fn compile_all(mappings: &[Source]) -> Result<Library, Vec<Problem>> {
    // Only the tables that the cases use: an unused table is a problem of its own.
    let uses = |name: &str| mappings.iter().any(|mapping| mapping.text.contains(name.trim_end_matches(".csv")));
    let tables: Vec<Source> = files("mappings/tables", ".csv")
        .into_iter()
        .filter(|table| uses(&table.name))
        .map(|table| Source::new(format!("tables/{}", table.name), table.text))
        .collect();
    Library::compile(mappings, &tables, &files("profiles/canonical", ".schema.json"), &profiles().elements())
}

/// Adds lines to the good mapping, and asks for one problem with this code, line and column, and part of its hint.
fn check(lines: &str, code: &str, at: (u32, u32), hint: &str) {
    let yaml = format!("{GOOD}{lines}");
    let problems = match compile(&yaml) {
        Ok(_) => panic!("nothing was found wrong with:\n{lines}"),
        Err(problems) => problems,
    };
    let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
    let [problem] = problems.as_slice() else { panic!("{lines}\n{}", told.join("\n")) };
    assert_eq!(problem.code, code, "{problem}");
    assert_eq!((problem.at.line, problem.at.column), at, "{problem}");
    assert!(problem.hint.as_deref().unwrap_or_default().contains(hint), "{problem}");
    assert_eq!(problem.file, "m.yaml");
}

#[test]
fn the_good_mapping_is_good() {
    if let Err(problems) = compile(GOOD) {
        panic!("{problems:?}");
    }
}

#[test]
fn source_paths_are_checked_against_r4() {
    check("  description: descripton\n", "mapping.source-path", (8, 16), "did you mean `description`?");
    check("  starts_at: { from: participant.actr.display, as: instant }\n", "mapping.source-path", (8, 34), "`actor`");
    check("  description: participant.where(actor.typ = 'Patient').status\n", "mapping.source-path", (8, 40), "`type`");
    check("  description: \"%id.nhs_nmber\"\n", "mapping.source-path", (8, 21), "`nhs_number`");
    check(
        "  references:\n    each: basedOn\n    rules:\n      system: identifier.sistem\n      value: identifier.value\n",
        "mapping.source-path",
        (11, 26),
        "`system`",
    );
    check(
        "  description: \"%p.actor.dsplay\"\nlet:\n  p: participant.where(status = 'accepted')\n",
        "mapping.source-path",
        (8, 26),
        "`display`",
    );
}

#[test]
fn expressions_are_checked() {
    check("  description: status.fooo()\n", "fhirpath.function-unknown", (8, 23), "");
    check("  description: \"%nobody.x\"\n", "fhirpath.variable-unknown", (8, 17), "");
}

#[test]
fn targets_are_checked_against_the_schema() {
    check("  descripton: description\n", "mapping.target-path", (8, 3), "did you mean `description`?");
    check("  identifiers.pass: id\n", "mapping.target-path", (8, 3), "`pas`");
    check("  identifiers: id\n", "mapping.target-object", (8, 16), "pas");
    check("  description[0]: id\n", "mapping.target-index", (8, 3), "");
    check("  references: basedOn.reference\n", "mapping.target-list", (8, 15), "each");
    let unindexed = compile(&format!("{GOOD}  references.system: id\n")).unwrap_err();
    assert_eq!(unindexed[0].code, "mapping.target-index");
    assert!(unindexed[0].hint.as_deref().unwrap_or_default().contains("`references[0]`"), "{}", unindexed[0]);
    check("  description: { each: basedOn.reference }\n", "mapping.target-one", (8, 16), "join");
    check("  description..x: id\n", "mapping.target-form", (8, 3), "");
    check("  status: status\n", "yaml.duplicate-key", (8, 3), "");
    check("  based_on: { each: basedOn.reference }\n  based_on[0]: id\n", "mapping.two-rules", (9, 3), "");
}

#[test]
fn values_fit_their_target() {
    check("  medium: { constant: vidio }\n", "mapping.code", (8, 11), "did you mean `video`?");
    check("  description: { constant: true }\n", "mapping.type", (8, 16), "");
    check("  description: { from: priority, as: integer }\n", "mapping.type", (8, 16), "");
    check(
        "  medium: { from: status, translate: appointment-status, otherwise: refuse }\n",
        "mapping.table-target",
        (8, 38),
        "",
    );
}

#[test]
fn required_targets_have_rules() {
    let yaml = "mapping: m\nversion: 1.0.0\ntitle: T\nfrom: { resource: Appointment }\nto: appointment\nrules:\n  \
                description: description\n";
    let problems = compile(yaml).unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!(problems[0].code, "mapping.required-target");
    check(
        "  references:\n    each: basedOn\n    rules:\n      system: reference\n",
        "mapping.required-target",
        (11, 7),
        "value",
    );
}

#[test]
fn tables_and_conversions_are_there() {
    check(
        "  medium: { from: status, translate: apointment-status, otherwise: refuse }\n",
        "mapping.unknown-table",
        (8, 38),
        "`appointment-status`",
    );
    check("  starts_at: { from: start, as: instnt }\n", "mapping.unknown-conversion", (8, 33), "`instant`");
    check(
        "  medium: { from: id, translate: consultation-medium/pca }\n",
        "mapping.otherwise-unsaid",
        (8, 23),
        "`refuse`",
    );
    check(
        "  medium: { from: id, translate: consultation-medium/pca, otherwise: skip }\n",
        "mapping.otherwise",
        (8, 70),
        "`omit`",
    );
}

#[test]
fn a_table_has_a_row_for_every_code_of_a_required_binding() {
    check(
        "  medium: { from: status, translate: consultation-medium/pca, otherwise: refuse }\n",
        "mapping.table-incomplete",
        (8, 38),
        "empty target",
    );
}

#[test]
fn keys_are_known_and_go_together() {
    check("  description: { form: id }\n", "mapping.unknown-key", (8, 18), "did you mean `from`?");
    check("  description: { from: id, constant: x }\n", "mapping.recipe-source", (8, 16), "");
    check("  description: { constant: x, as: text }\n", "mapping.key-alone", (8, 31), "");
    check("  description: { from: id, otherwise: carry }\n", "mapping.key-alone", (8, 28), "");
    check("wanted: x\n", "mapping.unknown-key", (8, 1), "there are: ");
}

#[test]
fn names_and_dropped_paths_are_used_rightly() {
    check("let: { unused: id }\n", "mapping.let-unused", (8, 8), "");
    check("dropped: [status]\n", "mapping.dropped-read", (8, 11), "");
    check("dropped: [colour]\n", "mapping.dropped-path", (8, 11), "");
}

#[test]
fn the_head_of_a_mapping_is_checked() {
    for (good, bad, code) in [
        ("mapping: m", "mapping: other", "mapping.name"),
        ("version: 1.0.0\n", "", "mapping.missing-key"),
        ("resource: Appointment", "resource: Apointment", "mapping.resource"),
        ("to: appointment", "to: apointment", "mapping.kind"),
        ("to: appointment", "to: { fhir: Tsk }", "mapping.resource"),
        ("{ resource: Appointment }", "{ resource: Appointment, canonical: referral }", "mapping.from"),
    ] {
        let yaml = GOOD.replace(good, bad);
        assert_ne!(yaml, GOOD);
        let problems = compile(&yaml).unwrap_err();
        assert!(problems.iter().any(|problem| problem.code == code), "{code}: {problems:?}");
    }
}

#[test]
fn fhir_targets_are_checked_against_r4() {
    let outbound = |lines: &str| {
        format!(
            "mapping: m\nversion: 1.0.0\ntitle: T\nfrom: {{ canonical: change-request }}\nto: {{ fhir: Task }}\nrules:\n  \
             status: {{ constant: requested }}\n  intent: {{ constant: order }}\n{lines}"
        )
    };
    if let Err(problems) = compile(&outbound("")) {
        panic!("{problems:?}");
    }
    for (lines, code) in [
        ("  focuss.reference: kind\n", "mapping.target-path"),
        ("  note.text: note\n", "mapping.target-index"),
        ("  focus[0].reference: kind\n", "mapping.target-index"),
        ("  focus: kind\n", "mapping.target-object"),
        ("  priority: { constant: soon }\n", "mapping.code"),
        ("  input[0].value: note\n  input[0].type.text: note\n", "mapping.target-choice"),
        ("  input[0].valueString: note\n", "mapping.required-target"),
        ("  description: nte\n", "mapping.source-path"),
        ("  description: \"%change.idd\"\n", "mapping.source-path"),
        ("  description: \"%appointment.identifers.pas\"\n", "mapping.source-path"),
    ] {
        let problems = compile(&outbound(lines)).unwrap_err();
        let codes: Vec<_> = problems.iter().map(|problem| problem.code).collect();
        assert_eq!(codes, [code], "{lines}: {problems:?}");
    }
}

#[test]
fn mappings_side_by_side_are_never_chosen_by_chance() {
    let second = GOOD.replace("mapping: m", "mapping: n");
    let with = |from: &str| second.replace("{ resource: Appointment }", from);
    for (other, code) in [
        (with("{ resource: Appointment, when: start.exists() }"), Some("mapping.never-taken")),
        (with("{ resource: Appointment, when: start.exists(), priority: 1 }"), None),
        (with("{ resource: Appointment, priority: 1 }"), Some("mapping.never-taken")),
    ] {
        let mappings = [Source::new("m.yaml", GOOD), Source::new("n.yaml", other.as_str())];
        let codes: Vec<&str> = match compile_all(&mappings) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.iter().map(|problem| problem.code).collect(),
        };
        assert_eq!(codes.first().copied(), code, "{other}");
    }
}

#[test]
fn all_problems_of_all_files_come_in_one_run() {
    let one = GOOD.replace("translate: appointment-status, otherwise: refuse", "as: txt");
    let mappings = [
        Source::new("m.yaml", format!("{one}  desciption: descripton\n  medium: {{ constant: x }}\n")),
        Source::new("n.yaml", "a: [\n"),
    ];
    let schemas = files("profiles/canonical", ".schema.json");
    let tables = [Source::new("tables/t.csv", "code;target\n"), Source::new("tables/u.csv", "code,target\nA,b\n")];
    let problems = Library::compile(&mappings, &tables, &schemas, &profiles().elements()).unwrap_err();
    let codes: Vec<_> = problems.iter().map(|problem| problem.code).collect();
    for code in [
        "table.header",
        "table.unused",
        "mapping.unknown-conversion",
        "mapping.target-path",
        "mapping.source-path",
        "mapping.code",
        "yaml.syntax",
    ] {
        assert!(codes.contains(&code), "{code} is not among {codes:?}");
    }
}
