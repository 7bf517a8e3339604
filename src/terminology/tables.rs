//! Code tables: what a code of one list is called in another.
//!
//! A table is a CSV file (RFC 4180) with the header `code,target` or `code,target,note`. There are no default rows:
//! what a table does not list, the mapping's own `otherwise` decides. A row with an empty target says that the code
//! is known and has no equal, on purpose; it is refused like one that is not listed, and the note says why.

/// A code table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    name: String,
    /// Sorted by code.
    rows: Vec<Row>,
}

/// A row of a code table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The code as the source has it. Matched exactly: codes are case-sensitive unless their system says otherwise.
    pub code: String,
    /// What it is called in the target; none when it has no equal there.
    pub target: Option<String>,
    /// Why, in the author's words.
    pub note: String,
    /// The line in the file, from 1.
    pub line: u32,
}

/// A fault in a code table's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableFault {
    /// Our stable name for it.
    pub code: &'static str,
    /// The line, from 1.
    pub line: u32,
    /// One sentence.
    pub message: String,
}

/// The largest table file, in bytes.
pub const TABLE_BYTES_MAX: usize = 1_000_000;

impl Table {
    /// Reads a table. All faults of the file are told at once.
    pub fn parse(name: &str, text: &str) -> Result<Table, Vec<TableFault>> {
        let fault = |code, line, message: &str| TableFault { code, line, message: message.to_owned() };
        if text.len() > TABLE_BYTES_MAX {
            return Err(vec![fault("table.too-large", 0, "a code table has at most 1,000,000 bytes")]);
        }
        let mut faults = Vec::new();
        let mut records = records(text.strip_prefix('\u{feff}').unwrap_or(text), &mut faults).into_iter();
        match records.next() {
            Some((_, header)) if is_header(&header) => {}
            Some((line, _)) => {
                faults.push(fault("table.header", line, "the first line of a code table is `code,target,note`"));
            }
            None => faults.push(fault("table.header", 1, "the file is empty; its first line is `code,target,note`")),
        }
        let mut rows: Vec<Row> = Vec::new();
        for (line, fields) in records {
            let mut fields = fields.into_iter();
            let (Some(code), Some(target)) = (fields.next(), fields.next()) else {
                faults.push(fault("table.columns", line, "a row has a code and a target"));
                continue;
            };
            let note = fields.next().unwrap_or_default();
            if fields.next().is_some() {
                faults.push(fault("table.columns", line, "a row has at most three columns; quote a note with commas"));
            }
            if code.is_empty() {
                faults.push(fault("table.empty-code", line, "a row has a code; there are no default rows"));
                continue;
            }
            if code.trim() != code || target.trim() != target {
                faults.push(fault("table.blanks", line, "codes stand without blanks around them"));
            }
            rows.push(Row { code, target: (!target.is_empty()).then_some(target), note, line });
        }
        rows.sort_by(|a, b| a.code.cmp(&b.code).then(a.line.cmp(&b.line)));
        for pair in rows.windows(2) {
            if let [first, second] = pair
                && first.code == second.code
            {
                let message = format!("the code of line {} stands again; a code has one row", first.line);
                faults.push(TableFault { code: "table.duplicate-code", line: second.line, message });
            }
        }
        if !faults.is_empty() {
            faults.sort_by_key(|fault| fault.line);
            return Err(faults);
        }
        Ok(Table { name: name.to_owned(), rows })
    }

    /// The name by which mappings call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The row of a code.
    pub fn row(&self, code: &str) -> Option<&Row> {
        let found = self.rows.binary_search_by(|row| row.code.as_str().cmp(code)).ok()?;
        self.rows.get(found)
    }

    /// The rows, by code.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }
}

fn is_header(fields: &[String]) -> bool {
    let names: Vec<&str> = fields.iter().map(String::as_str).collect();
    matches!(names.as_slice(), ["code", "target"] | ["code", "target", "note"])
}

/// The records of a CSV text with the line on which each begins; empty lines are left out.
fn records(text: &str, faults: &mut Vec<TableFault>) -> Vec<(u32, Vec<String>)> {
    let mut records = Vec::new();
    let mut fields: Vec<String> = Vec::new();
    let mut field = String::new();
    let (mut line, mut began) = (1u32, 1u32);
    let (mut quoted, mut was_quoted) = (false, false);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if field.is_empty() && !was_quoted => (quoted, was_quoted) = (true, true),
            '"' => faults.push(TableFault {
                code: "table.quote",
                line,
                message: "a field with quotes in it is itself quoted, and its quotes stand twice".to_owned(),
            }),
            '\n' if quoted => {
                line += 1;
                field.push('\n');
            }
            ',' if !quoted => {
                fields.push(std::mem::take(&mut field));
                was_quoted = false;
            }
            '\r' if !quoted && characters.peek() == Some(&'\n') => {}
            '\n' => {
                fields.push(std::mem::take(&mut field));
                let blank = fields.len() == 1 && fields[0].is_empty() && !was_quoted;
                let done = std::mem::take(&mut fields);
                if !blank {
                    records.push((began, done));
                }
                was_quoted = false;
                line += 1;
                began = line;
            }
            _ => field.push(character),
        }
    }
    if quoted {
        faults.push(TableFault { code: "table.quote", line: began, message: "a quote is not closed".to_owned() });
    }
    if !field.is_empty() || !fields.is_empty() || was_quoted {
        fields.push(field);
        records.push((began, fields));
    }
    records
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_finds_its_row_and_only_its_own() {
        let table =
            Table::parse("t", "code,target,note\nB,two,\nA,one,\"the first, of all\"\nC,,has no equal\n").unwrap();
        assert_eq!(
            table.row("A").map(|row| (row.target.as_deref(), row.note.as_str(), row.line)),
            Some((Some("one"), "the first, of all", 3))
        );
        assert_eq!(table.row("C").map(|row| row.target.clone()), Some(None));
        for stranger in ["a", "", "A ", "D"] {
            assert_eq!(table.row(stranger), None, "{stranger:?}");
        }
    }

    #[test]
    fn faults_are_named_with_their_line() {
        for (text, code, line) in [
            ("", "table.header", 1),
            ("from,to\nA,b\n", "table.header", 1),
            ("code,target\nA\n", "table.columns", 2),
            ("code,target\nA,b,c,d\n", "table.columns", 2),
            ("code,target\n,b\n", "table.empty-code", 2),
            ("code,target\nA,b\n\nA,c\n", "table.duplicate-code", 4),
            ("code,target\nA ,b\n", "table.blanks", 2),
            ("code,target\n\"A,b\n", "table.quote", 2),
            ("code,target\nA\"x,b\n", "table.quote", 2),
        ] {
            let faults = Table::parse("t", text).unwrap_err();
            assert_eq!((faults[0].code, faults[0].line), (code, line), "{text:?}");
        }
    }

    #[test]
    fn line_ends_and_a_byte_order_mark_do_not_matter() {
        let table = Table::parse("t", "\u{feff}code,target\r\nA,one\r\n\"B\",\"t\"\"wo\"").unwrap();
        assert_eq!(table.rows().len(), 2);
        assert_eq!(table.row("B").unwrap().target.as_deref(), Some("t\"wo"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_reading_a_table_panic(text in "[a,\"\n\r ]{0,200}") {
            let _ = Table::parse("t", &text);
            let _ = Table::parse("t", &format!("code,target\n{text}"));
        }
    }
}
