//! Every expression of the official FHIRPath file and every invariant of R4, over the sample resources, by Stile and by
//! rh-fhirpath.

use crate::material::files_below;
use crate::page::Disagreement;
use crate::project;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use rh_fhirpath::{EvaluationContext, FhirPathEvaluator, FhirPathParser, FhirPathValue};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::path::Path;
use stile::document::{Document, Node};
use stile::fhir::{self, Format, Limits};
use stile::fhirpath::{Collection, Context, Item, Model, Scope, Value, compile, compile_for};
use stile::profile::{Package, Profiles};

/// What was asked and what each said, with how often; and how often both said the same.
#[derive(Default)]
struct Seen {
    different: BTreeMap<(String, String, String), usize>,
    same: BTreeMap<&'static str, usize>,
}

/// All that the two disagree about.
pub fn disagreements() -> Vec<Disagreement> {
    let profiles = profiles();
    let mut seen = Seen::default();
    let asked = official(&profiles, &mut seen) + invariants(&profiles, &mut seen);
    eprintln!("{asked} evaluations by each; both said {:?}", seen.same);
    let different = seen.different.into_iter();
    different.map(|((asked, ours, theirs), count)| Disagreement { asked, ours, theirs, count }).collect()
}

fn profiles() -> Profiles {
    let files = definitions();
    let package = Package { name: "hl7.fhir.r4.core.distilled".into(), version: "4.0.1".into(), files };
    Profiles::compile(&[package]).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn definitions() -> Vec<(String, String)> {
    let mut files: Vec<_> = files_below(&project().join("profiles/r4-core"))
        .into_iter()
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(path).unwrap()))
        .collect();
    files.sort();
    files
}

/// A resource for both: the tree, and the JSON that it makes.
struct Sample {
    document: Document,
    json: Json,
}

fn read(path: &Path) -> Option<Sample> {
    let bytes = std::fs::read(path).ok()?;
    let format = match path.extension()?.to_str()? {
        "json" => Format::Json,
        "xml" => Format::Xml,
        _ => return None,
    };
    let document = fhir::parse(&bytes, format, &Limits::default()).document?;
    document.resource_type()?;
    let json = serde_json::from_str(&fhir::json(document.root())).unwrap();
    Some(Sample { document, json })
}

/// The sample resources, and those inside Bundles once more by themselves.
fn samples() -> Vec<Sample> {
    let mut samples: Vec<Sample> =
        files_below(&project().join("../shared/samples")).iter().filter_map(|path| read(path)).collect();
    let inside: Vec<Sample> = samples
        .iter()
        .filter(|sample| sample.document.resource_type() == Some("Bundle"))
        .flat_map(|bundle| bundle.json["entry"].as_array().into_iter().flatten())
        .filter_map(|entry| again(entry["resource"].clone()))
        .collect();
    samples.extend(inside);
    let cut: Vec<Sample> = first_of_each_type(&samples).into_iter().flat_map(variants).collect();
    samples.extend(cut);
    eprintln!("{} sample resources", samples.len());
    samples
}

/// A few samples of each type, to be cut about: most samples keep every invariant, and agreement on those says little.
fn first_of_each_type(samples: &[Sample]) -> Vec<&Sample> {
    const OF_EACH_TYPE: usize = 3;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut first = Vec::new();
    for sample in samples {
        let count = counts.entry(sample.document.resource_type().unwrap_or("")).or_default();
        *count += 1;
        if *count <= OF_EACH_TYPE {
            first.push(sample);
        }
    }
    first
}

/// A sample without each of its members in turn, and without each member of the first item of those.
fn variants(sample: &Sample) -> Vec<Sample> {
    let mut found = Vec::new();
    let members = sample.json.as_object().into_iter().flatten();
    for (name, member) in members.filter(|(name, _)| *name != "resourceType") {
        let mut without = sample.json.clone();
        without.as_object_mut().unwrap().shift_remove(name);
        found.extend(again(without));
        let first = if member.is_array() { &member[0] } else { member };
        for inner in first.as_object().into_iter().flat_map(|first| first.keys()) {
            let mut without = sample.json.clone();
            let first = if member.is_array() { &mut without[name][0] } else { &mut without[name] };
            first.as_object_mut().unwrap().shift_remove(inner);
            found.extend(again(without));
        }
    }
    found
}

fn again(json: Json) -> Option<Sample> {
    let document = fhir::parse(json.to_string().as_bytes(), Format::Json, &Limits::default()).document?;
    document.resource_type()?;
    Some(Sample { document, json })
}

// ---- the official cases

struct Case {
    input: Option<String>,
    expression: String,
    is_strict: bool,
    checks_order: bool,
}

fn official(profiles: &Profiles, seen: &mut Seen) -> usize {
    let folder = project().join("../shared/samples/fhirpath");
    let text = std::fs::read_to_string(folder.join("tests-fhir-r4.xml")).expect("the official file");
    let cases = cases(&text);
    let nothing = Sample { document: Document::over(String::new()), json: Json::Object(Default::default()) };
    let mut samples: BTreeMap<String, Sample> = BTreeMap::new();
    for case in &cases {
        let sample = match &case.input {
            Some(name) => samples
                .entry(name.clone())
                .or_insert_with(|| read(&folder.join(name)).unwrap_or_else(|| panic!("{name} cannot be read"))),
            None => &nothing,
        };
        let scope = if case.is_strict { Scope::new().strict_choices() } else { Scope::new() };
        let kind = sample.document.resource_type();
        let compiled = match (case.is_strict, kind) {
            (true, Some(kind)) => compile_for(&case.expression, &scope, profiles, kind),
            (_, _) => compile(&case.expression, &scope),
        };
        let root = sample.document.root();
        let context = Context::new(root).model(profiles).now("2026-11-21T12:00:00Z".parse().unwrap());
        let ours = match &compiled {
            Ok(expression) => said(expression.evaluate(root, &context).ok()),
            Err(_) => said(None),
        };
        let mut theirs = EvaluationContext::new(sample.json.clone());
        theirs.strict_mode = case.is_strict;
        theirs.check_ordered_functions = case.checks_order;
        compare(seen, case.expression.trim(), ours, their_word(&case.expression, &theirs));
    }
    cases.len()
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = start.try_get_attribute(name).unwrap()?;
    Some(found.normalized_value(quick_xml::XmlVersion::Implicit1_0).unwrap().into_owned())
}

fn cases(text: &str) -> Vec<Case> {
    let mut reader = Reader::from_str(text);
    let mut cases: Vec<Case> = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => match start.local_name().as_ref() {
                "test" => cases.push(Case {
                    input: attribute(&start, "inputfile"),
                    expression: String::new(),
                    is_strict: attribute(&start, "mode").as_deref() == Some("strict"),
                    checks_order: attribute(&start, "checkOrderedFunctions").as_deref() == Some("true"),
                }),
                "expression" => {
                    let is_strict = attribute(&start, "mode").as_deref() == Some("strict");
                    let end = start.to_end().into_owned();
                    let raw = reader.read_text(end.name()).unwrap().as_ref().to_owned();
                    let case = cases.last_mut().unwrap();
                    case.expression = quick_xml::escape::unescape(&raw).unwrap().into_owned();
                    case.is_strict |= is_strict;
                }
                _ => {}
            },
            Event::Eof => return cases,
            _ => {}
        }
    }
}

// ---- the invariants

/// Invariants by the type or path that they are on.
fn by_path() -> BTreeMap<String, Vec<(String, String)>> {
    let mut found: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for (_, text) in definitions().iter().filter(|(name, _)| name.starts_with("StructureDefinition-")) {
        let definition: Json = serde_json::from_str(text).unwrap();
        for element in definition["snapshot"]["element"].as_array().unwrap() {
            let path = element["path"].as_str().unwrap();
            for constraint in element["constraint"].as_array().into_iter().flatten() {
                let word = |name: &str| constraint[name].as_str().unwrap_or("").to_owned();
                let own = (word("key"), word("expression"));
                let list = found.entry(path.trim_end_matches("[x]").to_owned()).or_default();
                if !own.1.is_empty() && !list.contains(&own) {
                    list.push(own);
                }
            }
        }
    }
    found
}

fn invariants(profiles: &Profiles, seen: &mut Seen) -> usize {
    let by_path = by_path();
    let mut asked = 0;
    for sample in samples() {
        let root = sample.document.root();
        let whole = EvaluationContext::new(sample.json.clone());
        let mut waiting = vec![(root, root)];
        while let Some((node, resource)) = waiting.pop() {
            let resource = if node.resource_type().is_some() { node } else { resource };
            waiting.extend(node.children().map(|child| (child, resource)));
            // What is in another resource has another `%resource`, which the other engine cannot be told.
            if node.value().is_some() || resource != root {
                continue;
            }
            let Ok(json) = serde_json::from_str::<Json>(&fhir::json(node)) else { continue };
            for place in places(node, profiles) {
                for (key, expression) in by_path.get(&place).into_iter().flatten() {
                    asked += 1;
                    let context = Context::new(resource).root(root).model(profiles);
                    let ours = compile(expression, &Scope::new().as_selects())
                        .ok()
                        .and_then(|expression| expression.evaluate(node, &context).ok());
                    let theirs = if node == root { whole.clone() } else { whole.with_current(json.clone()) };
                    let name = format!("{key}: {expression}");
                    compare(seen, &name, said(ours), their_word(expression, &theirs));
                }
            }
        }
    }
    asked
}

/// The paths whose invariants speak of a node: its type, and where it stands in its resource.
fn places(node: Node<'_>, profiles: &Profiles) -> Vec<String> {
    let mut places: Vec<String> = profiles.type_of(node).map(str::to_owned).into_iter().collect();
    let mut names = Vec::new();
    let mut above = Some(node);
    while let Some(node) = above {
        match node.resource_type() {
            Some(kind) => {
                names.push(kind);
                break;
            }
            None => names.push(node.name()),
        }
        above = node.parent();
    }
    names.reverse();
    let path = names.join(".");
    if !places.contains(&path) {
        places.push(path);
    }
    places
}

// ---- what each says, in words that can be compared

fn their_word(expression: &str, context: &EvaluationContext) -> String {
    let asked = || {
        let parsed = FhirPathParser::new().parse(expression).ok()?;
        FhirPathEvaluator::new().evaluate(&parsed, context).ok()
    };
    // A panic of theirs is an answer too.
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(asked)) {
        Ok(Some(value)) => {
            let mut items = Vec::new();
            their_items(&value, &mut items);
            spelled(items)
        }
        Ok(None) => "fails".to_owned(),
        Err(_) => "panics".to_owned(),
    }
}

fn their_items(value: &FhirPathValue, items: &mut Vec<String>) {
    match value {
        FhirPathValue::Empty => {}
        FhirPathValue::Collection(all) | FhirPathValue::UnorderedCollection(all) => {
            all.iter().for_each(|each| their_items(each, items));
        }
        FhirPathValue::FhirPrimitive { inner, .. } => their_items(inner, items),
        FhirPathValue::Number(number) => items.push(plain(&number.to_string())),
        FhirPathValue::Quantity { value, unit } => {
            items.push(format!("{} {}", plain(&value.to_string()), unit.as_deref().unwrap_or("1").trim_matches('\'')));
        }
        FhirPathValue::Object(_) | FhirPathValue::TypedObject { .. } => items.push("<element>".to_owned()),
        other => items.push(plain(&other.to_string_value().unwrap_or_else(|_| format!("{other:?}")))),
    }
}

fn said(found: Option<Collection<'_>>) -> String {
    let Some(found) = found else { return "fails".to_owned() };
    let word = |item: &Item<'_>| match (item, item.text()) {
        (Item::Value(Value::Quantity(quantity), _), _) => {
            format!("{} {}", plain(&quantity.value.to_string()), quantity.unit)
        }
        (_, Some(text)) => plain(&text),
        (_, None) => "<element>".to_owned(),
    };
    spelled(found.iter().map(word).collect())
}

/// A number without the zeros that say nothing of its size, a moment without the signs of its literal.
fn plain(text: &str) -> String {
    let text = text.trim_start_matches("@T").trim_start_matches('@');
    let is_decimal = text.contains('.') && text.parse::<f64>().is_ok();
    if is_decimal { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text.to_owned() }
}

fn spelled(items: Vec<String>) -> String {
    if items.is_empty() { "nothing".to_owned() } else { items.join(", ") }
}

/// As much of an answer as a table has room for.
fn shortened(text: &str) -> String {
    const SHOWN_MAX: usize = 60;
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn compare(seen: &mut Seen, asked: &str, ours: String, theirs: String) {
    if ours == theirs {
        let said = ["true", "false", "nothing", "fails"].into_iter().find(|said| *said == ours);
        *seen.same.entry(said.unwrap_or("something else")).or_default() += 1;
    } else {
        *seen.different.entry((asked.to_owned(), shortened(&ours), shortened(&theirs))).or_default() += 1;
    }
}
