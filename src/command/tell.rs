//! Talking to the person at the terminal.

use super::draw::{DIM, GREEN, Page, RED};
use crate::issue::Issue;
use crate::profile::NO_VERSION;
use unicode_width::UnicodeWidthStr;

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

/// Issues, drawn with the lines that they are about.
pub fn issues(page: &Page<'_>, issues: &[Issue]) {
    let width = width();
    for issue in issues {
        out!("{}", page.draw(issue, width));
    }
}

/// Columns of the terminal; where the output goes elsewhere, those of a usual one.
pub fn width() -> usize {
    const USUAL: usize = 100;
    terminal_size::terminal_size_of(std::io::stdout()).map_or(USUAL, |(width, _)| usize::from(width.0))
}

/// Text in lines of at most `width` columns, broken at spaces. A word that is wider stands whole: nobody could copy a
/// url from two lines.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut used = 0;
    for word in text.split(' ') {
        let needed = word.width();
        match lines.last_mut() {
            Some(line) if used + 1 + needed <= width => {
                line.push(' ');
                line.push_str(word);
                used += 1 + needed;
            }
            Some(_) | None => {
                lines.push(word.to_owned());
                used = needed;
            }
        }
    }
    lines
}

/// A package's version for people.
pub fn version(version: &str) -> &str {
    if version == NO_VERSION { "no version" } else { version }
}

/// `1 problem`, `2 problems`.
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// A table with a heading, columns as wide as they need to be.
pub fn table(heading: &[&str], rows: &[Vec<String>]) {
    table_with(heading, rows, |_| {});
}

/// The same, with what `after` says below each row, by its number.
pub fn table_with(heading: &[&str], rows: &[Vec<String>], after: impl Fn(usize)) {
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
    for (number, row) in rows.iter().enumerate() {
        out!("{}", line(&mut row.iter().map(String::as_str)));
        after(number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_broken_at_spaces_and_no_word_is_cut() {
        for (text, width, lines) in [
            ("one two three", 7, &["one two", "three"][..]),
            ("one two three", 100, &["one two three"]),
            ("see https://clinic.example/long for it", 10, &["see", "https://clinic.example/long", "for it"]),
            ("漢字 漢字", 8, &["漢字", "漢字"]),
            ("漢字 漢字", 9, &["漢字 漢字"]),
            ("a  b", 9, &["a  b"]),
            ("", 9, &[""]),
        ] {
            assert_eq!(wrap(text, width), lines, "{text:?} in {width}");
        }
    }
}
