//! `stile validate`: many files, further definitions, what it says to programs and to people.

use crate::packages::{URL, archive, profile};
use crate::process::{appointment, stile, stile_fed};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn each_form_of_a_package_holds_for_one_run() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    write(place, "a.json", &appointment("a1", "4817508").to_string());
    write(place, "profile.json", &profile().to_string());
    write(place, "folder/StructureDefinition-described.json", &profile().to_string());
    write(place, "inner/package/StructureDefinition-described.json", &profile().to_string());
    let bundle = json!({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": profile()}]});
    write(place, "bundle.json", &bundle.to_string());
    let xml = "<StructureDefinition xmlns=\"http://hl7.org/fhir\"><url value=\"URL\"/><fhirVersion value=\"4.0.1\"/>\
               <kind value=\"resource\"/><abstract value=\"false\"/><type value=\"Appointment\"/>\
               <baseDefinition value=\"http://hl7.org/fhir/StructureDefinition/Appointment\"/>\
               <derivation value=\"constraint\"/><snapshot>\
               <element id=\"Appointment\"><path value=\"Appointment\"/><min value=\"0\"/><max value=\"*\"/></element>\
               <element id=\"Appointment.comment\"><path value=\"Appointment.comment\"/><min value=\"1\"/>\
               <max value=\"1\"/><base><path value=\"Appointment.comment\"/><min value=\"0\"/><max value=\"1\"/></base>\
               <type><code value=\"string\"/></type></element></snapshot></StructureDefinition>";
    write(place, "profile.xml", &xml.replace("URL", URL));
    archive(&place.join("clinic.tgz"), "1.0.0", &[]);
    stile(&["validate", "a.json"], place).expect(0);
    for package in ["profile.json", "profile.xml", "bundle.json", "folder", "inner", "clinic.tgz"] {
        let asked = ["validate", "a.json", "--package", package, "--profile", URL, "--json"];
        let told = &stile(&asked, place).expect(1).lines()[0];
        let issue = &told["issues"][0];
        assert_eq!(issue["details"]["coding"][0]["code"], "element.required", "{package}: {told}");
        assert_eq!(told["packages"].as_array().unwrap().len(), 2, "{package}: {told}");
    }
    // A resource that has what is asked for passes, and the definition does not stay.
    let mut described = appointment("a1", "4817508");
    described["comment"] = json!("Follow-up");
    write(place, "described.json", &described.to_string());
    stile(&["validate", "described.json", "--package", "profile.json", "--profile", URL], place).expect(0);
    stile(&["validate", "described.json", "--profile", URL], place).expect(2);
    for (args, said) in [
        (
            ["--package", "profile.json", "--profile", &URL.replace("described", "descrbed")],
            "did you mean https://clinic",
        ),
        (["--package", "profile.json", "--profile", &format!("{URL}|9.9")], "is loaded in version 1.2.0, not 9.9"),
        (["--package", "absent.tgz", "--profile", URL], "absent.tgz"),
    ] {
        let ran = stile(&[&["validate", "a.json"][..], &args].concat(), place).expect(2);
        assert!(ran.err.contains(said) && ran.out.is_empty(), "{args:?}: {}", ran.err);
    }
    let several = ["validate", "a.json", "--profile", &format!("{URL}|1.2.0"), "--package", "profile.json"];
    let base = ["--profile", "http://hl7.org/fhir/StructureDefinition/Appointment", "--package", "folder"];
    stile(&[&several[..], &base].concat(), place).expect(1);
}

#[test]
fn a_line_of_json_has_what_was_promised_and_nothing_else() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let mut resource = appointment("a1", "4817508");
    resource["status"] = json!("bookd");
    write(place, "bad.json", &serde_json::to_string_pretty(&resource).unwrap());
    let told = &stile(&["validate", "bad.json", "--json"], place).expect(1).lines()[0];
    let keys: Vec<&str> = told.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["file", "valid", "issues", "notEvaluated", "packages", "suppressed"]);
    assert_eq!((&told["file"], &told["valid"]), (&json!("bad.json"), &json!(false)));
    assert_eq!(told["suppressed"], json!({"dom-6": 1}), "advice to carry a narrative is counted");
    let package = &told["packages"][0];
    assert_eq!(package["name"], "hl7.fhir.r4.core.distilled");
    assert!(package["version"] == "4.0.1" && package["hash"].as_str().unwrap().len() == 64, "{package}");
    let issue = &told["issues"][0];
    assert_eq!((&issue["severity"], &issue["code"]), (&json!("error"), &json!("code-invalid")));
    assert_eq!(issue["expression"], json!(["Appointment.status"]));
    let extension = |url: &str| {
        let found = issue["extension"].as_array().unwrap().iter().find(|one| one["url"] == url);
        found.unwrap_or_else(|| panic!("{url} is not in {issue}")).clone()
    };
    assert_eq!(extension("urn:stile:issue:json-pointer")["valueString"], "/status");
    assert_eq!(extension("urn:stile:issue:element")["valueString"], "Appointment.status");
    assert!(extension("http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-line")["valueInteger"].is_u64());
    assert!(
        told["notEvaluated"].as_array().unwrap().iter().all(|one| one["what"].is_string() && one["why"].is_string())
    );

    // What is told is itself FHIR R4.
    let outcome = json!({"resourceType": "OperationOutcome", "issue": told["issues"]});
    stile_fed(&["validate", "-"], place, outcome.to_string().as_bytes()).expect(0);
    // A resource with a narrative has nothing suppressed, and then nothing is said of it.
    let mut narrated = appointment("a1", "4817508");
    narrated["text"] = json!({"status": "empty", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">none</div>"});
    write(place, "narrated.json", &narrated.to_string());
    let told = &stile(&["validate", "narrated.json", "--json"], place).expect(0).lines()[0];
    assert!(told.get("suppressed").is_none() && told["valid"] == true, "{told}");
}

#[test]
fn folders_are_walked_and_ndjson_is_read_line_by_line() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let good = appointment("a1", "4817508").to_string();
    write(place, "in/a.json", &good);
    write(
        place,
        "in/deep/er/b.XML",
        "<Patient xmlns=\"http://hl7.org/fhir\"><birthDate value=\"1980-01-01\"/></Patient>",
    );
    write(
        place,
        "in/deep/many.ndjson",
        &format!("{good}\n\n{{\"resourceType\":\"Patient\",\"gendr\":\"male\"}}\r\n{good}"),
    );
    write(place, "in/readme.txt", "nothing");
    write(place, "in/.hidden/c.json", "{");
    let told = stile(&["validate", "in", "--json"], place).expect(1).lines();
    let files: Vec<&str> = told.iter().map(|line| line["file"].as_str().unwrap()).collect();
    assert_eq!(
        files,
        ["in/a.json", "in/deep/er/b.XML", "in/deep/many.ndjson", "in/deep/many.ndjson", "in/deep/many.ndjson"]
    );
    let valid: Vec<bool> = told.iter().map(|line| line["valid"] == true).collect();
    assert_eq!(valid, [true, true, true, false, true]);
    assert!(told[3]["issues"][0]["diagnostics"].as_str().unwrap().contains("line 3, column"), "{}", told[3]);
    let drawn = stile(&["validate", "in"], place).expect(1);
    for said in [
        "in/deep/many.ndjson:3: refused, Patient",
        "--> in/deep/many.ndjson:3:27",
        "element.unknown",
        "5 resources judged: 4 valid, 1 invalid",
    ] {
        assert!(drawn.out.contains(said), "{said:?} is not in\n{}", drawn.out);
    }
    std::fs::create_dir(place.join("empty")).unwrap();
    assert!(stile(&["validate", "in", "empty"], place).expect(2).err.contains("empty"));
    assert!(stile(&["validate", "in", "absent.json"], place).expect(2).err.contains("absent.json"));
}

#[test]
fn a_verdict_is_drawn_with_the_place_underlined() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    write(
        place,
        "p.json",
        "{\n\t\"resourceType\": \"Patient\",\n\t\"gender\": \"man\",\n\t\"birthdate\": \"1980-01-01\"\n}\n",
    );
    let drawn = stile(&["validate", "p.json"], place).expect(1);
    let expected = "\
p.json: refused, Patient
error[code.required-binding]: `gender` needs a code of the value set http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1
 --> p.json:3:2
  |
3 |     \"gender\": \"man\",
  |     ^^^^^^^^^^^^^^^
  = at Patient.gender
  = asked by Patient.gender of http://hl7.org/fhir/StructureDefinition/Patient
";
    assert!(drawn.out.starts_with(expected), "{}", drawn.out);
    let second = "\
error[element.unknown]: Patient has no element `birthdate`
 --> p.json:4:2
  |
4 |     \"birthdate\": \"1980-01-01\"
  |     ^^^^^^^^^^^^^^^^^^^^^^^^^
  = at Patient.birthdate
  = asked by http://hl7.org/fhir/StructureDefinition/Patient
  = help did you mean `birthDate`?
";
    assert!(drawn.out.contains(second), "{}", drawn.out);
    assert!(drawn.err.contains("kept from being told by the severity policy: dom-6 (1)"), "{}", drawn.err);
    assert!(!drawn.out.contains('\u{1b}'), "no colours where there is no terminal");
}

#[test]
fn a_site_sets_severities_and_what_it_cannot_set_is_refused_at_the_start() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    write(place, "p.json", "{\"resourceType\":\"Patient\",\"birthdate\":\"1980-01-01\"}");
    write(place, "site.toml", "[check]\nseverity_file = \"severity.yaml\"\n");
    let with = |policy: &str, code: i32| {
        write(place, "severity.yaml", policy);
        stile(&["validate", "p.json", "--json", "--settings", "site.toml"], place).expect(code)
    };
    let severities = |told: &Value| -> Vec<String> {
        let issues = told["issues"].as_array().unwrap().iter();
        issues.map(|issue| format!("{} {}", issue["severity"], issue["details"]["coding"][0]["code"])).collect()
    };
    let told = &with("element.unknown: warning\ndom-6: information\n", 0).lines()[0];
    assert_eq!(severities(told), ["\"warning\" \"element.unknown\"", "\"information\" \"invariant.failed\""]);
    assert!(told.get("suppressed").is_none());
    let told = &with("element.unknown: suppressed\n", 0).lines()[0];
    assert_eq!((severities(told).len(), &told["suppressed"]), (0, &json!({"dom-6": 1, "element.unknown": 1})));
    let told = &with("dom-6: error\n", 1).lines()[0];
    assert_eq!(severities(told).len(), 2, "{told}");
    for (policy, said) in [
        ("element.unknwon: error", "severity.yaml:1: no rule and no invariant"),
        ("text.encoding: warning", "cannot be lowered"),
        ("dom-6: off", "error, warning, information, suppressed"),
    ] {
        let ran = with(policy, 2);
        assert!(ran.err.contains(said), "{policy}: {}", ran.err);
        stile(&["check", "--settings", "site.toml"], place).expect(1);
    }
    std::fs::remove_file(place.join("severity.yaml")).unwrap();
    assert!(stile(&["check", "--settings", "site.toml"], place).expect(1).err.contains("severity.yaml"));
}

#[test]
fn no_bar_is_drawn_where_nobody_watches() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    for number in 0..300 {
        write(place, &format!("in/{number}.json"), &appointment(&format!("a{number}"), "4817508").to_string());
    }
    let ran = stile(&["validate", "in", "--json"], place).expect(0);
    assert_eq!(ran.lines().len(), 300);
    assert!(ran.err.is_empty(), "{}", ran.err);
}

#[test]
fn published_samples_are_judged_by_uk_core() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let (package, samples): (PathBuf, PathBuf) =
        (shared.join("packages/fhir.r4.ukcore.stu3-dev.tgz"), shared.join("samples/uk-core"));
    if !package.exists() || !samples.exists() {
        eprintln!("skipped: {} is absent", shared.display());
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let (package, samples) = (package.to_str().unwrap(), samples.to_str().unwrap());
    let ran = stile(&["validate", samples, "--package", package, "--json"], place.path());
    assert!(ran.code != Some(2), "{}", ran.err);
    let lines = ran.lines();
    assert!(lines.len() >= 4, "{lines:?}");
    for line in &lines {
        let packages = line["packages"].as_array().unwrap();
        assert!(packages.iter().any(|one| one["name"] == "fhir.r4.ukcore.stu3.currentbuild"), "{line}");
        let refuses = |issue: &Value| issue["severity"] == "error" || issue["severity"] == "fatal";
        assert_eq!(line["valid"] == false, line["issues"].as_array().unwrap().iter().any(refuses), "{line}");
    }
}

#[test]
fn a_line_of_ndjson_is_told_by_its_number_wherever_it_comes_from() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let good = appointment("a1", "4817508").to_string();
    let text = format!("{good}\n{good}\n{{\"resourceType\":\"Patient\",\"gender\n{good}\n");
    write(place, "many.ndjson", &text);
    for (name, argument) in [("many.ndjson", "many.ndjson"), ("standard input", "-")] {
        let drawn = stile_fed(&["validate", argument], place, text.as_bytes()).expect(1);
        for said in
            [format!("{name}:1: ok"), format!("{name}:3: refused"), format!("--> {name}:3:"), "3 | {".to_owned()]
        {
            assert!(drawn.out.contains(&said), "{said:?} is not in\n{}", drawn.out);
        }
        let told = stile_fed(&["validate", argument, "--json"], place, text.as_bytes()).expect(1).lines();
        let lines: Vec<_> = told.iter().map(|one| one["line"].as_u64()).collect();
        assert_eq!(lines, [Some(1), Some(2), Some(3), Some(4)]);
    }
    let pretty = serde_json::to_string_pretty(&appointment("a1", "4817508")).unwrap();
    let told = stile_fed(&["validate", "-", "--json"], place, pretty.as_bytes()).expect(0).lines();
    assert!(told.len() == 1 && told[0].get("line").is_none(), "{told:?}");
}

#[test]
fn what_the_settings_name_is_told_by_the_setting() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    write(place, "a.json", &appointment("a1", "4817508").to_string());
    let unknown = stile(&["validate", "a.json", "--sender", "x"], place).expect(2).err;
    assert!(unknown.contains("built-in example has: example-pas, example-portal"), "{unknown}");
    write(place, "site.toml", "[check]\nseverity_file = \"severity.yaml\"\n");
    let check = ["check", "--settings", "site.toml"];
    let missing = stile(&check, place).expect(2).err;
    assert!(missing.contains("[check] severity_file severity.yaml: "), "{missing}");
    assert!(!missing.contains("in definitions and mappings"), "{missing}");
    write(place, "severity.yaml", "invariant.failed: warning\n");
    let wrong = stile(&check, place).expect(1).err;
    assert!(wrong.contains("[check] severity_file severity.yaml:1: "), "{wrong}");
    assert!(wrong.contains("name the invariant instead, for example `per-1`"), "{wrong}");
    write(place, "severity.yaml", "per-1: warning\n");
    let unknown = stile(&["validate", "a.json", "--sender", "x", "--settings", "site.toml"], place).expect(2).err;
    assert!(unknown.contains("no sender `x` in the settings site.toml; there are: example-pas"), "{unknown}");
}
