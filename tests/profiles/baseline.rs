//! Lists of what is known to be wrong, each with a reason, that fail in both directions.
//!
//! A line names a group with `# `: a file, a kind of fault. The lines below it say how often which name (a rule, a sample)
//! is known at which place, and after a colon the reason. `*` in a place stands for any index.

use std::collections::BTreeMap;

/// What was found.
pub struct Found {
    /// The group: a file, a kind of fault.
    pub group: String,
    /// The name: a rule, a sample.
    pub name: String,
    /// The place.
    pub place: String,
    /// All there is to say, for the one who reads the failure.
    pub told: String,
}

/// Group, name and place.
type Key = (String, String, String);

/// The list: how many are known of each.
pub struct Baseline(BTreeMap<Key, usize>);

impl Baseline {
    pub fn read(text: &str) -> Baseline {
        let mut group = "";
        let mut known = BTreeMap::new();
        for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with("//")) {
            if let Some(name) = line.strip_prefix("# ") {
                group = name;
                continue;
            }
            let (head, reason) = line.split_once(": ").unwrap_or_else(|| panic!("no reason in {line:?}"));
            assert!(reason.len() > 10, "no reason in {line:?}");
            let mut words = head.split_whitespace();
            let mut word = || words.next().unwrap_or_default().to_owned();
            let (count, name, place) = (word(), word(), word());
            let count = count.parse().unwrap_or_else(|_| panic!("no count in {line:?}"));
            assert_eq!(known.insert((group.to_owned(), name, place), count), None, "twice: {line:?}");
        }
        Baseline(known)
    }

    /// Holds what was found against the list.
    pub fn judge(self, found: Vec<Found>) {
        let mut left = self.0;
        let mut wrong = Vec::new();
        for one in found {
            let key = (one.group, one.name, any_index(&one.place));
            match left.get_mut(&key) {
                Some(count) if *count > 0 => *count -= 1,
                Some(_) | None => wrong.push(format!("# {}\n{} {}\n    {}", key.0, key.1, key.2, one.told)),
            }
        }
        left.retain(|_, count| *count > 0);
        assert!(wrong.is_empty(), "{} are not in the baseline:\n{}", wrong.len(), wrong.join("\n"));
        assert!(left.is_empty(), "in the baseline, and not found any more: {left:#?}");
    }
}

/// An expression with `*` for each index.
fn any_index(expression: &str) -> String {
    let mut parts = expression.split('[');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(']') {
            Some((index, rest)) if index.chars().all(|digit| digit.is_ascii_digit()) => text += &format!("[*]{rest}"),
            Some(_) | None => text += &format!("[{part}"),
        }
    }
    text
}
