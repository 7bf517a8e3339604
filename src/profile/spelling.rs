//! Which code was meant: the nearest of those that there are, and how hints list them.

use super::check::is_short;

/// The most codes that a hint lists.
const LISTED_COUNT_MAX: usize = 16;
/// The most codes among which the nearest is looked for: each is compared letter by letter.
const COMPARED_COUNT_MAX: usize = 600;

/// The codes that are spelled most like a word.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Near<'c> {
    /// The nearest, when one is near enough to be what was meant.
    pub(super) best: Option<&'c str>,
    /// The one code that the word can only mean: it differs by the case of letters, and no other does.
    pub(super) plain: Option<&'c str>,
}

impl<'c> Near<'c> {
    /// The codes of `codes` that are nearest to `word`. Of a long list only those are found that differ by case.
    pub(super) fn of(word: &str, codes: impl ExactSizeIterator<Item = &'c str>) -> Near<'c> {
        if !is_short(word) || word.is_empty() {
            return Near::default();
        }
        let is_compared = codes.len() <= COMPARED_COUNT_MAX;
        let small = word.to_lowercase();
        let length = small.chars().count();
        let mut best: Option<(usize, &str)> = None;
        let mut is_alone = true;
        for code in codes {
            let distance = if code.eq_ignore_ascii_case(word) {
                0
            } else if is_compared && code.len().abs_diff(word.len()) <= 1 + length / 4 {
                strsim::damerau_levenshtein(&small, &code.to_lowercase())
            } else {
                continue;
            };
            if distance > 1 + code.chars().count().min(length) / 4 {
                continue;
            }
            match best {
                Some((known, _)) if known < distance => {}
                Some((known, _)) if known == distance => is_alone = false,
                Some(_) | None => (best, is_alone) = (Some((distance, code)), true),
            }
        }
        // A code may be a diagnosis or a drug: one that differs by more than the case of letters may be another.
        let is_plain = |distance: usize| is_alone && distance == 0;
        Near {
            best: best.map(|(_, code)| code),
            plain: best.filter(|(distance, _)| is_plain(*distance)).map(|(_, code)| code),
        }
    }
}

/// Which codes there are: all of a short list, else how many of what, and the nearest first.
pub(super) fn listed_hint<'c>(
    near: Option<&str>,
    codes: impl ExactSizeIterator<Item = &'c str>,
    what: impl FnOnce() -> String,
) -> String {
    let asked = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
    if (1..=LISTED_COUNT_MAX).contains(&codes.len()) {
        let listed: Vec<_> = codes.collect();
        format!("{asked}use one of `{}`", listed.join("`, `"))
    } else {
        format!("{asked}use one of the {} {}", codes.len(), what())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_code_is_found_and_only_another_case_is_no_guess() {
        let codes = ["booked", "proposed", "noshow", "arrived", "a", "in", "on"];
        let check = |word: &str, best: Option<&str>, plain: Option<&str>| {
            assert_eq!(Near::of(word, codes.into_iter()), Near { best, plain }, "{word}");
        };
        check("Booked", Some("booked"), Some("booked"));
        check("no-show", Some("noshow"), None);
        check("propossede", Some("proposed"), None);
        check("an", Some("a"), None);
        check("elephant", None, None);
        check("", None, None);
        check(&"booked".repeat(100), None, None);
        let many: Vec<String> = (0..1000).map(|n| format!("Code{n}")).collect();
        let of_many = |word: &str| Near::of(word, many.iter().map(String::as_str)).best.map(str::to_owned);
        assert_eq!(of_many("code7").as_deref(), Some("Code7"));
        assert_eq!(of_many("coded7"), None, "a long list is not compared letter by letter");
    }
}
