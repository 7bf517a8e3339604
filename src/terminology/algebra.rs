//! Sets of codes that are partly known: union, intersection and difference without a guess.

use super::draft::Systems;
use super::forms::Form;
use super::values::Membership;

/// A code: the number of its system, and its number there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    pub(super) system: u32,
    pub(super) concept: u32,
}

/// A part of a set that is not listed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Open {
    /// The system whose codes may be in the set; none when any may.
    pub(super) system: Option<u32>,
    pub(super) by: OpenBy,
}

/// What decides about codes that are not listed.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum OpenBy {
    /// Their form.
    Form(Form),
    /// Nothing that is loaded; why.
    Nothing(Box<str>),
}

/// A set of codes. The lists are sorted, and no code is in two of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Listing {
    /// In the set.
    pub(super) listed: Vec<Entry>,
    /// Not known to be in or out.
    pub(super) doubtful: Vec<Entry>,
    /// Out of the set, though what is open would let them in.
    pub(super) barred: Vec<Entry>,
    pub(super) open: Vec<Open>,
}

/// What becomes of two sets.
#[derive(Debug, Clone, Copy)]
enum Operation {
    Union,
    Intersection,
    Difference,
}

impl Operation {
    fn of(self, one: Membership, other: Membership) -> Membership {
        match self {
            Operation::Union => one.or(other),
            Operation::Intersection => one.and(other),
            Operation::Difference => one.and(other.negated()),
        }
    }
}

impl Listing {
    /// The set of these codes, in any order.
    pub(super) fn of(mut listed: Vec<Entry>) -> Listing {
        // This sort finds what is sorted already: most come as a few sorted lists after one another, and are merged.
        listed.sort();
        listed.dedup();
        Listing { listed, ..Listing::default() }
    }

    /// A set of which nothing is known but that its codes are of `system`, where one is told.
    pub(super) fn unknown(system: Option<u32>, reason: impl Into<Box<str>>) -> Listing {
        Listing { open: vec![Open { system, by: OpenBy::Nothing(reason.into()) }], ..Listing::default() }
    }

    /// Whether the set holds a code that some definition lists.
    pub(super) fn entry(&self, systems: &Systems, entry: Entry) -> Membership {
        if self.listed.binary_search(&entry).is_ok() {
            return Membership::In;
        }
        if self.open.is_empty() {
            let is_doubtful = self.doubtful.binary_search(&entry).is_ok();
            return if is_doubtful { Membership::Undecided } else { Membership::Out };
        }
        if self.barred.binary_search(&entry).is_ok() {
            return Membership::Out;
        }
        if self.doubtful.binary_search(&entry).is_ok() {
            return Membership::Undecided;
        }
        let code = systems.get(entry.system).numbered(entry.concept).map_or("", |concept| concept.code());
        self.stray(entry.system, code)
    }

    /// Whether the set holds a code of `system` that no definition lists.
    pub(super) fn stray(&self, system: u32, code: &str) -> Membership {
        let open = self.open.iter().filter(|open| open.system.is_none_or(|one| one == system));
        let each = open.map(|open| match open.by {
            OpenBy::Form(form) if form.holds(code) => Membership::In,
            OpenBy::Form(_) => Membership::Out,
            OpenBy::Nothing(_) => Membership::Undecided,
        });
        each.fold(Membership::Out, Membership::or)
    }

    /// The codes of any of `parts`.
    pub(super) fn any(parts: impl IntoIterator<Item = Listing>, systems: &Systems) -> Listing {
        // Those that are known whole, which most are, need no comparing.
        let (whole, mut partly): (Vec<Listing>, Vec<Listing>) = parts.into_iter().partition(Listing::is_whole);
        let whole = Listing::of(whole.into_iter().flat_map(|part| part.listed).collect());
        // Two by two: one after the other would copy the first as often as there are others.
        while partly.len() > 1 {
            let mut rest = partly.into_iter();
            let mut joined = Vec::new();
            while let Some(one) = rest.next() {
                joined.push(match rest.next() {
                    Some(other) => one.or(other, systems),
                    None => one,
                });
            }
            partly = joined;
        }
        partly.into_iter().fold(whole, |all, part| all.or(part, systems))
    }

    /// The codes of either.
    fn or(self, other: Listing, systems: &Systems) -> Listing {
        let open = self.open.iter().chain(&other.open).cloned().collect();
        self.combine(other, open, Operation::Union, systems)
    }

    /// The codes of both.
    pub(super) fn and(self, other: Listing, systems: &Systems) -> Listing {
        let mut open = Vec::new();
        for one in &self.open {
            for two in other.open.iter().filter(|two| overlap(one, two)) {
                let system = one.system.or(two.system);
                open.push(match (&one.by, &two.by) {
                    (OpenBy::Form(form), OpenBy::Form(same)) if form == same => Open { system, by: one.by.clone() },
                    (OpenBy::Nothing(_), _) => Open { system, by: one.by.clone() },
                    (OpenBy::Form(_), OpenBy::Nothing(_)) => Open { system, by: two.by.clone() },
                    (OpenBy::Form(_), OpenBy::Form(_)) => {
                        Open { system, by: OpenBy::Nothing("it is the common part of two forms of code".into()) }
                    }
                });
            }
        }
        self.combine(other, open, Operation::Intersection, systems)
    }

    /// The codes of the first that are not of the other.
    pub(super) fn without(self, other: Listing, systems: &Systems) -> Listing {
        let mut open = Vec::new();
        for one in &self.open {
            let against: Vec<&Open> = other.open.iter().filter(|two| overlap(one, two)).collect();
            let is_whole = |two: &&Open| matches!(one.by, OpenBy::Form(_)) && one.by == two.by;
            if against.iter().any(is_whole) {
                continue;
            }
            let by = against.first().map(|two| match two.by {
                OpenBy::Nothing(_) => two.by.clone(),
                OpenBy::Form(_) => OpenBy::Nothing("it leaves codes out by their form".into()),
            });
            open.push(Open { system: one.system, by: by.unwrap_or_else(|| one.by.clone()) });
        }
        self.combine(other, open, Operation::Difference, systems)
    }

    fn combine(self, other: Listing, mut open: Vec<Open>, operation: Operation, systems: &Systems) -> Listing {
        open.sort_by(|one, two| (one.system, one.reason()).cmp(&(two.system, two.reason())));
        open.dedup();
        let mut combined = Listing { open, ..Listing::default() };
        let (mut ones, mut others) = (Span::of(&self), Span::of(&other));
        // System by system, so that what only one of the two speaks of is copied and not compared.
        while let Some(first) = least(ones.first(), others.first()) {
            let number = first.system;
            let (mut one, mut two) = (ones.take(number), others.take(number));
            let (stray, other_stray) = (Stray::of(&self.open, number), Stray::of(&other.open, number));
            let is_covered = combined.open.iter().any(|open| covers(open, number));
            let is_silent =
                [(&one, &stray), (&two, &other_stray)].map(|(span, stray)| span.is_empty() && stray.is_out());
            match (operation, is_silent) {
                (Operation::Union | Operation::Difference, [_, true]) => combined.copy(&one, is_covered),
                (Operation::Union, [true, false]) => combined.copy(&two, is_covered),
                (Operation::Intersection, [true, _] | [_, true]) | (Operation::Difference, [true, false]) => {}
                (_, [false, false]) => {
                    while let Some(entry) = least(one.first(), two.first()) {
                        let of_one = one.says(entry).unwrap_or_else(|| stray.says(entry, systems));
                        let of_two = two.says(entry).unwrap_or_else(|| other_stray.says(entry, systems));
                        match operation.of(of_one, of_two) {
                            Membership::In => combined.listed.push(entry),
                            Membership::Undecided => combined.doubtful.push(entry),
                            Membership::Out if is_covered => combined.barred.push(entry),
                            Membership::Out => {}
                        }
                    }
                }
            }
        }
        combined
    }

    fn copy(&mut self, span: &Span<'_>, is_covered: bool) {
        self.listed.extend_from_slice(span.listed);
        self.doubtful.extend_from_slice(span.doubtful);
        if is_covered {
            self.barred.extend_from_slice(span.barred);
        }
    }

    /// How much there is to keep and to compare.
    pub(super) fn size(&self) -> usize {
        self.listed.len() + self.doubtful.len() + self.barred.len() + self.open.len()
    }

    fn named(&self) -> impl Iterator<Item = Entry> {
        self.listed.iter().chain(&self.doubtful).chain(&self.barred).copied()
    }

    /// The systems that it takes something from, in order of number.
    pub(super) fn systems(&self) -> Vec<u32> {
        let open = self.open.iter().filter_map(|open| open.system);
        let mut numbers: Vec<u32> = self.named().map(|entry| entry.system).chain(open).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// Why it does not decide about every code; empty when it does.
    pub(super) fn reasons(&self) -> Vec<String> {
        let nothing = self.open.iter().filter(|open| matches!(open.by, OpenBy::Nothing(_)));
        let mut reasons: Vec<String> = nothing.map(|open| open.reason().to_owned()).collect();
        if reasons.is_empty() && !self.doubtful.is_empty() {
            reasons.push("some of its codes depend on what is not loaded".into());
        }
        reasons.dedup();
        reasons
    }

    /// True when all its codes are listed.
    pub(super) fn is_whole(&self) -> bool {
        self.doubtful.is_empty() && self.open.is_empty()
    }

    /// True when it does not decide about every code.
    pub(super) fn is_doubtful(&self) -> bool {
        !self.doubtful.is_empty() || self.open.iter().any(|open| matches!(open.by, OpenBy::Nothing(_)))
    }
}

impl Open {
    fn reason(&self) -> &str {
        match &self.by {
            OpenBy::Form(form) => form.about(),
            OpenBy::Nothing(reason) => reason,
        }
    }
}

/// What is left of a set's lists while they are walked in order.
struct Span<'l> {
    listed: &'l [Entry],
    doubtful: &'l [Entry],
    barred: &'l [Entry],
}

impl<'l> Span<'l> {
    fn of(listing: &'l Listing) -> Span<'l> {
        Span { listed: &listing.listed, doubtful: &listing.doubtful, barred: &listing.barred }
    }

    fn is_empty(&self) -> bool {
        self.listed.is_empty() && self.doubtful.is_empty() && self.barred.is_empty()
    }

    fn first(&self) -> Option<Entry> {
        least(least(self.listed.first().copied(), self.doubtful.first().copied()), self.barred.first().copied())
    }

    /// Takes off what is of this system; nothing of one with a lower number is left.
    fn take(&mut self, system: u32) -> Span<'l> {
        let take = |list: &mut &'l [Entry]| {
            let (taken, left) = list.split_at(list.partition_point(|entry| entry.system <= system));
            *list = left;
            taken
        };
        Span { listed: take(&mut self.listed), doubtful: take(&mut self.doubtful), barred: take(&mut self.barred) }
    }

    /// What the lists say of `entry`, before which nothing is left; it is taken off.
    fn says(&mut self, entry: Entry) -> Option<Membership> {
        if take_first(&mut self.listed, entry) {
            Some(Membership::In)
        } else if take_first(&mut self.doubtful, entry) {
            Some(Membership::Undecided)
        } else if take_first(&mut self.barred, entry) {
            Some(Membership::Out)
        } else {
            None
        }
    }
}

fn take_first(list: &mut &[Entry], entry: Entry) -> bool {
    match list.split_first() {
        Some((first, left)) if *first == entry => {
            *list = left;
            true
        }
        Some(_) | None => false,
    }
}

fn least(one: Option<Entry>, other: Option<Entry>) -> Option<Entry> {
    match (one, other) {
        (Some(one), Some(other)) => Some(if other < one { other } else { one }),
        (only, None) | (None, only) => only,
    }
}

/// What a set says of the codes of one system that it does not list.
struct Stray {
    forms: Vec<Form>,
    otherwise: Membership,
}

impl Stray {
    fn of(open: &[Open], system: u32) -> Stray {
        let mut stray = Stray { forms: Vec::new(), otherwise: Membership::Out };
        for open in open.iter().filter(|open| covers(open, system)) {
            match open.by {
                OpenBy::Form(form) if !stray.forms.contains(&form) => stray.forms.push(form),
                OpenBy::Form(_) => {}
                OpenBy::Nothing(_) => stray.otherwise = Membership::Undecided,
            }
        }
        stray
    }

    /// True when it says of each that it is out.
    fn is_out(&self) -> bool {
        self.forms.is_empty() && self.otherwise == Membership::Out
    }

    fn says(&self, entry: Entry, systems: &Systems) -> Membership {
        if self.forms.is_empty() {
            return self.otherwise;
        }
        let code = systems.get(entry.system).numbered(entry.concept).map_or("", |concept| concept.code());
        if self.forms.iter().any(|form| form.holds(code)) { Membership::In } else { self.otherwise }
    }
}

fn covers(open: &Open, system: u32) -> bool {
    open.system.is_none_or(|one| one == system)
}

fn overlap(one: &Open, other: &Open) -> bool {
    one.system.is_none() || other.system.is_none() || one.system == other.system
}
