//! Settings as a site writes them, right and wrong.

use super::*;
use crate::issue::{Rule, Severity};
use crate::national::Contract;
use crate::profile::UnknownExtensions;
use serde_json::Value;

const TOLERANCES: &[&str] = &["reference-identifier-array", "end-absent"];

/// A site's file with one of everything.
const SITE: &str = r#"
[senders.pca-portal]
organisation = "RXX"
tolerances = ["end-absent"]
variables = { pas_appointment_system = "https://pas.example.nhs.uk/appointment" }
[callers.portal]
key_sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
sender = "pca-portal"
resources = ["Appointment"]
interactions = ["read", "update"]
organisations = ["RXX"]
[downstreams.trust-pas]
kind = "fhir-rest"
base = "https://pas.example.nhs.uk/fhir/"
bearer_env = "TRUST_PAS_KEY"
sender = "pca-portal"
[organisations.RXX]
downstream = "trust-pas"
"#;

/// Environment variables and their values.
type Variables<'v> = &'v [(&'v str, &'v str)];

fn with(file: &str, environment: &[(&str, &str)]) -> Result<Settings, Vec<Problem>> {
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    load(Some(("stile.toml", file)), environment, TOLERANCES)
}

fn problems(file: &str, environment: &[(&str, &str)]) -> Vec<String> {
    with(file, environment).unwrap_err().iter().map(Problem::to_string).collect()
}

#[test]
fn without_a_file_the_gateway_would_start_on_loopback_and_say_how_to_add_a_caller() {
    let settings = load(None, std::iter::empty(), TOLERANCES).unwrap();
    assert!(settings.server.listen.ip().is_loopback());
    assert!(settings.callers.is_empty());
    assert_eq!(settings.warnings.len(), 1);
    assert!(settings.warnings[0].to_string().contains("sha256sum"), "{}", settings.warnings[0]);
}

#[test]
fn a_site_file_is_taken_whole() {
    let settings = with(SITE, &[]).unwrap();
    assert!(settings.warnings.is_empty(), "{:?}", settings.warnings);
    let caller = &settings.callers["portal"];
    assert_eq!(caller.key_sha256[..2], [0x9f, 0x86]);
    assert_eq!(caller.key_sha256[31], 0x08);
    assert_eq!(caller.caller.grant.interactions.len(), 2);
    let downstream = &settings.downstreams["trust-pas"];
    assert_eq!(downstream.base, "https://pas.example.nhs.uk/fhir");
    assert_eq!(downstream.credential, Credential::BearerEnvironment("TRUST_PAS_KEY".into()));
    assert_eq!(settings.organisations[&OdsCode::parse("RXX").unwrap()], "trust-pas");
    assert_eq!(settings.senders["pca-portal"].tolerances, ["end-absent"]);
}

#[test]
fn the_environment_stands_over_the_file_and_the_file_over_the_defaults() {
    let file = "[server]\nworkers = 4\nshutdown_ms = 5\n";
    let settings = with(file, &[("STILE__SERVER__WORKERS", "8"), ("STILE_OTHER", "x"), ("PATH", "/bin")]).unwrap();
    assert_eq!((settings.server.workers, settings.server.shutdown_ms), (8, 5));
    assert_eq!(settings.server.listen.port(), 8080);
}

#[test]
fn a_sender_speaks_contracts_and_has_rules_switched() {
    let file = format!(
        "{SITE}[senders.strict]\norganisation = \"RXX\"\ncontract = [\"pca\"]\n\
         rules = {{ \"nhs-number.test-range\" = \"refuse\", \"pca.utc\" = \"off\", \"nhs-number.check-digit\" = \"flag\" }}\n"
    );
    let settings = with(&file, &[]).unwrap();
    let (strict, usual) = (&settings.senders["strict"].rules, &settings.senders["pca-portal"].rules);
    assert!(strict.speaks(Contract::Pca) && !strict.speaks(Contract::Bars) && !usual.speaks(Contract::Pca));
    for (rule, is, usually) in [
        (Rule::NhsNumberTestRange, Some(Severity::Error), None),
        (Rule::PcaUtc, None, Some(Severity::Warning)),
        (Rule::NhsNumber, Some(Severity::Warning), Some(Severity::Error)),
        (Rule::OdsCode, Some(Severity::Error), Some(Severity::Error)),
    ] {
        assert_eq!((strict.severity(rule), usual.severity(rule)), (is, usually), "{rule}");
    }
}

#[test]
fn names_in_the_environment_find_what_the_file_calls_them() {
    let environment = [
        ("STILE__SENDERS__PCA_PORTAL__TOLERANCES", "reference-identifier-array, end-absent"),
        ("STILE__DOWNSTREAMS__TRUST_PAS__JITTER", "0.5"),
        ("STILE__DOWNSTREAMS__TRUST_PAS__WAITS_MS", "1,2"),
        ("STILE__ORGANISATIONS__RYY__DOWNSTREAM", "trust-pas"),
        ("STILE__SENDERS__PCA_PORTAL__IS_PAS", "true"),
        ("STILE__SENDERS__PCA_PORTAL__UNKNOWN_EXTENSIONS", "refuse"),
    ];
    let settings = with(SITE, &environment).unwrap();
    let sender = &settings.senders["pca-portal"];
    assert_eq!((sender.tolerances.len(), sender.is_pas), (2, true));
    assert_eq!(sender.unknown_extensions, UnknownExtensions::Refuse);
    assert_eq!(settings.downstreams["trust-pas"].schedule, Schedule { waits_ms: vec![1, 2], jitter: 0.5 });
    assert!(settings.organisations.contains_key(&OdsCode::parse("RYY").unwrap()));
}

#[test]
fn each_fault_is_told_with_its_path_its_layer_and_a_way_out() {
    let table: &[(&str, Variables, &str)] = &[
        (
            "[server]\nlissten = \"x\"",
            &[],
            "stile.toml: `server.lissten`: there is no such key; did you mean `listen`?",
        ),
        ("[sender.x]\norganisation = \"RXX\"", &[], "`sender`: there is no such key; did you mean `senders`?"),
        ("[server]\nbody_bytes_max = 5000", &[], "`body_bytes_max` belongs in [limits]"),
        (
            "",
            &[("STILE__SERVER__LISSTEN", "x")],
            "environment STILE__SERVER__LISSTEN: `server.lissten`: there is no such",
        ),
        ("[server]\nlisten = \"everywhere\"", &[], "`server.listen`: this is not an address and a port"),
        ("[changes]\ntime_zone = \"Europe/Lundon\"", &[], "`changes.time_zone`: there is no such time zone"),
        ("[server]\nworkers = 0", &[], "`server.workers`: the value is less than 1"),
        ("[server]\nworkers = \"two\"", &[], "`server.workers`: the value is not of the type integer"),
        (
            "",
            &[("STILE__SERVER__WORKERS", "two")],
            "environment STILE__SERVER__WORKERS: `server.workers`: the value is not",
        ),
        ("[server]\nbase_url = \"ftp://x\"", &[], "`server.base_url`: this is not an http or https address"),
        ("[limits]\npage_count_default = 200", &[], "the usual page is larger than page_count_max"),
        ("[log]\nformat = \"xml\"", &[], "`log.format`: the value is not one of: text, json"),
        ("[senders.X]\norganisation = \"RXX\"", &[], "`senders.X`: a name has lower-case letters"),
        ("[senders.x]\norganisation = \"rxx\"", &[], "`senders.x.organisation`: the value does not have the form"),
        ("[senders.x]\nis_pas = true", &[], "`senders.x`: `organisation` is missing; `organisation`: ODS code"),
        (
            "[senders.x]\norganisation = \"RXX\"\ntolerances = [\"end-absent\", \"end-absnt2\"]",
            &[],
            "`senders.x.tolerances.1`: there is no tolerance of this name; did you mean `end-absent`?",
        ),
        (
            "[senders.x]\norganisation = \"RXX\"\nrules = { \"nhs-number.chek-digit\" = \"off\" }",
            &[],
            "`senders.x.rules.nhs-number.chek-digit`: there is no rule of this name; did you mean `nhs-number.check-digit`?",
        ),
        (
            "[senders.x]\norganisation = \"RXX\"\nrules = { \"element.required\" = \"off\" }",
            &[],
            "`senders.x.rules.element.required`: this rule holds for everybody",
        ),
        (
            "[senders.x]\norganisation = \"RXX\"\nrules = { \"ods-code.form\" = \"warn\" }",
            &[],
            "the value is not one of: refuse, flag, off",
        ),
        (
            "[senders.x]\norganisation = \"RXX\"\ncontract = [\"bars\"]\nrules = { \"pca.utc\" = \"off\" }",
            &[],
            "`senders.x.rules.pca.utc`: the sender does not speak this rule's contract",
        ),
        ("[senders.x]\norganisation = \"RXX\"\ncontract = [\"hl7\"]", &[], "the value is not one of: pca, bars"),
        (
            "[organisations.RXX]\ndownstream = \"pas\"",
            &[],
            "`organisations.RXX.downstream`: there is no downstream of this",
        ),
        (
            "[senders.x]\norganisation = \"RXX\"\nunknown_extensions = \"ignore\"",
            &[],
            "`senders.x.unknown_extensions`: the value is not one of: accept, warn, refuse",
        ),
        ("[organisations.rxx]\ndownstream = \"pas\"", &[], "an organisation is named by its ODS code"),
        ("[server", &[], "stile.toml: TOML parse error at line 1"),
        ("", &[("STILE__SERVER", "x")], "the variable's name does not make a setting"),
        ("", &[("STILE__SERVER____LISTEN", "x")], "the variable's name does not make a setting"),
        ("", &[("STILE__SERVER__WORKERS", "2"), ("STILE__server__workers", "3")], "sets the same setting"),
    ];
    for (file, environment, expected) in table {
        let told = problems(file, environment);
        assert!(told.iter().any(|line| line.contains(expected)), "{file} {environment:?}: {told:#?}, not {expected}");
    }
}

#[test]
fn a_fault_in_a_full_site_is_told_alone() {
    let table = [
        ("sender = \"pca-portal\"\nresources", "sender = \"pca-portl\"\nresources", "did you mean `pca-portal`?"),
        ("downstream = \"trust-pas\"", "downstream = \"trust-pass\"", "did you mean `trust-pas`?"),
        ("9f86d0", "9F86D0", "`callers.portal.key_sha256`: the value does not have the form"),
        ("https://pas.example.nhs.uk/fhir/", "http://pas.example.nhs.uk/fhir/", "unencrypted"),
        ("https://pas.example.nhs.uk/fhir/", "https://u:p@pas.example.nhs.uk/fhir/", "without user"),
        ("bearer_env =", "bearer = \"s3cret\"\nbearer_env =", "more than one credential"),
        ("[organisations.RXX]", "total_ms = 60000\n[organisations.RXX]", "raise dispatch.lease_ms"),
        ("[organisations.RXX]", "connect_ms = 20000\n[organisations.RXX]", "longer than the whole"),
        ("\"read\", \"update\"", "\"read\", \"delete\"", "not one of: read, search, create"),
    ];
    for (good, bad, expected) in table {
        let file = SITE.replacen(good, bad, 1);
        assert_ne!(file, SITE);
        let told = problems(&file, &[]);
        assert!(told.len() == 1 && told[0].contains(expected), "{told:#?}, not {expected}");
    }
}

#[test]
fn all_problems_are_told_at_once() {
    let file = "[server]\nworkers = 0\nlisten = \"x\"\ncolour = 1\n[senders.x]\norganisation = \"RXX\"\ntolerances = [\"y\"]\n\
                [callers.c]\nsender = \"z\"\n";
    let told = problems(file, &[("STILE__LOG__FORMAT", "xml"), ("STILE__LIMITS__DEPTH", "3")]);
    // colour, listen, workers; tolerance; caller: sender unknown and four keys missing; format; depth.
    assert_eq!(told.len(), 11, "{told:#?}");
}

#[test]
fn two_callers_cannot_share_a_key_and_the_example_is_no_key() {
    let caller = SITE.split("[callers.portal]").nth(1).unwrap().split("[downstreams").next().unwrap();
    let shared = format!("{SITE}\n[callers.other]{caller}");
    assert!(problems(&shared, &[])[0].contains("has the same key"));
    let zeros = SITE.replace("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", &"0".repeat(64));
    assert!(problems(&zeros, &[])[0].contains("this is the example"));
}

#[test]
fn a_credential_never_prints_and_is_warned_of_or_refused() {
    let file = SITE.replace("bearer_env = \"TRUST_PAS_KEY\"", "bearer = \"s3cret\"");
    let settings = with(&file, &[]).unwrap();
    assert!(!format!("{settings:?}").contains("s3cret"));
    assert_eq!(settings.warnings.len(), 1);
    let file = SITE.replace("bearer_env = \"TRUST_PAS_KEY\"", "");
    let told = problems(&file, &[("STILE__DOWNSTREAMS__TRUST_PAS__BEARER", "s3cret")]);
    assert!(told[0].contains("bearer_env") && !told[0].contains("s3cret"), "{told:?}");
    let told = problems(&SITE.replace("\"TRUST_PAS_KEY\"", "[\"s3cret\"]"), &[]);
    assert!(!told.concat().contains("s3cret"), "{told:?}");
}

/// The defaults with every example taken out of its comment.
fn with_examples() -> String {
    let uncommented = |line: &str| match line.strip_prefix('#') {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '[') => rest.to_owned(),
        Some(_) | None => line.to_owned(),
    };
    DEFAULTS.lines().map(uncommented).collect::<Vec<_>>().join("\n")
}

/// The paths of keys in a tree, names that a site chooses as `*`.
fn paths_in_tree(value: &Value, definition: &Value, path: &str, found: &mut BTreeMap<String, ()>) {
    let Some(members) = value.as_object() else { return };
    for (key, member) in members {
        let known = schema::member(definition, key).unwrap_or_else(|| panic!("{path}.{key} is not in the schema"));
        let path = format!("{path}.{}", if schema::is_open(definition) { "*" } else { key });
        paths_in_tree(member, known, &path, found);
        found.insert(path, ());
    }
}

fn paths_in_schema(definition: &Value, path: &str, found: &mut BTreeMap<String, ()>) {
    let properties = definition.get("properties").and_then(Value::as_object).into_iter().flatten();
    let open = definition.get("additionalProperties").filter(|open| open.is_object());
    for (key, member) in properties.map(|(key, member)| (key.as_str(), member)).chain(open.map(|open| ("*", open))) {
        let path = format!("{path}.{key}");
        paths_in_schema(member, &path, found);
        found.insert(path, ());
    }
}

#[test]
fn the_defaults_teach_every_key_of_the_schema() {
    let (mut taught, mut known) = (BTreeMap::new(), BTreeMap::new());
    paths_in_tree(&layers::read(&with_examples()).unwrap(), schema::root(), "", &mut taught);
    paths_in_schema(schema::root(), "", &mut known);
    assert!(known.len() > 40, "{}", known.len());
    assert_eq!(taught, known);
}

#[test]
fn the_tolerances_in_the_examples_are_there() {
    use crate::profile::Tolerance;
    for name in TOLERANCES {
        assert!(Tolerance::ALL.iter().any(|tolerance| tolerance.as_str() == *name), "{name}");
        assert!(DEFAULTS.contains(name), "{name}");
    }
}

#[test]
fn the_examples_in_the_defaults_work_once_they_hold_a_key() {
    let examples = with_examples()
        .replace(&"0".repeat(64), "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")
        .replace("bearer_file = \"/run/secrets/trust-pas\"\n", "")
        .replace("bearer = \"...\"\n", "");
    let settings = with(&examples, &[]).map_err(|problems| format!("{problems:#?}")).unwrap();
    assert!(settings.warnings.is_empty(), "{:?}", settings.warnings);
    assert_eq!(settings.senders.len(), 4);
    // What the examples say is the default is the default.
    let told = settings.downstreams["trust-pas"].clone();
    let bare = "[senders.trust-pas]\norganisation = \"RXX\"\n[downstreams.trust-pas]\nkind = \"fhir-rest\"\n\
                base = \"https://pas.example.nhs.uk/fhir\"\nsender = \"trust-pas\"\nbearer_env = \"TRUST_PAS_KEY\"\n";
    let bare = with(bare, &[]).unwrap().downstreams["trust-pas"].clone();
    assert_eq!(Downstream { acknowledgement_applies: Vec::new(), ..told }, bare);
}

#[test]
fn every_setting_in_the_defaults_stands_under_a_comment() {
    let mut comment = false;
    let mut counted = 0;
    for line in DEFAULTS.lines() {
        let setting = line.trim_start_matches('#').split_once(" = ").is_some_and(|(key, _)| !key.contains(' '));
        if line.starts_with("# ") {
            comment = true;
        } else if setting {
            // Keys of a group share the comment above the first; examples of a second table lean on the first's.
            assert!(comment, "no comment above: {line}");
            counted += 1;
        } else if line.is_empty() || line.starts_with('[') {
            comment = line.is_empty() && comment;
        }
    }
    assert!(counted > 35, "{counted}");
}

proptest::proptest! {
    #[test]
    fn no_file_and_no_variable_makes_it_panic(
        file in "(\\[(server|senders|callers)(\\.[a-z\"]{0,4})?\\]\n([a-z_]{1,8} = (1|-1|\"x\"|\\[\\]|true)\n){0,3}){0,3}",
        name in "STILE__[A-Za-z0-9_\\[\\].-]{0,24}",
        value in "\\PC{0,12}",
    ) {
        let _ = with(&file, &[(&name, &value)]);
        let _ = with("", &[(&name, &value)]);
    }
}
