//! Talking to the person at the terminal.

use crate::issue::{Issue, Severity};
use anstyle::{AnsiColor, Style};

/// Writes a line to standard output, as `println!` does, and ends quietly when nobody reads on (`stile ... | head`).
macro_rules! out {
    () => { $crate::command::tell::line("") };
    ($($argument:tt)*) => { $crate::command::tell::line(&format!($($argument)*)) };
}
pub(in crate::command) use out;

/// What `out!` calls.
pub fn line(text: &str) {
    use std::io::Write;
    if let Err(cause) = writeln!(anstream::stdout(), "{text}")
        && cause.kind() == std::io::ErrorKind::BrokenPipe
    {
        std::process::exit(0);
    }
}

const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
const GREEN: Style = AnsiColor::Green.on_default();
const CYAN: Style = AnsiColor::Cyan.on_default();
const DIM: Style = Style::new().dimmed();

/// Something that keeps the command from running, on standard error.
pub fn fault(text: &str) {
    anstream::eprintln!("{RED}error{RED:#}: {text}");
}

/// Something to know, on standard error.
pub fn note(text: &str) {
    anstream::eprintln!("{DIM}{text}{DIM:#}");
}

/// A heading or file name with its verdict, on standard output.
pub fn verdict(name: &str, is_fine: bool, text: &str) {
    let style = if is_fine { GREEN } else { RED };
    let word = if is_fine { "ok" } else { "refused" };
    out!("{name}: {style}{word}{style:#}{}{text}", if text.is_empty() { "" } else { ", " });
}

/// An issue, drawn with the line that it is about.
pub fn issue(issue: &Issue, text: &str) {
    let style = match issue.severity {
        Severity::Fatal | Severity::Error => RED,
        Severity::Warning => YELLOW,
        Severity::Information => CYAN,
    };
    out!("  {style}{}{style:#} [{}] {}", issue.severity, issue.rule, issue.message);
    if let Some(place) = &issue.place {
        let line =
            if place.line > 0 { format!(" (line {}, column {})", place.line, place.column) } else { String::new() };
        out!("    {DIM}at{DIM:#} {}{line}", place.expression);
        if let Some(source) = text.lines().nth((place.line as usize).wrapping_sub(1)) {
            excerpt(source, place.column as usize, place.line);
        }
    }
    if let Some(asked_by) = &issue.asked_by {
        out!("    {DIM}asked by{DIM:#} {asked_by}");
    }
    if let Some(hint) = &issue.hint {
        out!("    {GREEN}help{GREEN:#} {hint}");
    }
}

/// Columns of a source line that are shown.
const EXCERPT_WIDTH: usize = 80;

/// The source line with a mark under the column. It is the person's own file on the person's own terminal, so it may
/// be shown; no log ever holds it.
fn excerpt(source: &str, column: usize, line: u32) {
    let start = column.saturating_sub(EXCERPT_WIDTH / 2);
    let start = if start < 3 { 0 } else { start };
    let shown: String =
        source.chars().skip(start).take(EXCERPT_WIDTH).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mark = column.saturating_sub(1).saturating_sub(start);
    let number = line.to_string();
    out!("    {DIM}{number} |{DIM:#} {shown}");
    out!("    {DIM}{} |{DIM:#} {}{RED}^{RED:#}", " ".repeat(number.len()), " ".repeat(mark));
}

/// `1 problem`, `2 problems`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// A table with a heading, columns as wide as they need to be.
pub fn table(heading: &[&str], rows: &[Vec<String>]) {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(heading.get(column).map(|cell| cell.chars().count())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heading.len()).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded: Vec<String> = cells.zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        padded.join("  ").trim_end().to_owned()
    };
    out!("{DIM}{}{DIM:#}", line(&mut heading.iter().copied()));
    for row in rows {
        out!("{}", line(&mut row.iter().map(String::as_str)));
    }
}
