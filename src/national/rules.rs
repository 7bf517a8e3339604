//! Which of the national rules hold for a sender, and how hard.

use crate::issue::{Issue, Rule, Severity};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::str::FromStr;

/// A national interface contract that a sender speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contract {
    /// The producer standard of the Patient Care Aggregator.
    Pca,
    /// The Booking and Referral Standard.
    Bars,
}

impl Contract {
    /// Every contract.
    pub const ALL: &'static [Contract] = &[Contract::Pca, Contract::Bars];

    /// The name in settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Contract::Pca => "pca",
            Contract::Bars => "bars",
        }
    }
}

impl FromStr for Contract {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Contract::ALL.iter().copied().find(|contract| contract.as_str() == name).ok_or(())
    }
}

/// What becomes of a submission that breaks a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// It is refused.
    Refuse,
    /// It is accepted with a warning.
    Flag,
    /// Nothing is said.
    Off,
}

impl Switch {
    /// Every switch.
    pub const ALL: &'static [Switch] = &[Switch::Refuse, Switch::Flag, Switch::Off];

    /// The word in settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Switch::Refuse => "refuse",
            Switch::Flag => "flag",
            Switch::Off => "off",
        }
    }

    fn severity(self) -> Option<Severity> {
        match self {
            Switch::Refuse => Some(Severity::Error),
            Switch::Flag => Some(Severity::Warning),
            Switch::Off => None,
        }
    }
}

impl FromStr for Switch {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        Switch::ALL.iter().copied().find(|switch| switch.as_str() == word).ok_or(())
    }
}

/// The rules that hold whatever a sender speaks.
const COMMON: [Rule; 10] = [
    Rule::IdentifierSystemCase,
    Rule::NhsNumber,
    Rule::NhsNumberForm,
    Rule::NhsNumberTestRange,
    Rule::NhsNumberVerification,
    Rule::OdsCode,
    Rule::ClockRepeatedHour,
    Rule::ClockMissingHour,
    Rule::ClockOffset,
    Rule::AppointmentPlaceholder,
];

/// The contract that a rule belongs to; none for what holds for everybody.
pub fn contract_of(rule: Rule) -> Option<Contract> {
    let group = rule.as_str().split('.').next().unwrap_or_default();
    group.parse().ok()
}

/// The rules that a sender's settings may switch.
pub fn switchable() -> impl Iterator<Item = Rule> {
    Rule::ALL.iter().copied().filter(|rule| COMMON.contains(rule) || contract_of(*rule).is_some())
}

/// The national rules as a sender's settings have them. Compiled once, at start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    contracts: Vec<Contract>,
    switches: BTreeMap<Rule, Switch>,
    /// Days ahead from which an appointment's date is a placeholder.
    pub(super) placeholder_days: i64,
    /// Where the appointments are, whose clocks change.
    pub(super) time_zone: TimeZone,
}

impl Rules {
    /// The rules of a sender who speaks `contracts`, with what its settings switch. A date `placeholder_days` ahead
    /// or more is a placeholder; `time_zone` is the site's.
    pub fn new(
        contracts: Vec<Contract>,
        switches: BTreeMap<Rule, Switch>,
        placeholder_days: i64,
        time_zone: TimeZone,
    ) -> Self {
        Rules { contracts, switches, placeholder_days, time_zone }
    }

    /// True when the sender speaks this contract.
    pub fn speaks(&self, contract: Contract) -> bool {
        self.contracts.contains(&contract)
    }

    /// How bad it is to break `rule`; none when it is off.
    pub fn severity(&self, rule: Rule) -> Option<Severity> {
        match self.switches.get(&rule) {
            Some(switch) => switch.severity(),
            // Everybody's first tries are made with test numbers; a site that goes live says `refuse`.
            None if rule == Rule::NhsNumberTestRange => None,
            None => Some(rule.severity()),
        }
    }

    /// An issue of another check as this sender's settings have it; none when its rule is off.
    pub fn weigh(&self, issue: Issue) -> Option<Issue> {
        match self.switches.get(&issue.rule) {
            Some(switch) => switch.severity().map(|severity| issue.severity(severity)),
            None => Some(issue),
        }
    }
}
