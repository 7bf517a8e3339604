//! Appointments that stand for a place on the waiting list.

use super::Findings;
use super::read::text;
use crate::document::Node;
use crate::issue::{Issue, Rule};
use jiff::Timestamp;

/// An appointment about two years ahead is how some PAS keep a patient on a list; it shows in the NHS App as a date
/// (University Hospital Southampton, new appointment booking process, November 2025). Said when the submission comes
/// and not only when somebody wants to change it.
pub(super) fn check(resource: Node<'_>, now: Timestamp, findings: &mut Findings<'_>) {
    if resource.resource_type() != Some("Appointment") {
        return;
    }
    // What is over, cancelled or only proposed binds nobody to its date.
    let is_a_date = matches!(text(resource, &["status"]), Some("booked" | "pending"));
    let Some(start) = resource.child_named("start").filter(|_| is_a_date) else { return };
    let Some(starts_at) = start.string().and_then(|text| text.parse::<Timestamp>().ok()) else { return };
    let days = findings.rules.placeholder_days;
    if starts_at.duration_since(now).as_secs() / 86_400 >= days {
        findings.tell(Rule::AppointmentPlaceholder, start, || {
            let message = format!("the appointment stands {days} days or more ahead, as placeholders do");
            Issue::new(Rule::AppointmentPlaceholder, message)
                .hint("a place on a waiting list is status `waitlist` without a start; send a date once there is one")
        });
    }
}
