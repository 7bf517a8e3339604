//! Talking to the person at the terminal.

use super::draw::{DIM, GREEN, Page, RED};
use crate::issue::Issue;

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
    for issue in issues {
        out!("{}", page.draw(issue));
    }
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
