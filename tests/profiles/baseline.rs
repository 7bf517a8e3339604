//! Lists of what is known to be wrong, each with a reason, that fail in both directions.
//!
//! A line names a file with `# `; the lines below it how many issues of which rule at which place, and after a colon
//! the reason. `*` in a place stands for any index.

use std::collections::BTreeMap;
use stile::issue::Rule;

/// What was found in a file.
pub struct Found {
    /// The file.
    pub file: String,
    /// The rule.
    pub rule: Rule,
    /// The place.
    pub expression: String,
    /// The whole issue, for the one who reads the failure.
    pub told: String,
}

/// File, rule and place.
type Key = (String, String, String);

/// The list: how many are known of each.
pub struct Baseline(BTreeMap<Key, usize>);

impl Baseline {
    pub fn read(text: &str) -> Baseline {
        let mut file = "";
        let mut known = BTreeMap::new();
        for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with("//")) {
            if let Some(name) = line.strip_prefix("# ") {
                file = name;
                continue;
            }
            let (head, reason) = line.split_once(": ").unwrap_or_else(|| panic!("no reason in {line:?}"));
            assert!(reason.len() > 10, "no reason in {line:?}");
            let mut words = head.split_whitespace();
            let mut word = || words.next().unwrap_or_default().to_owned();
            let (count, rule, place) = (word(), word(), word());
            let count = count.parse().unwrap_or_else(|_| panic!("no count in {line:?}"));
            assert!(Rule::from_name(&rule).is_some(), "no rule has the name in {line:?}");
            assert_eq!(known.insert((file.to_owned(), rule, place), count), None, "twice: {line:?}");
        }
        Baseline(known)
    }

    /// Holds what was found against the list.
    pub fn judge(self, found: Vec<Found>) {
        let mut left = self.0;
        let mut wrong = Vec::new();
        for one in found {
            let key = (one.file, one.rule.as_str().to_owned(), any_index(&one.expression));
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
