//! Which slot of the clinic is free.

use super::instant::{clinic_time, on};
use jiff::civil::{Time, Weekday};
use jiff::{SignedDuration, Timestamp, ToSpan};
use std::collections::BTreeSet;

/// How long a slot is, in minutes.
pub(super) const SLOT_MINUTES: i64 = 20;
/// The clinic's hours, Monday to Friday.
const OPENS_AT_HOUR: i8 = 9;
const CLOSES_AT_HOUR: i8 = 17;
/// How far ahead the clinic looks, in days.
const DAYS_MAX: i32 = 366;

/// A stretch of time; open where an end is absent.
pub(super) type Stretch = (Option<Timestamp>, Option<Timestamp>);

/// The first free slot in one of the stretches, in their order, later than `now`. `taken` holds the starts that are
/// given away. Slots stand on the clinic's hours; a stretch outside them has none.
pub(super) fn first_free(stretches: &[Stretch], taken: &BTreeSet<Timestamp>, now: Timestamp) -> Option<Timestamp> {
    stretches.iter().find_map(|(start, end)| {
        let from = start.map_or(now, |start| start.max(now));
        first_free_from(from, end.unwrap_or(Timestamp::MAX), taken)
    })
}

fn first_free_from(from: Timestamp, until: Timestamp, taken: &BTreeSet<Timestamp>) -> Option<Timestamp> {
    let slot = SignedDuration::from_mins(SLOT_MINUTES);
    let first_day = from.to_zoned(clinic_time()).date();
    for days in 0..DAYS_MAX {
        let day = first_day.checked_add(days.days()).ok()?;
        if matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) {
            continue;
        }
        let mut at = on(day, Time::constant(OPENS_AT_HOUR, 0, 0, 0))?.timestamp();
        let closes = on(day, Time::constant(CLOSES_AT_HOUR, 0, 0, 0))?.timestamp();
        while at.checked_add(slot).ok()? <= closes {
            let ends = at.checked_add(slot).ok()?;
            if ends > until {
                return None;
            }
            if at >= from && !taken.contains(&at) {
                return Some(at);
            }
            at = ends;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_free_slot_of_the_clinic_is_chosen() {
        // Friday.
        let now: Timestamp = "2026-11-20T16:30:00Z".parse().unwrap();
        let at = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        let taken = BTreeSet::from([at("2026-11-23T09:00:00Z").unwrap()]);
        for (stretches, expected) in [
            // The last slot of the day begins twenty minutes before five.
            (vec![(None, None)], at("2026-11-20T16:40:00Z")),
            // A weekend has none, and Monday's first is taken.
            (vec![(at("2026-11-21T00:00:00Z"), None)], at("2026-11-23T09:20:00Z")),
            (vec![(at("2026-11-23T09:01:00Z"), None)], at("2026-11-23T09:20:00Z")),
            (vec![(at("2026-11-23T08:00:00Z"), at("2026-11-23T09:20:00Z"))], None),
            (vec![(at("2026-11-23T08:00:00Z"), at("2026-11-23T09:40:00Z"))], at("2026-11-23T09:20:00Z")),
            // The first stretch that has one.
            (vec![(None, at("2026-11-20T16:00:00Z")), (at("2026-11-24T14:00:00Z"), None)], at("2026-11-24T14:00:00Z")),
            // British summer time: nine o'clock is eight in UTC.
            (vec![(at("2027-06-01T00:00:00Z"), None)], at("2027-06-01T08:00:00Z")),
            (vec![], None),
        ] {
            assert_eq!(first_free(&stretches, &taken, now), expected, "{stretches:?}");
        }
    }
}
