//! What a receiver says in its OperationOutcome, made fit to be passed on.

use serde_json::Value;

/// How much of a receiver's words is passed on, in characters. A sentence fits; a stack trace does not.
const REASON_CHARS_MAX: usize = 300;

/// The part of an OperationOutcome that decides an answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Outcome {
    /// `issue.code` of the issues with severity `fatal` or `error`; of all when none has.
    pub codes: Vec<String>,
    /// True when one of them says where in the resource it is.
    pub names_a_place: bool,
    /// The first words of them, in [`fit_to_pass_on`] form.
    pub words: Option<String>,
}

impl Outcome {
    /// Reads an answer's body; none when it is not an OperationOutcome in JSON.
    pub fn read(body: &[u8]) -> Option<Outcome> {
        let resource: Value = serde_json::from_slice(body).ok()?;
        if resource.get("resourceType").and_then(Value::as_str) != Some("OperationOutcome") {
            return None;
        }
        let issues: Vec<&Value> = resource.get("issue").and_then(Value::as_array).into_iter().flatten().collect();
        let severe: Vec<&Value> = issues
            .iter()
            .copied()
            .filter(|issue| matches!(issue.get("severity").and_then(Value::as_str), Some("fatal" | "error")))
            .collect();
        let deciding = if severe.is_empty() { issues } else { severe };
        let names_a_place = |issue: &Value| {
            ["expression", "location"].iter().any(|name| {
                issue.get(name).and_then(Value::as_array).is_some_and(|places| places.iter().any(Value::is_string))
            })
        };
        Some(Outcome {
            codes: deciding
                .iter()
                .filter_map(|issue| issue.get("code").and_then(Value::as_str).map(str::to_owned))
                .collect(),
            names_a_place: deciding.iter().any(|issue| names_a_place(issue)),
            words: deciding.iter().find_map(|issue| words_of(issue)),
        })
    }

    /// True when an issue has this code.
    pub fn says(&self, code: &str) -> bool {
        self.codes.iter().any(|said| said == code)
    }

    /// True when every issue is of a kind that passes by itself (R4 `issue-type`, children of `transient`).
    pub fn is_passing(&self) -> bool {
        let passes =
            |code: &String| matches!(code.as_str(), "transient" | "lock-error" | "no-store" | "timeout" | "throttled");
        !self.codes.is_empty() && self.codes.iter().all(passes)
    }
}

fn words_of(issue: &Value) -> Option<String> {
    let details = issue.get("details");
    let coding = details.and_then(|details| details.get("coding")).and_then(|codings| codings.get(0));
    [
        details.and_then(|details| details.get("text")),
        issue.get("diagnostics"),
        coding.and_then(|coding| coding.get("display")),
    ]
    .into_iter()
    .flatten()
    .filter_map(Value::as_str)
    .map(fit_to_pass_on)
    .find(|words| !words.is_empty())
}

/// A receiver's words, fit to be passed on and logged: no control characters, at most 300 characters, and nothing
/// that could be an NHS number. A receiver that repeats a patient's number in its reason must not make us print it.
pub(super) fn fit_to_pass_on(text: &str) -> String {
    // Cut before the masking costs anything; masking never makes a text longer.
    let cut: String = text.chars().take(REASON_CHARS_MAX * 4).collect();
    let spaced: String = cut.chars().map(|char| if is_unprintable(char) { ' ' } else { char }).collect();
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut masked: Vec<char> = mask_numbers(&words.join(" ").chars().collect::<Vec<char>>());
    if masked.len() > REASON_CHARS_MAX {
        masked.truncate(REASON_CHARS_MAX - 1);
        masked.push('…');
    }
    masked.into_iter().collect()
}

/// Control characters, and those that turn or hide text (Unicode general category Cf, the ones met in practice).
fn is_unprintable(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Writes `*` over every run of ten or more digits, however the digits are set apart by single spaces, hyphens or
/// dots as people write NHS numbers (999 000 0018). A date alone has eight digits and survives; a date with an hour
/// behind a space does not, which is the price of not having to guess.
fn mask_numbers(text: &[char]) -> Vec<char> {
    let mut masked = text.to_vec();
    let mut at = 0;
    while let Some(char) = text.get(at) {
        if !char.is_numeric() {
            at += 1;
            continue;
        }
        let (mut end, mut digits, mut next) = (at, 0, at);
        loop {
            match text.get(next) {
                Some(char) if char.is_numeric() => {
                    digits += 1;
                    next += 1;
                    end = next;
                }
                Some(' ' | '-' | '.' | '\u{2010}' | '\u{2011}') if next == end => next += 1,
                Some(_) | None => break,
            }
        }
        if digits >= 10 {
            for slot in masked.iter_mut().take(end).skip(at).filter(|slot| slot.is_numeric()) {
                *slot = '*';
            }
        }
        at = end;
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_are_passed_on_without_what_could_be_an_nhs_number() {
        for (text, expected) in [
            ("The clinic is closed", "The clinic is closed"),
            ("  two\r\n\tlines \u{7}", "two lines"),
            ("no patient 9990000018 here", "no patient ********** here"),
            ("no patient 999 000 0018.", "no patient *** *** ****."),
            ("no patient 999-000-0018", "no patient ***-***-****"),
            ("nhs-number|9990000018|x", "nhs-number|**********|x"),
            ("id=x9990000018y", "id=x**********y"),
            ("999\u{200b}0000018", "*** *******"),
            ("٩٩٩٠٠٠٠٠١٨", "**********"),
            ("call 01234 567890 please", "call ***** ****** please"),
            ("appointment 4817508 of 2026-11-21 has ended", "appointment 4817508 of 2026-11-21 has ended"),
            ("from 2026-11-21T09:30:00Z", "from 2026-11-21T09:30:00Z"),
            ("999  000  0018", "*** *** ****"),
            ("", ""),
        ] {
            assert_eq!(fit_to_pass_on(text), expected, "{text:?}");
        }
        let long = fit_to_pass_on(&"word ".repeat(5_000));
        assert_eq!(long.chars().count(), REASON_CHARS_MAX);
        assert!(long.ends_with('…'));
    }

    #[test]
    fn the_worst_issues_decide_and_the_first_words_are_told() {
        let read = |text: &str| Outcome::read(text.as_bytes());
        let outcome = read(
            r#"{"resourceType":"OperationOutcome","issue":[
                {"severity":"warning","code":"informational","details":{"text":"by the way"}},
                {"severity":"error","code":"duplicate"},
                {"severity":"error","code":"invalid","diagnostics":"held already","expression":["Task.focus"]}]}"#,
        )
        .unwrap();
        assert_eq!(outcome.codes, ["duplicate", "invalid"]);
        assert_eq!(outcome.words.as_deref(), Some("held already"));
        assert!(outcome.says("duplicate") && outcome.names_a_place && !outcome.is_passing());

        let passing =
            read(r#"{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"lock-error"}]}"#).unwrap();
        assert!(passing.is_passing());
        for not_one in ["", "{}", "[]", "<html>", r#"{"resourceType":"Task"}"#, "\u{0}"] {
            assert_eq!(read(not_one), None, "{not_one}");
        }
        for odd in [
            r#"{"resourceType":"OperationOutcome"}"#,
            r#"{"resourceType":"OperationOutcome","issue":{}}"#,
            r#"{"resourceType":"OperationOutcome","issue":[null,3,{"details":4}]}"#,
        ] {
            assert_eq!(read(odd), Some(Outcome::default()), "{odd}");
        }
    }

    proptest! {
        #[test]
        fn ten_digits_never_pass(
            before in "[^0-9]{0,12}", groups in "(999[ .-]?[0-9]{3}[ .-]?[0-9]{4})", after in ".{0,12}", pad in 0usize..1300
        ) {
            let text = format!("{}{before} {groups} {after}", "x ".repeat(pad / 2));
            let told = fit_to_pass_on(&text);
            let digits: String = told.chars().filter(|char| !matches!(char, ' ' | '.' | '-')).collect();
            let longest = digits.split(|char: char| !char.is_numeric()).map(|run| run.chars().count()).max();
            prop_assert!(longest.unwrap_or(0) < 10, "{told}");
            prop_assert!(told.chars().count() <= REASON_CHARS_MAX);
            prop_assert!(!told.chars().any(char::is_control));
        }

        #[test]
        fn no_body_makes_a_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Outcome::read(&body);
        }
    }
}
