//! What England's national standards ask beyond FHIR and its profiles.
//!
//! Some of it holds for everybody: NHS numbers, ODS codes, the two changes of the clocks, dates that are none. Some
//! is a contract that a sender speaks: the producer standard of the Patient Care Aggregator, the messages of the
//! Booking and Referral Standard. Each is a named rule that a sender's settings may refuse by, flag or turn off.
//! `docs/NATIONAL.md` tells each with its clause; where the published standards contradict themselves, the decision
//! stands with the rule.

mod bars;
mod clock;
mod identity;
mod pca;
mod placeholder;
mod read;
mod rules;
mod system_case;

#[cfg(test)]
mod tests;

pub use identity::for_mapping;
pub use rules::{Contract, Rules, Switch, contract_of, switchable};
pub use system_case::canonical_systems;

use crate::document::{Document, Node, NodeId};
use crate::issue::{Issue, Rule};
use jiff::Timestamp;

/// Issues that one check tells; more of them help nobody.
const ISSUES_MAX: usize = 200;

/// Everything in which `document` departs from the national standards that `rules` ask for. `now` is what dates are
/// held against. One walk over the nodes and one over the resources; nothing is allocated for what is right.
pub fn check(document: &Document, rules: &Rules, now: Timestamp) -> Vec<Issue> {
    let mut findings = Findings { rules, issues: Vec::new(), refuses: false };
    let names = read::Names::new();
    for number in 0..document.node_count() as u32 {
        let node = document.node(NodeId(number));
        // What an edit took out of the tree has no parent and is nothing that was sent.
        if node.parent().is_none() {
            continue;
        }
        identity::check(node, &names, &mut findings);
        clock::check(node, &names, &mut findings);
    }
    let root = document.root();
    for resource in read::resources(root) {
        placeholder::check(resource, now, &mut findings);
        if rules.speaks(Contract::Pca) {
            pca::check(resource, &mut findings);
        }
        if rules.speaks(Contract::Bars) {
            bars::check_resource(resource, &mut findings);
        }
    }
    if rules.speaks(Contract::Bars) && read::is_message(root) {
        bars::check_message(root, &mut findings);
    }
    findings.issues
}

/// What a check has found so far.
struct Findings<'r> {
    rules: &'r Rules,
    issues: Vec<Issue>,
    refuses: bool,
}

impl Findings<'_> {
    /// Tells that `node` breaks `rule`, as the sender's settings have it.
    fn tell(&mut self, rule: Rule, node: Node<'_>, issue: impl FnOnce() -> Issue) {
        self.tell_unless_full(rule, || issue().at(node.place()));
    }

    /// Tells that `node` lacks the element `name`, for which `rule` asks.
    fn tell_missing(&mut self, rule: Rule, node: Node<'_>, name: &str, issue: impl FnOnce() -> Issue) {
        self.tell_unless_full(rule, || issue().at(node.place_of_missing(name)));
    }

    fn tell_unless_full(&mut self, rule: Rule, issue: impl FnOnce() -> Issue) {
        let Some(severity) = self.rules.severity(rule) else { return };
        let issue_refuses = severity <= crate::issue::Severity::Error;
        // What refuses is told even when warnings have taken all the room, or too much wrong would be accepted.
        if self.issues.len() < ISSUES_MAX || (issue_refuses && !self.refuses) {
            self.refuses |= issue_refuses;
            self.issues.push(issue().severity(severity));
        }
    }
}
