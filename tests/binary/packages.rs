//! Packages: added, listed, locked, and what a start says of one that changed.

use crate::process::{appointment, stile};
use serde_json::{Value, json};
use std::path::Path;

pub const URL: &str = "https://clinic.example/StructureDefinition/described";

/// A profile that asks each Appointment for a comment.
pub fn profile() -> Value {
    let string = json!([{"code": "string"}]);
    json!({
        "resourceType": "StructureDefinition", "url": URL, "version": "1.2.0", "name": "Described", "status": "active",
        "fhirVersion": "4.0.1", "kind": "resource", "abstract": false, "type": "Appointment",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Appointment", "derivation": "constraint",
        "snapshot": {"element": [
            {"id": "Appointment", "path": "Appointment", "min": 0, "max": "*",
             "base": {"path": "Appointment", "min": 0, "max": "*"}},
            {"id": "Appointment.comment", "path": "Appointment.comment", "min": 1, "max": "1", "type": string,
             "base": {"path": "Appointment.comment", "min": 0, "max": "1"}},
        ]},
        "differential": {"element": [
            {"id": "Appointment.comment", "path": "Appointment.comment", "min": 1},
        ]},
    })
}

/// A package with that profile, in a folder of this name.
fn folder(at: &Path, version: &str) {
    std::fs::create_dir_all(at.join("examples")).unwrap();
    let manifest =
        json!({"name": "clinic", "version": version, "dependencies": {"hl7.fhir.r4.core": "4.0.1", "lab": "2.0"}});
    std::fs::write(at.join("package.json"), manifest.to_string()).unwrap();
    std::fs::write(at.join("StructureDefinition-described.json"), profile().to_string()).unwrap();
    std::fs::write(at.join("examples/broken.json"), "{").unwrap();
    let other =
        json!({"resourceType": "StructureDefinition", "url": "http://r5", "fhirVersion": "5.0.0", "kind": "resource"});
    std::fs::write(at.join("StructureDefinition-other.json"), other.to_string()).unwrap();
}

/// The same as a `.tgz`, with further entries.
pub fn archive(to: &Path, version: &str, entries: &[(&str, &str)]) {
    let file = std::fs::File::create(to).unwrap();
    let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(file, flate2::Compression::fast()));
    let manifest = json!({"name": "clinic", "version": version}).to_string();
    let profile = profile().to_string();
    let own = [("package/package.json", manifest.as_str()), ("package/StructureDefinition-described.json", &profile)];
    for (name, text) in own.iter().chain(entries) {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append(&header, text.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap();
}

#[test]
fn a_package_is_added_listed_and_judged_by() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    folder(&place.join("unpacked"), "1.0.0");
    std::fs::write(place.join("a.json"), appointment("a1", "4817508").to_string()).unwrap();
    let asked = ["validate", "a.json", "--profile", URL];
    stile(&asked, place).expect(2);

    let added = stile(&["packages", "add", "unpacked"], place).expect(0);
    assert!(added.out.contains("added clinic 1.0.0") && added.out.contains("1 profile"), "{}", added.out);
    assert!(added.err.contains("lab 2.0") && added.err.contains("http://r5"), "{}", added.err);
    assert!(!added.err.contains("hl7.fhir.r4.core"), "R4's own definitions are there: {}", added.err);
    assert!(!place.join("stile-packages/clinic-1.0.0/package/examples").exists());
    let judged = stile(&asked, place).expect(1);
    assert!(judged.out.contains("Appointment needs `comment`") && judged.out.contains(URL), "{}", judged.out);

    let listed = stile(&["packages", "list"], place).expect(0);
    for told in ["clinic", "1.0.0", "1 profile from", "the program", "stile-packages/clinic-1.0.0"] {
        assert!(listed.out.contains(told), "{told:?} is not in\n{}", listed.out);
    }
    assert!(listed.err.contains("lab 2.0") && listed.err.contains("http://r5"), "{}", listed.err);
    let lines = stile(&["packages", "list", "--json"], place).expect(0).lines();
    let clinic = lines.iter().find(|line| line["name"] == "clinic").unwrap();
    assert_eq!((&clinic["version"], &clinic["definitions"]["profiles"]), (&json!("1.0.0"), &json!(1)));
    assert_eq!(clinic["missingDependencies"], json!(["lab 2.0"]));
    let hash = clinic["hash"].as_str().unwrap();
    let lock: Value =
        serde_json::from_str(&std::fs::read_to_string(place.join("stile-packages/packages.lock")).unwrap()).unwrap();
    assert_eq!(lock["packages"][0]["sha256"], hash);
    let told = stile(&["validate", "a.json", "--json"], place).expect(0).lines();
    let used = told[0]["packages"].as_array().unwrap().iter().find(|one| one["name"] == "clinic").unwrap();
    assert_eq!((&used["version"], &used["hash"]), (&json!("1.0.0"), &json!(hash)), "the verdict names what judged");

    // Another version, as an archive, takes its place.
    archive(&place.join("new.tgz"), "1.1.0", &[]);
    let added = stile(&["packages", "add", "new.tgz"], place).expect(0);
    assert!(added.out.contains("removed clinic 1.0.0") && added.out.contains("added clinic 1.1.0"), "{}", added.out);
    assert!(place.join("stile-packages/clinic-1.1.0.tgz").is_file());
    assert!(!place.join("stile-packages/clinic-1.0.0").exists());
    stile(&asked, place).expect(1);
    stile(&["check"], place).expect(0);
}

#[test]
fn a_start_refuses_a_package_that_changed_and_says_what_to_do() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    folder(&place.join("unpacked"), "1.0.0");
    stile(&["packages", "add", "unpacked"], place).expect(0);
    let file = place.join("stile-packages/clinic-1.0.0/package/StructureDefinition-described.json");
    std::fs::write(&file, profile().to_string().replace("\"min\":1", "\"min\":0")).unwrap();
    for (command, code) in [(&["check"][..], 1), (&["serve"], 2), (&["validate", "unpacked/package.json"], 2)] {
        let ran = stile(command, place).expect(code);
        assert!(
            ran.err.contains("clinic-1.0.0") && ran.err.contains("stile packages lock"),
            "{command:?}: {}",
            ran.err
        );
    }
    assert!(stile(&["packages", "list"], place).expect(1).out.contains("clinic"), "it is listed all the same");
    // Another package is not added, and so locked, over it.
    std::fs::write(place.join("own.json"), profile().to_string()).unwrap();
    stile(&["packages", "add", "own.json"], place).expect(1);
    let locked = stile(&["packages", "lock"], place).expect(0);
    assert!(locked.out.contains("changed  clinic 1.0.0"), "{}", locked.out);
    stile(&["check"], place).expect(0);

    std::fs::copy(place.join("own.json"), place.join("stile-packages/own.json")).unwrap();
    assert!(stile(&["check"], place).expect(1).err.contains("is not in packages.lock"));
    std::fs::remove_dir_all(place.join("stile-packages/clinic-1.0.0")).unwrap();
    let told = stile(&["check"], place).expect(1).err;
    assert!(told.contains("own.json") && told.contains("is not there"), "both at once: {told}");
}

#[test]
fn a_package_that_cannot_be_used_is_not_added_and_the_file_and_cause_are_told() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let bomb = " ".repeat(70_000_000);
    archive(&place.join("broken.tgz"), "1", &[("package/ValueSet-x.json", "{\"resourceType\":")]);
    archive(&place.join("leads-out.tgz"), "1", &[("package/../../evil.json", "{}")]);
    archive(&place.join("bomb.tgz"), "1", &[("package/bomb.json", &bomb)]);
    archive(&place.join("strange-version.tgz"), "../../1", &[]);
    std::fs::write(place.join("no-archive.tgz"), "hello").unwrap();
    for (name, expected) in [
        ("broken.tgz", "ValueSet-x.json"),
        ("leads-out.tgz", "leads out of it"),
        ("bomb.tgz", "bomb.json: it has more than"),
        ("strange-version.tgz", "do not make a file name"),
        ("no-archive.tgz", "no .tgz that can be read"),
    ] {
        let ran = stile(&["packages", "add", name], place).expect(1);
        assert!(ran.err.contains(expected), "{name}: {}", ran.err);
        assert!(!place.join("stile-packages").exists(), "{name}: nothing was added");
    }
    assert!(!place.parent().unwrap().join("evil.json").exists());
    let absent = stile(&["packages", "add", "absent.tgz"], place).expect(2);
    assert!(absent.err.contains("absent.tgz") && !absent.err.contains("definitions and mappings"), "{}", absent.err);
    // One that lies in the folder keeps the start from going on, by name.
    std::fs::create_dir(place.join("stile-packages")).unwrap();
    std::fs::rename(place.join("broken.tgz"), place.join("stile-packages/broken.tgz")).unwrap();
    let ran = stile(&["check"], place).expect(1);
    assert!(ran.err.contains("ValueSet-x.json"), "{}", ran.err);
    std::fs::write(place.join("site.toml"), "[packages]\nfolder = \"nowhere\"\n").unwrap();
    let ran = stile(&["check", "--settings", "site.toml"], place).expect(2);
    assert!(ran.err.contains("nowhere: there is no such folder"), "{}", ran.err);
}

#[test]
fn two_definitions_in_files_of_one_name_both_stay_and_a_newer_one_of_the_same_url_takes_the_place() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let set = |id: &str, url: &str, version: &str| {
        json!({"resourceType": "ValueSet", "id": id, "url": url, "version": version, "status": "active",
               "compose": {"include": [{"system": "https://clinic.example/cs", "concept": [{"code": "a"}]}]}})
        .to_string()
    };
    let add = |text: String, code: i32| {
        std::fs::write(place.join("definition.json"), text).unwrap();
        stile(&["packages", "add", "definition.json"], place).expect(code)
    };
    let there = || std::fs::read_to_string(place.join("stile-packages/ValueSet-one.json")).unwrap();
    add(set("one", "https://clinic.example/one", "1"), 0);
    add(set("two", "https://clinic.example/two", "1"), 0);
    assert!(there().contains("clinic.example/one"), "the other file of that name did not take its place");
    assert!(place.join("stile-packages/ValueSet-two.json").is_file());
    stile(&["check"], place).expect(0);

    let refused = add(set("one", "https://clinic.example/three", "1"), 1);
    assert!(refused.err.contains("something else lies at") && refused.err.contains("ValueSet-one.json"));
    assert!(there().contains("clinic.example/one"));
    let replaced = add(set("one", "https://clinic.example/one", "2"), 0);
    assert!(replaced.out.contains("replaced ValueSet-one.json 1"), "{}", replaced.out);
    assert!(there().contains(r#""version":"2""#));
    stile(&["check"], place).expect(0);
}

#[test]
fn definitions_that_cannot_be_used_are_told_where_they_are_added() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let write = |name: &str, value: &Value| std::fs::write(place.join(name), value.to_string()).unwrap();
    write("a.json", &appointment("a1", "4817508"));
    let mut floating = profile();
    floating["baseDefinition"] = json!("https://clinic.example/StructureDefinition/base");
    floating.as_object_mut().unwrap().remove("snapshot");
    write("floating.json", &floating);
    let mut puzzling = profile();
    puzzling["snapshot"]["element"][0]["constraint"] =
        json!([{"key": "own-1", "severity": "error", "human": "it is so", "expression": "status.nonsense("}]);
    write("puzzling.json", &puzzling);
    let mut impossible = profile();
    impossible["snapshot"]["element"][1]["min"] = json!(2);
    write("impossible.json", &impossible);
    let mut other = profile();
    other["fhirVersion"] = json!("5.0.0");
    write("other.json", &other);
    write("none.json", &json!({"resourceType": "Patient"}));
    for (name, add_code, validate_code, said) in [
        ("impossible.json", 1, 2, "Appointment.comment: `min` 2 is more than `max` 1"),
        ("other.json", 1, 0, "it is not a definition of FHIR R4"),
        ("none.json", 1, 0, "none.json holds no definitions"),
        ("puzzling.json", 0, 0, "own-1 of Appointment in"),
        ("floating.json", 0, 0, "its base https://clinic.example/StructureDefinition/base is not loaded"),
    ] {
        let ran = stile(&["validate", "a.json", "--package", name], place).expect(validate_code);
        assert!(ran.err.contains(said), "validate {name}: {}", ran.err);
        let ran = stile(&["packages", "add", name], place).expect(add_code);
        assert!(ran.err.contains(said), "add {name}: {}", ran.err);
        let added = place.join("stile-packages/StructureDefinition-described.json");
        assert_eq!(added.exists(), add_code == 0, "{name}");
    }
    let ran = stile(&["check"], place).expect(0);
    assert!(
        ran.err.contains("StructureDefinition-described.json: ") && ran.err.contains("cannot be used"),
        "{}",
        ran.err
    );
    std::fs::remove_dir_all(place.join("stile-packages")).unwrap();
    let ran = stile(&["validate", "a.json", "--package", "floating.json", "--profile", URL], place).expect(2);
    assert!(ran.err.contains(&format!("floating.json has the profile {URL}, but it has no snapshot")), "{}", ran.err);
    assert!(ran.err.contains("is not loaded; add --package with it"), "{}", ran.err);
}

#[test]
fn the_list_of_packages_fits_into_a_hundred_columns() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path();
    let mut unversioned = profile();
    unversioned.as_object_mut().unwrap().remove("version");
    std::fs::write(place.join("own.json"), unversioned.to_string()).unwrap();
    stile(&["packages", "add", "own.json"], place).expect(0);
    let listed = stile(&["packages", "list"], place).expect(0).out;
    assert!(listed.contains("described.json") && listed.contains("no version"), "{listed}");
    assert!(listed.lines().all(|line| line.chars().count() <= 100), "{listed}");
}
