//! From byte offsets to lines and columns, in few steps however large the text is.
//!
//! A refused submission may tell two hundred places, and reading the text from its beginning for each would make a
//! large body cost a hundred times what its reading costs. Lines alone would not help: most JSON is sent as one line.

/// The bytes between two marks: what one look-up reads at most.
const STEP_BYTES: usize = 1024;

/// Line and column at every 1,024th byte of a text.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    /// The position at `STEP_BYTES` times the mark's number.
    marks: Vec<Position>,
}

/// A position in a text, both parts counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Position {
    line: u32,
    /// In characters.
    column: u32,
}

impl Position {
    const START: Position = Position { line: 1, column: 1 };

    /// The position of the byte that follows `bytes`, of which the first is here.
    fn after(self, bytes: &[u8]) -> Position {
        bytes.iter().fold(self, |position, byte| match byte {
            b'\n' => Position { line: position.line.saturating_add(1), column: 1 },
            // The further bytes of a character that has several.
            byte if byte & 0xC0 == 0x80 => position,
            _ => Position { column: position.column.saturating_add(1), ..position },
        })
    }
}

impl Lines {
    pub(super) fn of(text: &str) -> Lines {
        let mut marks = Vec::with_capacity(text.len() / STEP_BYTES + 1);
        let mut position = Position::START;
        for step in text.as_bytes().chunks(STEP_BYTES) {
            marks.push(position);
            position = position.after(step);
        }
        Lines { marks }
    }

    /// Line and column of the byte at `at` of the text that this was made of.
    pub(super) fn line_and_column(&self, text: &str, at: usize) -> (u32, u32) {
        let mark = at / STEP_BYTES;
        let between = text.as_bytes().get(mark * STEP_BYTES..at).unwrap_or_default();
        let from = self.marks.get(mark).copied().unwrap_or(Position::START);
        let position = from.after(between);
        (position.line, position.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Document, NodeId};
    use proptest::prelude::*;

    /// Counted from the beginning, in characters.
    fn counted(text: &str, at: usize) -> (u32, u32) {
        let before = &text[..at];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
        (line as u32, column as u32)
    }

    proptest! {
        #[test]
        fn lines_and_columns_are_those_that_counting_finds(
            parts in proptest::collection::vec("(a{0,700}|[ąé€😀]{0,300}|\n|\r\n)", 0..12),
        ) {
            let text = parts.concat();
            let lines = Lines::of(&text);
            for (at, _) in text.char_indices() {
                if at % 97 == 0 || at % STEP_BYTES < 5 {
                    prop_assert_eq!(lines.line_and_column(&text, at), counted(&text, at));
                }
            }
        }
    }

    #[test]
    fn a_large_text_without_lines_is_read_once_and_not_for_each_place() {
        let text = "é".repeat(2 * 1024 * 1024);
        let document = Document::over(text);
        // From the beginning each time this would be 400 billion bytes.
        for number in 0..100_000_usize {
            let at = document.text().len() - 2 - number * 2;
            assert_eq!(document.line_and_column(at), (1, (at / 2 + 1) as u32));
        }
    }

    #[test]
    fn a_copy_and_a_changed_origin_keep_the_right_places() {
        let mut document = Document::over("one\ntwo".to_owned());
        assert_eq!(document.line_and_column(4), (2, 1));
        let copy = document.clone();
        document.append(NodeId::ROOT, "added", false);
        assert_eq!(document.root().child_named("added").unwrap().place().line, 0);
        document.set_origin("ab\ncd\nef".to_owned(), |_, _| Some(6));
        assert_eq!(document.line_and_column(6), (3, 1));
        assert_eq!(document.root().place().line, 3);
        assert_eq!(copy.line_and_column(4), (2, 1));
        assert_eq!((copy.line_and_column(7), document.line_and_column(9)), ((0, 0), (0, 0)));
    }
}
