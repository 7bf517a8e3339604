//! Reading, tolerating, checking and mapping a body: all that needs nothing but the body.

use super::{Parts, incident};
use crate::access::Sender;
use crate::document::Document;
use crate::error::Error;
use crate::fhir::{self, Format, Limits};
use crate::issue::{Issue, Place, Rule, any_refuses, nearest};
use crate::mapping::{Reads, Variables};
use crate::model::Canonical;
use crate::national;
use crate::profile::{self, Ask, NotEvaluated, Profiles, Suppressed, Tolerance};
use jiff::Timestamp;

/// A body that was read and found acceptable.
pub(super) struct Read {
    pub(super) document: Document,
    /// Warnings and information.
    pub(super) issues: Vec<Issue>,
}

/// A canonical value made from a body.
pub(super) struct Mapped {
    pub(super) canonical: Canonical,
    pub(super) value: serde_json::Value,
    /// Name and version of the mapping.
    pub(super) mapping: String,
    pub(super) issues: Vec<Issue>,
}

/// What a body is judged by.
#[derive(Clone, Copy)]
pub struct Terms<'a> {
    /// The definitions.
    pub profiles: &'a Profiles,
    /// What reading may cost.
    pub limits: &'a Limits,
    /// Who sent it: its tolerances, its profiles, what is thought of extensions that nobody knows. None for what the
    /// gateway itself wrote.
    pub sender: Option<&'a Sender>,
    /// The type that the address asks for.
    pub expected_type: Option<&'a str>,
    /// Canonical urls of profiles that it must fit, beside the sender's.
    pub demanded: &'a [&'a str],
    /// What dates are held against.
    pub now: Timestamp,
}

impl Terms<'_> {
    fn tolerances(&self) -> Vec<Tolerance> {
        let names = self.sender.map(|sender| sender.tolerances.as_slice()).unwrap_or_default();
        names.iter().filter_map(|name| name.parse().ok()).collect()
    }

    /// The profiles that a resource of this type must fit: of the sender's those on its type, as a sender speaks of more
    /// than one type; and whatever is asked for by name.
    fn demanded(&self, resource_type: Option<&str>) -> Vec<&str> {
        let of_sender = self.sender.map(|sender| sender.profiles.as_slice()).unwrap_or_default();
        let is_on_type =
            |url: &&str| self.profiles.profile(url).is_none_or(|loaded| Some(loaded.type_name) == resource_type);
        of_sender.iter().map(String::as_str).filter(is_on_type).chain(self.demanded.iter().copied()).collect()
    }
}

/// What reading and checking say of a body.
pub struct Judged {
    /// The tree, in the form that was checked; none where the text could not be read.
    pub document: Option<Document>,
    /// Everything that was found.
    pub issues: Vec<Issue>,
    /// What definitions ask of it and could not be decided.
    pub not_evaluated: Vec<NotEvaluated>,
    /// What the severity policy keeps from being told.
    pub suppressed: Suppressed,
    /// True when the fault lies in the text itself and not in what it says.
    pub is_malformed: bool,
}

impl Judged {
    /// Reads a body, turns tolerated deviations into R4, and checks it against its type's definition, the profiles
    /// that are asked for, and the national rules that its sender keeps.
    pub fn of(body: &[u8], format: Format, terms: &Terms<'_>) -> Judged {
        let parsed = fhir::parse(body, format, terms.limits);
        let mut issues = parsed.issues;
        let mut suppressed = Suppressed::new();
        terms.profiles.settle(&mut issues, &mut suppressed);
        let not_evaluated = Vec::new();
        let Some(mut document) = parsed.document else {
            return Judged { document: None, issues, not_evaluated, suppressed, is_malformed: true };
        };
        let is_malformed = any_refuses(&issues);
        if let Some(release) = fhir::is_stu3(&document) {
            issues.push(release);
            return Judged { document: Some(document), issues, not_evaluated, suppressed, is_malformed };
        }
        issues.extend(profile::apply(&mut document, &terms.tolerances()));
        issues.extend(national::canonical_systems(&mut document));
        let ask = Ask {
            expected_type: terms.expected_type,
            profiles: &terms.demanded(document.resource_type()),
            unknown_extensions: terms.sender.map(|sender| sender.unknown_extensions).unwrap_or_default(),
        };
        let verdict = terms.profiles.check(&document, &ask);
        issues.extend(verdict.issues);
        if let Some(Sender { rules, .. }) = terms.sender {
            issues = issues.into_iter().filter_map(|issue| rules.weigh(issue)).collect();
            issues.extend(national::check(&document, rules, terms.now));
        }
        // What has been settled before stays as it is.
        terms.profiles.settle(&mut issues, &mut suppressed);
        for (name, count) in verdict.suppressed {
            *suppressed.entry(name).or_default() += count;
        }
        let is_malformed = is_malformed || issues.iter().any(|issue| is_about_the_text(issue.rule));
        Judged { document: Some(document), issues, not_evaluated: verdict.not_evaluated, suppressed, is_malformed }
    }
}

/// Faults of what was sent as a whole, rather than of the data in it.
fn is_about_the_text(rule: Rule) -> bool {
    matches!(rule, Rule::ResourceTypeMissing | Rule::ResourceTypeUnknown | Rule::ResourceTypeMismatch)
}

impl Parts {
    /// Whether all of these profiles are loaded: a verdict that leaves one out would say more than it knows.
    pub(super) fn has_profiles(&self, demanded: &[&str]) -> Result<(), Error> {
        let mut issues = Vec::new();
        for url in demanded {
            let (wanted, version) =
                url.split_once('|').map_or((*url, None), |(wanted, version)| (wanted, Some(version)));
            let mut loaded = self.profiles.profiles().filter(|loaded| loaded.url == wanted);
            if !loaded.any(|loaded| version.is_none_or(|version| loaded.version == version)) {
                let near = nearest(wanted, self.profiles.profiles().map(|loaded| loaded.url));
                let way_out = match near {
                    Some(near) => format!("did you mean {near}?"),
                    None => "the profiles that are loaded are listed in /fhir/metadata".into(),
                };
                let message = match version {
                    Some(_) => "No loaded package has the profile that is asked for, in this version",
                    None => "No loaded package has the profile that is asked for",
                };
                let issue = Issue::new(Rule::QueryValue, message);
                issues.push(issue.at(Place::named("profile")).hint(way_out));
            }
        }
        if issues.is_empty() { Ok(()) } else { Err(Error::Malformed(issues)) }
    }

    /// What reading and checking say of a body that a sender sent.
    pub(super) fn judge(
        &self,
        body: &[u8],
        format: Format,
        resource_type: &str,
        sender: &Sender,
        demanded: &[&str],
        now: Timestamp,
    ) -> Result<Judged, Error> {
        if body.len() > self.limits.bytes_max {
            return Err(Error::TooLarge(self.limits.bytes_max));
        }
        let terms = Terms {
            profiles: &self.profiles,
            limits: &self.limits,
            sender: Some(sender),
            expected_type: Some(resource_type),
            demanded,
            now,
        };
        Ok(Judged::of(body, format, &terms))
    }

    pub(super) fn read(
        &self,
        body: &[u8],
        format: Format,
        resource_type: &str,
        sender: &Sender,
        now: Timestamp,
    ) -> Result<Read, Error> {
        match self.judge(body, format, resource_type, sender, &[], now)? {
            Judged { issues, is_malformed: true, .. } => Err(Error::Malformed(issues)),
            Judged { document: Some(document), issues, .. } if !any_refuses(&issues) => Ok(Read { document, issues }),
            Judged { issues, .. } => Err(Error::Rejected(issues)),
        }
    }

    pub(super) fn map(&self, document: &Document, sender: &Sender, now: Timestamp) -> Result<Mapped, Error> {
        let document = &*national::for_mapping(document, &sender.rules);
        let variables = Variables { sender: &sender.variables, now, trees: &[] };
        let chosen = self.library.inbound(document, &variables).map_err(|issue| Error::Rejected(vec![issue]))?;
        let Some(mapping) = chosen else {
            let kind = document.resource_type().unwrap_or("resource").to_owned();
            let mut forms: Vec<&str> = self
                .library
                .mappings()
                .filter(|mapping| *mapping.reads() == Reads::Resource(kind.clone()))
                .map(|mapping| mapping.title())
                .collect();
            forms.sort_unstable();
            let issue = Issue::new(Rule::MappingNone, format!("No mapping takes a {kind} of this form"))
                .at(document.root().place())
                .hint(format!("forms that are taken: {}", forms.join("; ")));
            return Err(Error::Rejected(vec![issue]));
        };
        let outcome = mapping.run(document, &variables);
        if any_refuses(&outcome.issues) {
            return Err(Error::Rejected(outcome.issues));
        }
        let kind = outcome.kind.ok_or_else(|| incident("an inbound mapping made no canonical value"))?;
        let canonical = kind.take(outcome.value.clone()).map_err(|fault| incident(&fault.to_string()))?;
        let mapping = format!("{} {}", mapping.name(), mapping.version());
        Ok(Mapped { canonical, value: outcome.value, mapping, issues: outcome.issues })
    }
}
