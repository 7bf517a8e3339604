//! Snapshots held against those that UK Core ships, and the rules one by one.

use super::differential::Layer;
use super::{Generator, complete, tree};
use crate::profile::NotEvaluated;
use crate::profile::definition::{ElementDefinition, Structure};
use crate::profile::tests::own_package;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

// ---- against what UK Core ships

const UK_CORE: &str = "../shared/packages/fhir.r4.ukcore.stu3-dev.tgz";

/// Where the shipped snapshot has less than the differential's own words make.
const SLICE_HAS_LESS: &str = "the shipped slice lacks what the profile says of the element that it slices";

/// Where ours differs from what is shipped: the profile, the beginning of the elements' ids, the reason.
const DIFFERENT: &[(&str, &str, &str)] = &[
    ("UKCore-Observation-Lab", "Observation.code.coding:pathology-", SLICE_HAS_LESS),
    ("UKCore-Observation-VitalSigns-BloodPressure", "Observation.component:SystolicBP.code", SLICE_HAS_LESS),
    ("UKCore-Observation-VitalSigns-BloodPressure", "Observation.component:DiastolicBP.code", SLICE_HAS_LESS),
];

/// The StructureDefinitions of R4 and of UK Core; none when UK Core is not there.
fn uk_core() -> Option<Vec<(String, Structure)>> {
    let file = std::fs::File::open(UK_CORE).ok()?;
    let mut texts = own_package().files;
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().to_string_lossy().into_owned();
        if name.ends_with(".json") && !name.contains("/examples/") {
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            texts.push((name, text));
        }
    }
    Some(read(texts))
}

fn read(texts: Vec<(String, String)>) -> Vec<(String, Structure)> {
    let is_structure = |value: &Value| value["resourceType"] == "StructureDefinition";
    let texts = texts.into_iter().filter(|(name, _)| name.ends_with(".json"));
    let values = texts.map(|(name, text)| (name, serde_json::from_str::<Value>(&text).unwrap()));
    let values = values.filter(|(_, value)| is_structure(value));
    values.map(|(name, value)| (name, serde_json::from_value(value).unwrap())).collect()
}

#[test]
fn what_uk_core_ships_is_made_again_from_its_differentials() {
    let Some(structures) = uk_core() else {
        return eprintln!("skipped: {UK_CORE} is not there");
    };
    let mut generator = Generator::new(&structures);
    let mut unused: BTreeSet<_> = DIFFERENT.iter().collect();
    let mut wrong = Vec::new();
    let (mut profile_count, mut element_count) = (0, 0);
    for (_, structure) in &structures {
        let has_both = !structure.snapshot.element.is_empty() && !structure.differential.element.is_empty();
        if !structure.is_profile() || !has_both {
            continue;
        }
        let base = generator.numbered(structure.base_definition.as_deref().unwrap()).unwrap();
        let base = generator.tree(base).unwrap();
        let made = tree::flatten(&Layer::new(&mut generator, structure, base).lay().unwrap());
        profile_count += 1;
        element_count += made.len();
        let name = structure.url.rsplit('/').next().unwrap();
        for difference in differences(&structure.snapshot.element, &made) {
            let is_meant = |(profile, id, _): &&(&str, &str, &str)| *profile == name && difference.starts_with(id);
            match DIFFERENT.iter().find(is_meant) {
                Some(meant) => _ = unused.remove(meant),
                None => wrong.push(format!("{name} {difference}")),
            }
        }
    }
    assert!(profile_count >= 69 && element_count > 4_500, "{profile_count} profiles, {element_count} elements");
    assert_eq!(wrong, [""; 0], "differs, and is not listed in DIFFERENT");
    assert_eq!(Vec::from_iter(unused), [] as [&(&str, &str, &str); 0], "listed in DIFFERENT, and does not differ");
}

/// Each difference, beginning with the element's id.
fn differences(shipped: &[ElementDefinition], made: &[ElementDefinition]) -> Vec<String> {
    let by_id = |elements: &[ElementDefinition]| -> BTreeMap<String, Vec<(&'static str, String)>> {
        elements.iter().map(|element| (element.id.clone(), said(element))).collect()
    };
    let (shipped_by_id, made_by_id) = (by_id(shipped), by_id(made));
    let mut told = Vec::new();
    for id in made_by_id.keys().filter(|id| !shipped_by_id.contains_key(*id)) {
        told.push(format!("{id}: is not in what is shipped"));
    }
    for (id, shipped) in &shipped_by_id {
        let Some(made) = made_by_id.get(id) else {
            told.push(format!("{id}: is missing"));
            continue;
        };
        for ((what, shipped), (_, made)) in shipped.iter().zip(made).filter(|(one, other)| one != other) {
            told.push(format!("{id}: {what} is {made}, shipped {shipped}"));
        }
    }
    let order = |elements: &[ElementDefinition], other: &BTreeMap<_, _>| -> Vec<String> {
        elements.iter().map(|element| element.id.clone()).filter(|id| other.contains_key(id)).collect()
    };
    let orders = order(shipped, &made_by_id).into_iter().zip(order(made, &shipped_by_id));
    told.extend(
        orders.filter(|(one, other)| one != other).map(|(one, other)| format!("{one}: stands where {other} did")),
    );
    told
}

/// What a check reads of an element. Invariants of Element and Extension stand with the types only in the distilled
/// core, and that extensions are sliced by url goes without saying.
fn said(element: &ElementDefinition) -> Vec<(&'static str, String)> {
    let keys: BTreeSet<_> = element.constraints.iter().map(|constraint| constraint.key.as_str()).collect();
    let keys: Vec<_> = keys.iter().filter(|key| !matches!(**key, "ele-1" | "ext-1")).collect();
    let by_url = |path: &str, kind: &str| path == "url" && kind == "value";
    let slicing = element.slicing.as_ref().filter(|slicing| {
        !slicing.discriminator.iter().all(|one| by_url(&one.path, &one.r#type)) || slicing.rules != "open"
    });
    let base_max = element.base.as_ref().and_then(|base| base.max.as_ref()).or(element.max.as_ref());
    let content = element.content_reference.as_deref().map(|reference| reference.rsplit('#').next());
    vec![
        ("path", element.path.clone()),
        ("sliceName", format!("{:?}", element.slice_name)),
        ("min", format!("{:?}", element.min)),
        ("max", format!("{:?}", element.max)),
        ("base", format!("{base_max:?}")),
        ("type", format!("{:?}", element.types)),
        ("fixed or pattern", format!("{:?} {:?}", element.fixed, element.pattern)),
        ("limits", format!("{:?} {:?} {:?}", element.max_length, element.min_value, element.max_value)),
        ("binding", format!("{:?}", element.binding)),
        ("slicing", format!("{slicing:?}")),
        ("contentReference", format!("{content:?}")),
        ("isModifier", format!("{}", element.is_modifier.unwrap_or(false))),
        ("constraint", format!("{keys:?}")),
    ]
}

// ---- the rules, one by one

const CORE: &str = "http://hl7.org/fhir/StructureDefinition/";

/// A definition with these elements in its differential.
fn definition(name: &str, on: &str, base: &str, elements: Value) -> Value {
    json!({"resourceType": "StructureDefinition", "url": format!("urn:{name}"), "fhirVersion": "4.0.1", "kind": "resource",
        "type": on, "derivation": "constraint", "baseDefinition": base, "differential": {"element": elements}})
}

/// The elements of `urn:own` with R4 and `definitions` loaded: each as `id min..max type|type`, with its slicing.
fn made(definitions: Vec<Value>) -> Vec<String> {
    let (mut structures, mut set_aside) = (with_core(definitions), Vec::new());
    let problems = complete(&mut structures, &mut set_aside);
    assert_eq!((problems, set_aside), (Vec::new(), Vec::new()));
    let own = structures.iter().find(|(_, structure)| structure.url == "urn:own").unwrap();
    own.1.snapshot.element.iter().map(line).collect()
}

fn with_core(definitions: Vec<Value>) -> Vec<(String, Structure)> {
    let mut structures = read(own_package().files);
    structures
        .extend(definitions.into_iter().map(|value| ("own.json".to_owned(), serde_json::from_value(value).unwrap())));
    structures
}

fn line(element: &ElementDefinition) -> String {
    let types: Vec<_> = element.types.iter().map(|one| one.code.rsplit('/').next().unwrap()).collect();
    let slicing = element.slicing.as_ref().map_or(String::new(), |slicing| {
        let by: Vec<_> = slicing.discriminator.iter().map(|one| format!("{} {}", one.r#type, one.path)).collect();
        format!(" by {} {}", by.join(", "), slicing.rules)
    });
    let (min, max) = (element.min.unwrap(), element.max.as_deref().unwrap());
    format!("{} {min}..{max} {}{slicing}", element.id, types.join("|"))
}

/// The lines below `id`, and its own.
fn below<'l>(lines: &'l [String], id: &str) -> Vec<&'l str> {
    let is_below = |line: &&String| line.strip_prefix(id).is_some_and(|rest| rest.starts_with([' ', '.', ':']));
    lines.iter().filter(is_below).map(String::as_str).collect()
}

fn own(on: &str, elements: Value) -> Vec<String> {
    made(vec![definition("own", on, &format!("{CORE}{on}"), elements)])
}

#[test]
fn a_differential_walks_into_data_types() {
    let lines =
        own("Patient", json!([{"path": "Patient.name.given", "id": "Patient.name.given", "min": 1, "max": "2"}]));
    assert_eq!(
        below(&lines, "Patient.name"),
        [
            "Patient.name 0..* HumanName",
            "Patient.name.id 0..1 System.String",
            "Patient.name.extension 0..* Extension",
            "Patient.name.use 0..1 code",
            "Patient.name.text 0..1 string",
            "Patient.name.family 0..1 string",
            "Patient.name.given 1..2 string",
            "Patient.name.prefix 0..* string",
            "Patient.name.suffix 0..* string",
            "Patient.name.period 0..1 Period"
        ]
    );
    let place = |id: &str| lines.iter().position(|line| line.starts_with(id)).unwrap();
    assert!(place("Patient.name.period") < place("Patient.telecom"), "what is walked into stands where it belongs");
}

#[test]
fn extensions_are_sliced_by_url_without_a_word_and_walked_into_by_their_own_definition() {
    let extension = json!([
        {"id": "Extension", "path": "Extension", "max": "3"},
        {"id": "Extension.url", "path": "Extension.url", "fixedUri": "urn:rank"},
        {"id": "Extension.value[x]", "path": "Extension.value[x]", "min": 1, "type": [{"code": "positiveInt"}]}
    ]);
    let mut extension = definition("rank", "Extension", &format!("{CORE}Extension"), extension);
    extension["kind"] = json!("complex-type");
    let named = |profile: &str| json!([{"code": "Extension", "profile": [profile]}]);
    let own = definition(
        "own",
        "Patient",
        &format!("{CORE}Patient|4.0.1"),
        json!([
            {"id": "Patient.extension:rank", "path": "Patient.extension", "sliceName": "rank", "type": named("urn:rank|1.0")},
            {"id": "Patient.extension:rank.value[x]", "path": "Patient.extension.value[x]", "minValuePositiveInt": 2},
            {"id": "Patient.extension:far", "path": "Patient.extension", "sliceName": "far", "type": named("urn:not-here")},
            {"id": "Patient.extension:far.value[x]", "path": "Patient.extension.value[x]", "min": 1}
        ]),
    );
    let lines = made(vec![own, extension]);
    let lines = below(&lines, "Patient.extension");
    assert_eq!(lines[0], "Patient.extension 0..* Extension by value url open");
    assert_eq!(lines[1], "Patient.extension:rank 0..3 Extension", "no oftener than the extension itself says");
    assert!(lines.contains(&"Patient.extension:rank.value[x] 1..1 positiveInt"), "{lines:#?}");
    assert!(lines.contains(&"Patient.extension:far 0..* Extension"), "{lines:#?}");
    assert!(
        lines.iter().any(|line| line.starts_with("Patient.extension:far.value[x] 1..1 base64Binary|")),
        "{lines:#?}"
    );
}

#[test]
fn slices_start_as_the_element_that_they_slice_and_nest() {
    let lines = own(
        "Patient",
        json!([
            {"id": "Patient.contact", "path": "Patient.contact", "min": 1, "slicing": {"discriminator": [{"type": "value", "path": "gender"}], "rules": "closed"}},
            {"id": "Patient.contact.gender", "path": "Patient.contact.gender", "min": 1},
            {"id": "Patient.contact:one", "path": "Patient.contact", "sliceName": "one", "max": "4"},
            {"id": "Patient.contact:two", "path": "Patient.contact", "sliceName": "two"},
            {"id": "Patient.contact:one.telecom", "path": "Patient.contact.telecom", "slicing": {"discriminator": [{"type": "value", "path": "system"}]}},
            {"id": "Patient.contact:one.telecom:phone", "path": "Patient.contact.telecom", "sliceName": "phone", "min": 1},
            {"id": "Patient.contact:one/inner", "path": "Patient.contact", "sliceName": "one/inner", "max": "1"},
        ]),
    );
    let lines = below(&lines, "Patient.contact");
    let heads: Vec<_> = lines.iter().filter(|line| !line.split(' ').next().unwrap()[8..].contains('.')).collect();
    assert_eq!(
        heads,
        [
            &"Patient.contact 1..* BackboneElement by value gender closed",
            &"Patient.contact:one 0..4 BackboneElement",
            &"Patient.contact:one/inner 0..1 BackboneElement",
            &"Patient.contact:two 0..* BackboneElement"
        ]
    );
    for line in [
        "Patient.contact.gender 1..1 code",
        "Patient.contact:one.gender 1..1 code",
        "Patient.contact:one.telecom 0..* ContactPoint by value system ",
        "Patient.contact:one.telecom:phone 1..* ContactPoint",
        "Patient.contact:one/inner.gender 1..1 code",
        "Patient.contact:two.gender 1..1 code",
        "Patient.contact:two.telecom 0..* ContactPoint",
    ] {
        assert!(lines.contains(&line), "{line} in {lines:#?}");
    }
}

#[test]
fn elements_without_ids_are_matched_by_path_and_slice_name() {
    let with_ids = json!([
        {"id": "Patient.identifier", "path": "Patient.identifier", "slicing": {"discriminator": [{"type": "value", "path": "system"}], "rules": "open"}},
        {"id": "Patient.identifier:one", "path": "Patient.identifier", "sliceName": "one", "max": "1"},
        {"id": "Patient.identifier:one.system", "path": "Patient.identifier.system", "min": 1, "fixedUri": "urn:one"},
        {"id": "Patient.identifier:two", "path": "Patient.identifier", "sliceName": "two", "max": "2"},
        {"id": "Patient.identifier:two.system", "path": "Patient.identifier.system", "min": 1, "fixedUri": "urn:two"},
        {"id": "Patient.active", "path": "Patient.active", "min": 1}
    ]);
    let mut without_ids = with_ids.clone();
    for element in without_ids.as_array_mut().unwrap() {
        element.as_object_mut().unwrap().remove("id");
    }
    let lines = own("Patient", with_ids);
    assert_eq!(lines, own("Patient", without_ids));
    assert!(lines.contains(&"Patient.identifier:two.system 1..1 uri".to_owned()));
    assert!(lines.contains(&"Patient.active 1..1 boolean".to_owned()));
}

#[test]
fn a_slice_is_called_what_it_says_and_not_what_its_id_says() {
    let lines = own(
        "Patient",
        json!([
            {"id": "Patient.name:other-word", "path": "Patient.name", "sliceName": "usual", "max": "1"},
            {"id": "Patient.name:other-word.family", "path": "Patient.name.family", "min": 1}
        ]),
    );
    assert!(lines.contains(&"Patient.name:usual.family 1..1 string".to_owned()), "{lines:#?}");
    assert!(!lines.iter().any(|line| line.contains("other-word")), "{lines:#?}");
}

#[test]
fn a_choice_is_narrowed_and_sliced_by_type() {
    let short = own(
        "Observation",
        json!([{"path": "Observation.valueQuantity", "min": 1}, {"path": "Observation.valueQuantity.code", "min": 1}]),
    );
    let long = own(
        "Observation",
        json!([
            {"id": "Observation.value[x]:valueQuantity", "path": "Observation.value[x]", "sliceName": "valueQuantity", "min": 1},
            {"id": "Observation.value[x]:valueQuantity.code", "path": "Observation.value[x].code", "min": 1},
        ]),
    );
    assert_eq!(short, long);
    let lines = below(&long, "Observation.value[x]");
    assert!(lines[0].ends_with("by type $this open"), "{lines:#?}");
    assert_eq!(lines[1], "Observation.value[x]:valueQuantity 1..1 Quantity");
    assert!(lines.contains(&"Observation.value[x]:valueQuantity.code 1..1 code"), "{lines:#?}");

    let narrowed = own(
        "Observation",
        json!([
            {"id": "Observation.value[x]", "path": "Observation.value[x]", "type": [{"code": "Quantity"}]},
            {"id": "Observation.valueQuantity.unit", "path": "Observation.valueQuantity.unit", "min": 1},
        ]),
    );
    let lines = below(&narrowed, "Observation.value[x]");
    assert_eq!(lines[0], "Observation.value[x] 0..1 Quantity");
    assert!(lines.contains(&"Observation.value[x].unit 1..1 string"), "{lines:#?}");
}

#[test]
fn content_references_are_unfolded_as_deep_as_a_differential_goes() {
    let lines = own(
        "Questionnaire",
        json!([
            {"id": "Questionnaire.item.text", "path": "Questionnaire.item.text", "min": 1},
            {"id": "Questionnaire.item.item.item.prefix", "path": "Questionnaire.item.item.item.prefix", "min": 1},
        ]),
    );
    for line in [
        "Questionnaire.item.text 1..1 string",
        "Questionnaire.item.item 0..* BackboneElement",
        "Questionnaire.item.item.text 0..1 string",
        "Questionnaire.item.item.item.prefix 1..1 string",
        "Questionnaire.item.item.item.item 0..* ",
    ] {
        assert!(lines.iter().any(|known| known == line), "{line} in {lines:#?}");
    }
}

#[test]
fn a_base_without_a_snapshot_gets_its_own_first_and_invariants_gather() {
    let constraint = |key: &str| json!([{"key": key, "severity": "error", "human": "h", "expression": "true"}]);
    let own = definition(
        "own",
        "Patient",
        "urn:middle",
        json!([
            {"id": "Patient", "path": "Patient", "constraint": constraint("own-1")},
            {"id": "Patient.name.use", "path": "Patient.name.use", "patternCode": "usual", "constraint": constraint("own-2")}
        ]),
    );
    let middle = definition(
        "middle",
        "Patient",
        &format!("{CORE}Patient"),
        json!([
            {"id": "Patient", "path": "Patient", "constraint": constraint("middle-1")},
            {"id": "Patient.name", "path": "Patient.name", "max": "1"},
            {"id": "Patient.name.use", "path": "Patient.name.use", "min": 1, "binding": {"strength": "required"}}
        ]),
    );
    let mut structures = with_core(vec![own, middle]);
    assert_eq!(complete(&mut structures, &mut Vec::new()), []);
    let own = structures.iter().find(|(_, structure)| structure.url == "urn:own").unwrap();
    let element = |id: &str| own.1.snapshot.element.iter().find(|element| element.id == id).unwrap();
    let sources: Vec<_> =
        element("Patient").constraints.iter().map(|one| (one.key.as_str(), one.source.as_deref())).collect();
    assert!(sources.contains(&("own-1", Some("urn:own"))) && sources.contains(&("middle-1", Some("urn:middle"))));
    assert!(sources.iter().any(|(key, _)| *key == "dom-2"), "what the base asks is still asked: {sources:?}");
    let name = element("Patient.name");
    let base = name.base.as_ref().unwrap();
    assert_eq!(
        (name.max.as_deref(), base.max.as_deref(), base.path.as_deref()),
        (Some("1"), Some("*"), Some("Patient.name"))
    );
    let of_use = element("Patient.name.use");
    assert_eq!((of_use.min, of_use.pattern.as_ref()), (Some(1), Some(&json!("usual"))));
    let binding = of_use.binding.as_ref().unwrap();
    assert_eq!(
        binding.value_set.as_deref(),
        Some("http://hl7.org/fhir/ValueSet/name-use|4.0.1"),
        "a part leaves the rest"
    );
}

#[test]
fn a_type_of_its_own_adds_elements_to_those_of_its_base() {
    let mut own = definition(
        "own",
        "Clinic",
        &format!("{CORE}BackboneElement"),
        json!([
            {"id": "Clinic", "path": "Clinic"},
            {"id": "Clinic.room", "path": "Clinic.room", "min": 1, "max": "2", "type": [{"code": "string"}]}
        ]),
    );
    own["derivation"] = json!("specialization");
    assert_eq!(
        made(vec![own]),
        [
            "Clinic 0..* ",
            "Clinic.id 0..1 System.String",
            "Clinic.extension 0..* Extension",
            "Clinic.modifierExtension 0..* Extension",
            "Clinic.room 1..2 string"
        ]
    );
}

#[test]
fn definitions_that_make_no_sense_are_problems_and_what_is_not_loaded_is_set_aside() {
    let check = |definitions: Vec<Value>, problems: &[&str], aside: &[&str]| {
        let (mut structures, mut set_aside) = (with_core(definitions), Vec::new());
        let told: Vec<_> = complete(&mut structures, &mut set_aside).into_iter().map(|one| one.message).collect();
        assert_eq!(told, problems);
        assert_eq!(set_aside.iter().map(NotEvaluated::to_string).collect::<Vec<_>>(), aside);
    };
    let patient = format!("{CORE}Patient");
    let at = |path: &str| json!([{"path": path, "min": 1}]);
    check(
        vec![definition("own", "Patient", &patient, at("Patient.contact.nme"))],
        &[
            "Patient.contact.nme: its base http://hl7.org/fhir/StructureDefinition/Patient has no element `nme` there; did you mean `name`?",
        ],
        &[],
    );
    check(
        vec![
            definition("own", "Patient", "urn:other", at("Patient")),
            definition("other", "Patient", "urn:own", at("Patient")),
        ],
        &[
            "it stands on itself, by way of urn:own: a definition needs a base of its own",
            "it stands on itself, by way of urn:own: a definition needs a base of its own",
        ],
        &[],
    );
    check(
        vec![definition("own", "Patient", "urn:gone", at("Patient"))],
        &[],
        &["urn:own (it has no snapshot, and its base urn:gone is not loaded)"],
    );
    let deep = format!("Questionnaire{}", ".item".repeat(70));
    check(
        vec![definition("own", "Questionnaire", &format!("{CORE}Questionnaire"), at(&deep))],
        &["an element stands more than 64 steps deep"],
        &[],
    );
    let slice = |number: usize| json!({"path": "Patient.contact", "sliceName": format!("s{number}")});
    let many: Vec<_> = (0..4_000).map(slice).collect();
    check(
        vec![definition("own", "Patient", &patient, many.into())],
        &["its snapshot would have more than 20000 elements"],
        &[],
    );
    let chain =
        |number: usize| definition(&format!("d{number}"), "Patient", &format!("urn:d{}", number + 1), at("Patient"));
    let (mut structures, mut set_aside) = (with_core((0..40).map(chain).collect()), Vec::new());
    let told = complete(&mut structures, &mut set_aside);
    assert!(told.iter().any(|one| one.message.contains("more than 32 definitions")), "{told:?}");
}
