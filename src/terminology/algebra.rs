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
        listed.sort_unstable();
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
        let (whole, partly): (Vec<Listing>, Vec<Listing>) = parts.into_iter().partition(Listing::is_whole);
        let whole = Listing::of(whole.into_iter().flat_map(|part| part.listed).collect());
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
        let mut candidates: Vec<Entry> = self.named().chain(other.named()).collect();
        candidates.sort_unstable();
        candidates.dedup();
        for entry in candidates {
            match operation.of(self.entry(systems, entry), other.entry(systems, entry)) {
                Membership::In => combined.listed.push(entry),
                Membership::Undecided => combined.doubtful.push(entry),
                Membership::Out => {
                    let is_covered = combined.open.iter().any(|open| open.system.is_none_or(|one| one == entry.system));
                    if is_covered {
                        combined.barred.push(entry);
                    }
                }
            }
        }
        combined
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

fn overlap(one: &Open, other: &Open) -> bool {
    one.system.is_none() || other.system.is_none() || one.system == other.system
}
