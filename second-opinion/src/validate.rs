//! Published samples, each held against its own profile, and variants of the sound ones with one thing changed, judged
//! by Stile and by rh-validator.

use crate::faults::variants;
use crate::material::{self, Sample};
use crate::other::Other;
use crate::page::Disagreement;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use stile::fhir::{self, Format, Limits};
use stile::profile::{Ask, Profiles, UnknownExtensions};

/// Samples of one type whose variants are judged: more of them say the same again.
const OF_EACH_TYPE: usize = 1;

/// What refuses a resource, said by each.
struct Judged {
    ours: Vec<String>,
    theirs: Vec<String>,
}

/// All that the two disagree about, by what was judged and by what each says.
pub fn disagreements() -> Vec<Disagreement> {
    let packages = material::packages();
    let profiles = Profiles::compile(&packages).unwrap_or_else(|problems| panic!("{problems:?}"));
    let other = Other::over(&packages);
    let judge = |json: &Json, claim: Option<&str>| Judged {
        ours: our_errors(&profiles, json, claim),
        theirs: their_errors(&other, json, claim),
    };
    let mut seen = Seen::default();
    let mut sound: BTreeMap<String, Vec<Sample>> = BTreeMap::new();
    let samples = material::samples(&profiles);
    for sample in &samples {
        let judged = judge(&sample.json, sample.claim.as_deref());
        if judged.ours.is_empty() && judged.theirs.is_empty() {
            let type_name = sample.json["resourceType"].as_str().unwrap_or_default().to_owned();
            sound.entry(type_name).or_default().push(sample.clone());
        }
        // Each published sample that one of them refuses is a case of its own.
        seen.take(&sample.name, "", &judged);
    }
    for sample in sound.values().flat_map(|samples| samples.iter().take(OF_EACH_TYPE)) {
        for variant in variants(&sample.json) {
            let judged = judge(&variant.json, sample.claim.as_deref());
            seen.take(variant.edit, &example(&variant.member, &sample.name), &judged);
        }
    }
    eprintln!("{} samples, {} judgements by each; both said {:?}", samples.len(), seen.count, seen.same);
    seen.disagreements()
}

/// Where a variant was changed.
fn example(member: &str, name: &str) -> String {
    let name = name.strip_prefix("uk-core-package/").unwrap_or(name);
    if member.is_empty() { name.to_owned() } else { format!("{member} of {name}") }
}

fn our_errors(profiles: &Profiles, json: &Json, claim: Option<&str>) -> Vec<String> {
    let parsed = fhir::parse(json.to_string().as_bytes(), Format::Json, &Limits::default());
    let mut issues = parsed.issues;
    if let Some(document) = parsed.document {
        // The other validator refuses what it does not know, so Stile is asked to.
        let ask = Ask { profiles: claim.as_slice(), unknown_extensions: UnknownExtensions::Refuse, ..Ask::default() };
        issues.extend(profiles.check(&document, &ask).issues);
    }
    issues.into_iter().filter(|issue| issue.refuses()).map(|issue| issue.rule.as_str().to_owned()).collect()
}

/// A panic of theirs is an answer too.
fn their_errors(other: &Other, json: &Json, claim: Option<&str>) -> Vec<String> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| other.errors(json, claim)))
        .unwrap_or_else(|_| vec!["panics".to_owned()])
}

/// What was seen of one disagreement.
#[derive(Default)]
struct Group {
    count: usize,
    kinds: BTreeSet<String>,
    example: String,
}

#[derive(Default)]
struct Seen {
    count: usize,
    same: BTreeMap<&'static str, usize>,
    /// By what was judged, and whether it is Stile that refuses.
    different: BTreeMap<(String, bool), Group>,
}

impl Seen {
    fn take(&mut self, what: &str, example: &str, judged: &Judged) {
        self.count += 1;
        let (errors, is_ours) = match (judged.ours.is_empty(), judged.theirs.is_empty()) {
            (true, true) => return *self.same.entry("sound").or_default() += 1,
            (false, false) => return *self.same.entry("wrong").or_default() += 1,
            (false, true) => (&judged.ours, true),
            (true, false) => (&judged.theirs, false),
        };
        let group = self.different.entry((what.to_owned(), is_ours)).or_default();
        group.count += 1;
        group.kinds.extend(errors.iter().map(|error| kind(error)));
        if group.example.is_empty() {
            group.example = example.to_owned();
        }
    }

    fn disagreements(self) -> Vec<Disagreement> {
        let row = |((what, is_ours), group): ((String, bool), Group)| {
            let refuses = group.kinds.into_iter().collect::<Vec<_>>().join("; ");
            let sound = "sound".to_owned();
            let (ours, theirs) = if is_ours { (refuses, sound) } else { (sound, refuses) };
            let asked = match group.example.as_str() {
                "" => what,
                example => format!("{what}, {} times, first {example}", group.count),
            };
            Disagreement { asked, ours, theirs, count: group.count }
        };
        self.different.into_iter().map(row).collect()
    }
}

/// A message without what differs from one place to the next: the profile, the place, what is quoted, and numbers.
fn kind(error: &str) -> String {
    let error = error.split(" @ ").next().unwrap_or(error);
    let error = match error.strip_prefix("[Profile: ") {
        Some(rest) => rest.split_once("] ").map_or(rest, |(_, message)| message),
        None => error,
    };
    let mut plain = String::new();
    for (number, part) in error.split('\'').enumerate() {
        plain += if number % 2 == 0 { part } else { "…" };
    }
    plain.chars().map(|letter| if letter.is_ascii_digit() { 'n' } else { letter }).collect()
}
