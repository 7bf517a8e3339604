//! Telling the story on a terminal: at most 100 columns, colour where it is wanted, ticks where they can be shown.

use anstyle::{AnsiColor, Style};
use serde_json::Value;
use std::io::{self, Write};

/// Columns of a line.
const COLUMNS: usize = 100;
const HEAD: Style = Style::new().bold();
const SENT: Style = AnsiColor::Cyan.on_default();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const FAINT: Style = Style::new().dimmed();

/// The marks of a terminal that shows Unicode, and of one that may not.
struct Marks {
    rule: &'static str,
    out: &'static str,
    back: &'static str,
    tick: &'static str,
    cross: &'static str,
    more: &'static str,
}

const UNICODE: Marks = Marks { rule: "─", out: "→", back: "←", tick: "✓", cross: "✗", more: "…" };
const ASCII: Marks = Marks { rule: "-", out: "->", back: "<-", tick: "ok", cross: "no", more: "..." };

/// Whether the terminal's locale shows Unicode: the first of these variables that is set decides (POSIX 8.2).
pub(super) fn shows_unicode(variable: impl Fn(&str) -> Option<String>) -> bool {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(variable).find(|value| !value.is_empty());
    set.is_some_and(|value| {
        let value = value.to_ascii_lowercase();
        value.contains("utf-8") || value.contains("utf8")
    })
}

/// Writes the narration. Errors of writing are dropped: a closed pipe must not stop the story's checks.
pub(super) struct Teller<W> {
    out: W,
    marks: &'static Marks,
    step: usize,
    steps: usize,
}

impl<W: Write> Teller<W> {
    /// A teller of a story of so many steps.
    pub fn new(out: W, is_unicode: bool, steps: usize) -> Self {
        Teller { out, marks: if is_unicode { &UNICODE } else { &ASCII }, step: 0, steps }
    }

    /// The step that is being told, from 1.
    pub fn step(&self) -> usize {
        self.step
    }

    /// Begins a step.
    pub fn begin(&mut self, title: &str) {
        self.step += 1;
        let head = format!("{} of {}  {title} ", self.step, self.steps);
        let rule = self.marks.rule.repeat(COLUMNS.saturating_sub(head.chars().count()));
        self.line(|out| write!(out, "\n{HEAD}{head}{HEAD:#}{FAINT}{rule}{FAINT:#}"));
    }

    /// A paragraph.
    pub fn say(&mut self, text: &str) {
        for line in wrapped(text, COLUMNS) {
            self.line(|out| write!(out, "{line}"));
        }
    }

    /// An empty line.
    pub fn gap(&mut self) {
        self.line(|_| Ok(()));
    }

    /// A request that goes out.
    pub fn sends(&mut self, method: &str, path: &str) {
        let mark = self.marks.out;
        self.line(|out| write!(out, "  {SENT}{mark} {method} {path}{SENT:#}"));
    }

    /// The answer that came back.
    pub fn hears(&mut self, status: u16, took_ms: u128) {
        let mark = self.marks.back;
        self.line(|out| write!(out, "  {SENT}{mark} {status}{SENT:#} {FAINT}in {took_ms} ms{FAINT:#}"));
    }

    /// What stands at these paths of a resource, one on a line, where it stands there; of repeats the first.
    pub fn shows(&mut self, resource: &Value, paths: &[&str]) {
        let more = self.marks.more;
        for (path, value) in paths.iter().filter_map(|path| Some((path, at_path(resource, path)?))) {
            let text = cut(&format!("{path}: {value}"), COLUMNS - 6, more);
            self.line(|out| write!(out, "      {FAINT}{text}{FAINT:#}"));
        }
    }

    /// The issues of an OperationOutcome: rule and place, what is wrong, the way out.
    pub fn shows_issues(&mut self, outcome: &Value) {
        for issue in outcome.get("issue").and_then(Value::as_array).into_iter().flatten() {
            let text = |pointer: &str| issue.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
            let (severity, rule, place) = (text("/severity"), text("/details/coding/0/code"), text("/expression/0"));
            let style = if matches!(severity, "error" | "fatal") { BAD } else { FAINT };
            let head = cut(&format!("{severity} {place}"), COLUMNS - 6, self.marks.more);
            self.line(|out| write!(out, "      {style}{head}{style:#} {FAINT}[{rule}]{FAINT:#}"));
            for told in [text("/details/text"), text("/diagnostics")].iter().filter(|told| !told.is_empty()) {
                for line in wrapped(told, COLUMNS - 8) {
                    self.line(|out| write!(out, "        {line}"));
                }
            }
        }
    }

    /// A promise that was checked and holds.
    pub fn holds(&mut self, text: &str) {
        let mark = self.marks.tick;
        self.marked(GOOD, mark, text);
    }

    /// What did not go as told.
    pub fn fails(&mut self, text: &str) {
        let mark = self.marks.cross;
        self.marked(BAD, mark, text);
    }

    fn marked(&mut self, style: Style, mark: &str, text: &str) {
        let indent = 3 + mark.chars().count();
        for (number, line) in wrapped(text, COLUMNS - indent).enumerate() {
            if number == 0 {
                self.line(|out| write!(out, "  {style}{mark}{style:#} {line}"));
            } else {
                self.line(|out| write!(out, "{:indent$}{line}", ""));
            }
        }
    }

    /// Lines that are shown as they are, to be copied.
    pub fn verbatim(&mut self, text: &str) {
        for line in text.lines() {
            let indent = if line.is_empty() { "" } else { "  " };
            self.line(|out| write!(out, "{indent}{line}"));
        }
    }

    fn line(&mut self, write: impl FnOnce(&mut W) -> io::Result<()>) {
        let _ = write(&mut self.out).and_then(|()| writeln!(self.out)).and_then(|()| self.out.flush());
    }
}

/// Text in lines of at most so many characters, broken at spaces; a longer word stands alone.
fn wrapped(text: &str, columns: usize) -> impl Iterator<Item = String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) | None => lines.push(word.to_owned()),
        }
    }
    lines.into_iter()
}

/// What stands at a dotted path; of repeats the first on the way, all at the end.
fn at_path<'a>(resource: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(resource, |value, name| value.get(0).unwrap_or(value).get(name))
}

fn cut(text: &str, columns: usize, more: &str) -> String {
    if text.chars().count() <= columns {
        return text.to_owned();
    }
    let kept: String = text.chars().take(columns.saturating_sub(more.chars().count())).collect();
    kept + more
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(is_unicode: bool) -> String {
        let mut bytes = Vec::new();
        {
            let mut teller = Teller::new(anstream::StripStream::new(&mut bytes), is_unicode, 2);
            teller.begin("A broken appointment");
            teller.say(&"word ".repeat(60));
            teller.sends("PUT", "/fhir/Appointment/a-1");
            teller.shows(
                &json!({"status": "x".repeat(200), "start": "soon", "code": {"coding": [{"code": "c"}, 7]}}),
                &["start", "none", "code.coding.code", "status"],
            );
            teller.hears(422, 12);
            teller.shows_issues(&json!({"issue": [{
                "severity": "error",
                "details": {"coding": [{"code": "element.unknown"}], "text": "There is no such element"},
                "diagnostics": "did you mean `participant`?",
                "expression": ["Appointment.participants"],
            }, {}, 7]}));
            teller.holds("kept");
            teller.fails("lost");
        }
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_step_fits_the_page_and_names_place_rule_and_way_out() {
        let text = told(true);
        assert!(text.lines().all(|line| line.chars().count() <= COLUMNS), "{text}");
        for line in [
            "1 of 2  A broken appointment ──",
            "  → PUT /fhir/Appointment/a-1\n      start: \"soon\"\n      code.coding.code: \"c\"\n      status: \"xxx",
            "  ← 422 in 12 ms",
            "      error Appointment.participants [element.unknown]\n        There is no such element\n        did you mean `participant`?",
            "  ✓ kept",
            "  ✗ lost",
        ] {
            assert!(text.contains(line), "{line:?} is not in {text}");
        }
        let plain = told(false);
        assert!(plain.is_ascii() && plain.contains("  ok kept") && plain.contains("  no lost"), "{plain}");
    }

    #[test]
    fn the_locale_says_whether_ticks_can_be_shown() {
        for (set, expected) in [
            (&[("LANG", "en_GB.UTF-8")][..], true),
            (&[("LANG", "en_GB.utf8")], true),
            (&[("LC_ALL", "C"), ("LANG", "en_GB.UTF-8")], false),
            (&[("LC_ALL", ""), ("LC_CTYPE", "C.UTF-8")], true),
            (&[("LANG", "C")], false),
            (&[], false),
        ] {
            let variable = |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
            assert_eq!(shows_unicode(variable), expected, "{set:?}");
        }
    }
}
