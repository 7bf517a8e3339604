//! An issue drawn like a compiler's message: what, where, the line with the place underlined, who asked, the way out.
//!
//! The line is of the person's own file and goes to the person's own terminal, so it may be shown; no log and no answer
//! ever holds it.

use super::tell::wrap;
use crate::issue::{Issue, Mend, Operation, Place, Severity};
use anstyle::{AnsiColor, Style};
use std::fmt::Write;
use unicode_width::UnicodeWidthChar;

pub(super) const RED: Style = AnsiColor::Red.on_default().bold();
pub(super) const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
pub(super) const GREEN: Style = AnsiColor::Green.on_default();
pub(super) const CYAN: Style = AnsiColor::Cyan.on_default();
pub(super) const DIM: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();

/// Columns of a line that are shown: what fits into a usual terminal beside the line's number.
const SHOWN_WIDTH_MAX: usize = 92;
/// Columns that are shown before the place, when what stands there must be cut.
const BEFORE_WIDTH: usize = 30;
/// Columns that a tab takes.
const TAB_WIDTH: usize = 4;

/// A file with its lines, found once for all issues.
pub struct Page<'t> {
    name: &'t str,
    lines: Vec<&'t str>,
    /// The line of the file that the first of `lines` is.
    first_line: u32,
}

impl<'t> Page<'t> {
    /// The page of a text; `first_line` is the line of the file on which it begins.
    pub fn new(name: &'t str, text: &'t str, first_line: u32) -> Self {
        Page { name, lines: text.strip_prefix('\u{feff}').unwrap_or(text).lines().collect(), first_line }
    }

    /// The issue as it is told on a terminal of `width` columns, with colours, each line ended.
    pub fn draw(&self, issue: &Issue, width: usize) -> String {
        let style = match issue.severity {
            Severity::Fatal | Severity::Error => RED,
            Severity::Warning => YELLOW,
            Severity::Information => CYAN,
        };
        let mut drawn = String::new();
        // Writing to a String does not fail.
        let _ = writeln!(drawn, "{style}{}[{}]{style:#}{BOLD}: {}{BOLD:#}", issue.severity, issue.rule, issue.message);
        let margin = match &issue.place {
            Some(place) => self.place(&mut drawn, place, style),
            None => 1,
        };
        for (label, text) in notes(issue) {
            let indent = margin + 3;
            // The label counts as the text's first word, and no space of it is a place to break.
            let lines = wrap(&format!("{} {text}", "-".repeat(label.len())), width.saturating_sub(indent));
            let (first, rest) = lines.split_first().map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
            let first = first.get(label.len()..).unwrap_or("");
            let _ = writeln!(drawn, "{:margin$} {DIM}={DIM:#} {BOLD}{label}{BOLD:#}{first}", "");
            for line in rest {
                let _ = writeln!(drawn, "{:indent$}{line}", "");
            }
        }
        drawn
    }

    /// Where it is, with the line; the width of its number.
    fn place(&self, drawn: &mut String, place: &Place, style: Style) -> usize {
        if place.line == 0 {
            let _ = writeln!(drawn, " {DIM}-->{DIM:#} {}", self.name);
            return 1;
        }
        let number = (place.line + self.first_line - 1).to_string();
        let margin = number.len();
        let _ = writeln!(drawn, "{:margin$}{DIM}-->{DIM:#} {}:{number}:{}", "", self.name, place.column);
        let Some(line) = self.lines.get((place.line as usize).wrapping_sub(1)) else { return margin };
        let excerpt = Excerpt::cut(line, (place.column as usize).saturating_sub(1));
        let Excerpt { shown, before, marked } = excerpt;
        let marks = "^".repeat(marked);
        let _ = writeln!(drawn, "{:margin$} {DIM}|{DIM:#}", "");
        let _ = writeln!(drawn, "{DIM}{number} |{DIM:#} {shown}");
        let _ = writeln!(drawn, "{:margin$} {DIM}|{DIM:#} {:before$}{style}{marks}{style:#}", "", "");
        margin
    }
}

/// What is said below the excerpt, each with its label.
fn notes(issue: &Issue) -> Vec<(&'static str, String)> {
    let mut notes = Vec::new();
    if let Some(place) = issue.place.as_ref().filter(|place| !place.expression.is_empty()) {
        notes.push(("at", place.expression.clone()));
    }
    notes.extend(issue.asked_by.iter().map(|asker| ("asked by", asker.clone())));
    notes.extend(issue.nearest_slice.iter().map(|slice| ("nearest slice", slice.to_string())));
    notes.extend(issue.hint.iter().map(|hint| ("help", hint.clone())));
    if let Some(mend) = &issue.mend {
        notes.extend(operations(mend).into_iter().map(|operation| ("mend", operation)));
    }
    notes
}

/// A mend in words, one line for each operation.
fn operations(mend: &Mend) -> Vec<String> {
    let told = |operation: &Operation| match operation {
        Operation::Add { path, value } => format!("add {value} at {path}"),
        Operation::Remove { path } => format!("remove {path}"),
        Operation::Replace { path, value } => format!("put {value} in the place of {path}"),
        Operation::Move { from, path } => format!("move {from} to {path}"),
    };
    mend.0.iter().map(told).collect()
}

/// A part of a line that can be shown, and where in it the place stands, in columns of a terminal.
struct Excerpt {
    shown: String,
    before: usize,
    marked: usize,
}

impl Excerpt {
    /// Cuts a line around the character at `index`.
    fn cut(line: &str, index: usize) -> Excerpt {
        const CUT: &str = "…";
        let at = line.char_indices().nth(index).map_or(line.len(), |(at, _)| at);
        let (head, tail) = line.split_at(at);
        let length = extent(tail);
        let head_width: usize = head.chars().map(width).sum();
        let fits = head_width + tail.chars().map(width).take(SHOWN_WIDTH_MAX + 1).sum::<usize>() <= SHOWN_WIDTH_MAX;
        let head_max = if fits { usize::MAX } else { BEFORE_WIDTH };

        // The last characters before the place, as many as have room.
        let mut start = head.len();
        let mut before = 0;
        for (at, c) in head.char_indices().rev() {
            if before + width(c) > head_max {
                break;
            }
            start = at;
            before += width(c);
        }
        let mut shown = String::new();
        if start > 0 {
            shown.push_str(CUT);
            before += 1;
        }
        head.get(start..).unwrap_or("").chars().for_each(|c| show(c, &mut shown));
        let mut columns = before;
        let mut marked = 0;
        for (at, c) in tail.char_indices() {
            if columns + width(c) > SHOWN_WIDTH_MAX {
                shown.push_str(CUT);
                break;
            }
            columns += width(c);
            if at < length {
                marked += width(c);
            }
            show(c, &mut shown);
        }
        Excerpt { shown, before, marked: marked.max(1) }
    }
}

/// How many bytes from the start of `text` belong to what stands there: a JSON name with its value where that is
/// short and simple, a JSON value, an XML start tag.
fn extent(text: &str) -> usize {
    let bytes = text.as_bytes();
    match bytes.first() {
        Some(b'<') => text.find('>').map_or(text.len(), |end| end + 1),
        Some(b'"') => {
            let name = string_end(bytes, 0);
            let rest = text.get(name..).unwrap_or("");
            let Some(value) = rest.trim_start().strip_prefix(':').map(str::trim_start) else { return name };
            let value_at = text.len() - value.len();
            match value.as_bytes().first() {
                Some(b'{' | b'[') | None => name,
                Some(b'"') => string_end(bytes, value_at),
                Some(_) => value_at + word(value),
            }
        }
        Some(b'{' | b'[') => 1,
        Some(_) => word(text),
        None => 0,
    }
}

/// The byte after a JSON string that begins at `start`, or the end of the line.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Bytes up to where a number, `true`, `null` or whatever else stands there ends.
fn word(text: &str) -> usize {
    text.find(|c: char| c.is_whitespace() || ",]}<".contains(c)).unwrap_or(text.len())
}

/// Columns that a character takes as it is shown.
fn width(c: char) -> usize {
    match c {
        '\t' => TAB_WIDTH,
        c if is_unsafe(c) => 1,
        c => c.width().unwrap_or(1),
    }
}

fn show(c: char, shown: &mut String) {
    match c {
        '\t' => shown.extend(std::iter::repeat_n(' ', TAB_WIDTH)),
        c if is_unsafe(c) => shown.push('\u{fffd}'),
        c => shown.push(c),
    }
}

/// What would move the cursor, change colours or turn the order of what is read round.
fn is_unsafe(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issue::Rule;
    use serde_json::json;

    fn plain(page: &Page<'_>, issue: &Issue) -> String {
        anstream::adapter::strip_str(&page.draw(issue, 100)).to_string()
    }

    #[test]
    fn a_long_way_out_is_broken_at_the_terminals_width_and_keeps_its_indent() {
        let issue = Issue::new(Rule::Request, "refused").at(at(1, 1)).hint("put one of these in its place: a, b, c");
        let drawn = Page::new("a.json", "{}", 1).draw(&issue, 30);
        let drawn = anstream::adapter::strip_str(&drawn).to_string();
        let expected = "  = at Appointment.status\n  = help put one of these in\n    its place: a, b, c\n";
        assert!(drawn.ends_with(expected), "{drawn}");
    }

    fn at(line: u32, column: u32) -> Place {
        Place { expression: "Appointment.status".into(), pointer: "/status".into(), line, column }
    }

    #[test]
    fn an_issue_is_drawn_like_a_compilers_message() {
        let text = "{\n  \"resourceType\": \"Appointment\",\n  \"status\": \"bookd\"\n}\n";
        let mut issue = Issue::new(Rule::CodeRequired, "`status` needs a code of the value set appointmentstatus")
            .at(at(3, 3))
            .asked_by("Appointment.status of http://hl7.org/fhir/StructureDefinition/Appointment")
            .hint("did you mean `booked`?")
            .mend(vec![Operation::Replace { path: "/status".into(), value: json!("booked") }]);
        issue.nearest_slice = Some("a, but for `system`".into());
        assert_eq!(
            plain(&Page::new("a.json", text, 1), &issue),
            "error[code.required-binding]: `status` needs a code of the value set appointmentstatus
 --> a.json:3:3
  |
3 |   \"status\": \"bookd\"
  |   ^^^^^^^^^^^^^^^^^
  = at Appointment.status
  = asked by Appointment.status of http://hl7.org/fhir/StructureDefinition/Appointment
  = nearest slice a, but for `system`
  = help did you mean `booked`?
  = mend put \"booked\" in the place of /status
"
        );
    }

    #[test]
    fn an_issue_without_a_place_or_with_one_past_the_text_is_drawn_without_an_excerpt() {
        let page = Page::new("a.json", "{}", 1);
        let bare = Issue::new(Rule::Request, "refused");
        assert_eq!(plain(&page, &bare), "error[request.refused]: refused\n");
        let beyond = plain(&page, &bare.clone().at(at(7, 99)));
        assert!(beyond.contains("--> a.json:7:99\n  = at Appointment.status"), "{beyond}");
        let end = plain(&page, &bare.clone().at(at(1, 99)));
        assert!(end.contains("1 | {}\n  |   ^\n"), "{end}");
        let unknown = plain(&page, &bare.at(Place::named("Appointment")));
        assert!(unknown.contains(" --> a.json\n  = at Appointment"), "{unknown}");
    }

    #[test]
    fn a_line_of_ndjson_has_its_own_number() {
        let issue = Issue::new(Rule::Request, "refused").at(at(1, 1));
        let drawn = plain(&Page::new("a.ndjson", "{}", 120), &issue);
        assert!(drawn.contains("--> a.ndjson:120:1\n    |\n120 | {}\n    | ^\n"), "{drawn}");
    }

    #[test]
    fn the_mark_stands_under_what_it_means_whatever_stands_before() {
        let long = format!("{{{}\"status\": \"bookd\", {}}}", "\"a\": 1, ".repeat(4000), "\"b\": 2, ".repeat(4000));
        for (line, index, marked) in [
            ("\t\"start\": \"tomorrow\",", 1, "\"start\": \"tomorrow\""),
            ("{\"漢字漢字\": 1, \"end\": true}", 12, "\"end\": true"),
            ("{\"e\u{301}\": 1, \"end\": null}", 10, "\"end\": null"),
            ("  \"name\": [{\"family\": \"a\"}]", 2, "\"name\""),
            ("  \"name\": [{\"family\": \"a\"}]", 11, "{"),
            ("  \"a\\\"b\": \"c\\\\\", \"d\": 1", 2, "\"a\\\"b\": \"c\\\\\""),
            ("[-5, 7]", 1, "-5"),
            ("  <status value=\"bookd\"/><x/>", 2, "<status value=\"bookd\"/>"),
            ("  <text", 2, "<text"),
            (&long, 1 + 8 * 4000, "\"status\": \"bookd\""),
        ] {
            let Excerpt { shown, before, marked: count } = Excerpt::cut(line, index);
            // Columns to characters: each column of a wide character is the same character.
            let columns: Vec<char> = shown.chars().flat_map(|c| std::iter::repeat_n(c, width(c))).collect();
            let found: String = columns[before..before + count].iter().collect();
            let wanted: String = marked.chars().flat_map(|c| std::iter::repeat_n(c, width(c))).collect();
            assert_eq!(found, wanted, "{shown}");
            assert!(shown.chars().map(width).sum::<usize>() <= SHOWN_WIDTH_MAX + 2, "{shown}");
        }
    }

    #[test]
    fn nothing_in_a_line_can_steer_the_terminal() {
        let shown = Excerpt::cut("\"a\u{1b}[2J\u{202e}\": \"\u{7}\"", 0).shown;
        assert_eq!(shown, "\"a\u{fffd}[2J\u{fffd}\": \"\u{fffd}\"");
    }
}
