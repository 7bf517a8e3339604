//! The commands that run to an end: what they say and with which code they end.

use crate::process::{appointment, cancel, stile, stile_fed};
use serde_json::{Value, json};
use std::path::Path;

fn write(folder: &Path, name: &str, value: &Value) {
    std::fs::write(folder.join(name), serde_json::to_string_pretty(value).unwrap()).unwrap();
}

fn broken() -> Value {
    let mut resource = appointment("a1", "4817508");
    resource["status"] = json!("confirmed");
    resource["participants"] = json!([{"status": "accepted"}]);
    resource
}

#[test]
fn the_demonstration_tells_the_whole_story_and_ends_with_0() {
    let folder = tempfile::tempdir().unwrap();
    let ran = stile(&["demo", "--exit", "--data", "demo"], folder.path()).expect(0);
    for told in [
        "An appointment reaches the gateway",
        "A broken one is refused, with what to fix",
        "Pending Cancellation",
        "applied",
        "booked",
        "RZZ99",
        "every step went as told",
    ] {
        assert!(ran.out.contains(told), "{told:?} is not told:\n{}", ran.out);
    }
    assert!(folder.path().join("demo/store/stile.sqlite").is_file());
    // Its settings are such as `stile serve` and `stile check` take.
    stile(&["check", "--settings", "demo/stile.toml"], folder.path()).expect(0);
}

#[test]
fn every_command_has_help_with_examples() {
    let folder = tempfile::tempdir().unwrap();
    let help = stile(&["--help"], folder.path()).expect(0).out;
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let commands: Vec<&str> = listed.filter_map(|line| line.split_whitespace().next()).collect();
    for known in ["serve", "demo", "twin", "check", "validate", "map", "test", "deliveries"] {
        assert!(commands.contains(&known), "{known} is not in {commands:?}");
    }
    for command in commands.iter().filter(|command| **command != "help") {
        let help = stile(&[command, "--help"], folder.path()).expect(0).out;
        assert!(help.contains("Examples:"), "{command} gives no examples:\n{help}");
        assert!(help.matches(&format!("stile {command}")).count() > 1, "{command} shows no use of itself:\n{help}");
    }
    for command in ["list", "show", "retry"] {
        stile(&["deliveries", command, "--help"], folder.path()).expect(0);
    }
    assert!(stile(&["--version"], folder.path()).expect(0).out.starts_with("stile "));
    for wrong in [&["sevre"][..], &["validate"], &["serve", "--port", "1"], &[]] {
        let ran = stile(wrong, folder.path()).expect(2);
        assert!(!ran.err.is_empty() && ran.out.is_empty(), "{wrong:?}: {ran:?}");
    }
}

#[test]
fn validate_judges_files_folders_and_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::create_dir(folder.join("samples")).unwrap();
    write(folder, "samples/good.json", &appointment("a1", "4817508"));
    write(folder, "samples/task.json", &cancel("t1", "a1"));
    let xml = "<Patient xmlns=\"http://hl7.org/fhir\"><birthDate value=\"1980-01-01\"/></Patient>";
    std::fs::write(folder.join("samples/patient.xml"), xml).unwrap();
    write(folder, "bad.json", &broken());
    let good = stile(&["validate", "samples/good.json"], folder).expect(0);
    assert!(good.out.contains("samples/good.json: ok, Appointment"), "{}", good.out);

    let bad = stile(&["validate", "bad.json"], folder).expect(1);
    for told in ["bad.json: refused", "did you mean", "participant", "Appointment.status", "--> bad.json:10:3"] {
        assert!(bad.out.contains(told), "{told:?} is not in\n{}", bad.out);
    }
    let samples = stile(&["validate", "samples", "--json"], folder).expect(0).lines();
    assert_eq!(samples.len(), 3);
    assert!(samples.iter().all(|line| line["valid"] == true && line["issues"].is_array()), "{samples:?}");
    let both = stile(&["validate", "samples", "bad.json", "--json"], folder).expect(1).lines();
    assert_eq!(both.iter().filter(|line| line["valid"] == true).count(), 3);
    let refused = &both[3];
    assert_eq!((&refused["file"], &refused["valid"]), (&json!("bad.json"), &json!(false)));
    assert!(refused["issues"].as_array().unwrap().len() >= 2, "both faults at once: {refused}");

    let text = appointment("a1", "4817508").to_string();
    stile_fed(&["validate", "-"], folder, text.as_bytes()).expect(0);
    stile_fed(&["validate", "-"], folder, xml.as_bytes()).expect(0);
    assert_eq!(stile_fed(&["validate", "-", "--json"], folder, b"{").expect(1).lines().len(), 1);
    for (args, said) in [
        (&["validate", "none.json"][..], "none.json"),
        (&["validate", "samples/good.json", "--profile", "https://example.test/p"], "https://example.test/p"),
        (&["validate", "samples/good.json", "--sender", "nobody"], "nobody"),
        (&["validate", "samples/good.json", "--settings", "none.toml"], "none.toml"),
    ] {
        let ran = stile(args, folder).expect(2);
        assert!(ran.err.contains(said), "{args:?}: {}", ran.err);
    }
}

#[test]
fn validate_holds_a_sender_to_the_contract_that_it_speaks() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let sender = |name: &str, more: &str| format!("[senders.{name}]\norganisation = \"RZZ99\"\n{more}\n");
    let contract = "contract = [\"pca\"]\nrules = { \"pca.id\" = \"refuse\" }";
    std::fs::write(folder.join("stile.toml"), sender("plain", "") + &sender("speaker", contract)).unwrap();
    write(folder, "good.json", &appointment("a1", "4817508"));
    let validate = |sender: &str| {
        stile(&["validate", "good.json", "--json", "--settings", "stile.toml", "--sender", sender], folder)
    };
    assert_eq!(validate("plain").expect(0).lines()[0]["issues"], json!([]));
    let told = validate("speaker").expect(1).lines()[0]["issues"].clone();
    let rules: Vec<_> = told.as_array().unwrap().iter().map(|issue| &issue["details"]["coding"][0]["code"]).collect();
    assert!(rules.contains(&&json!("pca.id")), "{told}");
}

#[test]
fn map_shows_what_is_made_of_a_resource_and_where_each_part_came_from() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, "good.json", &appointment("a1", "4817508"));
    write(folder, "bad.json", &broken());
    let ran = stile(&["map", "good.json"], folder).expect(0);
    assert!(ran.out.contains("\"nhs_number\": \"9990000018\"") && ran.out.contains("\"pas\": \"4817508\""));
    let ran = stile(&["map", "good.json", "--explain"], folder).expect(0);
    for told in ["identifiers.pas", "Appointment.identifier[0].value", "appointment-status", "as instant"] {
        assert!(ran.out.contains(told), "{told:?} is not in\n{}", ran.out);
    }
    let ran = stile(&["map", "good.json", "bad.json", "--json"], folder).expect(1);
    let lines = ran.lines();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["outputs"][0]["provider"], "RZZ99");
    assert!(!lines[0]["trace"].as_array().unwrap().is_empty());
    assert!(!lines[1]["issues"].as_array().unwrap().is_empty());
    stile_fed(&["map", "-", "--mapping", "change-request"], folder, cancel("t1", "a1").to_string().as_bytes())
        .expect(0);
    let ran = stile(&["map", "good.json", "--mapping", "chagne-request"], folder).expect(2);
    assert!(ran.err.contains("change-request"), "it says which there are: {}", ran.err);
}

#[test]
fn the_shipped_manuals_pass_and_a_manual_that_lies_does_not() {
    let folder = tempfile::tempdir().unwrap();
    // From the project's root, where the files lie that some inputs name.
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    stile(&["test"], root).expect(0);
    let tried = stile(&["test", "--json"], root).expect(0).lines();
    let passed = tried.iter().filter(|section| section["verdict"] == "passed").count();
    assert!(passed >= 20, "only {passed} sections passed");
    assert!(tried.iter().all(|section| section["verdict"] != "failed"), "{tried:?}");

    // A site's manual that expects something else.
    let site = folder.path().join("mappings");
    std::fs::create_dir(&site).unwrap();
    for ending in ["yaml", "md"] {
        let name = format!("patient.{ending}");
        let text = std::fs::read_to_string(root.join("mappings").join(&name)).unwrap();
        let lie = text.replace("family_name: \"%known_as.family\"", "family_name: \"%known_as.text\"");
        assert_eq!(lie != text, ending == "yaml", "the lie is told in the mapping");
        std::fs::write(site.join(name), if ending == "yaml" { lie } else { text }).unwrap();
    }
    let tried = stile(&["test", "mappings", "--json"], folder.path()).expect(1).lines();
    let failed: Vec<&Value> = tried.iter().filter(|section| section["verdict"] == "failed").collect();
    assert!(!failed.is_empty() && failed.iter().all(|section| section["manual"] == "patient.md"), "{failed:?}");
    assert!(failed[0]["notes"].to_string().contains("family_name"), "it says what differs: {failed:?}");
}

#[test]
fn check_tells_all_that_is_wrong_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let fine = stile(&["check"], folder).expect(0);
    assert!(fine.out.contains("settings: ok") && fine.out.contains("mappings: ok"), "{}", fine.out);
    let told = stile(&["check", "--json"], folder).expect(0).lines();
    assert!(told[0]["mappings"].as_array().unwrap().len() > 5 && told[0]["definitions"].as_u64().unwrap() > 100);
    let faulty = "[server]\nlisten = \"here\"\nprot = 1\n[limits]\ndepth_max = \"deep\"\n[callers.x]\nsender = \"y\"\n";
    std::fs::write(folder.join("faulty.toml"), faulty).unwrap();
    let ran = stile(&["check", "--settings", "faulty.toml"], folder).expect(1);
    for key in ["server.listen", "server.prot", "limits.depth_max", "callers.x"] {
        assert!(ran.err.contains(key), "{key} is not told:\n{}", ran.err);
    }
    assert!(ran.err.contains("faulty.toml"), "and where: {}", ran.err);
    stile(&["serve", "--settings", "faulty.toml"], folder).expect(2);
    stile(&["check", "--settings", "none.toml"], folder).expect(2);
    assert!(!folder.join("stile-data").exists(), "judging makes nothing");
}

#[test]
fn the_printed_settings_are_a_settings_file() {
    let folder = tempfile::tempdir().unwrap();
    let printed = stile(&["serve", "--print-settings"], folder.path()).expect(0).out;
    std::fs::write(folder.path().join("stile.toml"), &printed).unwrap();
    stile(&["check", "--settings", "stile.toml"], folder.path()).expect(0);
    // Every example that stands in it as a comment without a space is one, too, but for those that exclude each other.
    let shown: Vec<&str> = printed.lines().filter(|line| line.starts_with('#') && !line.starts_with("# ")).collect();
    assert!(shown.len() > 20, "{shown:?}");
}
