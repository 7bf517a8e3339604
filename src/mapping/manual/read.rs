//! Reading a manual: sections with fenced blocks whose info strings say what each is.

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Parser, Tag, TagEnd};

/// The largest manual, in bytes.
const FILE_BYTES_MAX: usize = 1_000_000;

/// A part of a manual under one heading.
#[derive(Debug, Default)]
pub(super) struct Section {
    pub(super) title: String,
    pub(super) line: usize,
    pub(super) blocks: Vec<Block>,
}

/// A fenced block that the manual's test reads.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) role: Role,
    pub(super) text: String,
    pub(super) line: usize,
}

/// What a block is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Role {
    /// What is mapped.
    Input(InputBlock),
    /// Variables of a sender of this name, for the rest of the manual.
    Sender(String),
    /// A tree that expressions read by this name, for its section.
    Variable(String),
    /// What comes out: the whole of it, or at least this.
    Expect { partial: bool },
    /// The issues, one a line.
    Issues,
}

/// What is mapped, and how it came.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct InputBlock {
    pub(super) xml: bool,
    pub(super) sender: Option<String>,
    /// A file to read instead of the block's own text.
    pub(super) file: Option<String>,
    /// The resource inside a larger JSON file.
    pub(super) pointer: Option<String>,
    pub(super) tolerances: Vec<String>,
}

/// The sections of a manual, or what is wrong with it as line and sentence.
pub(super) fn read(text: &str) -> Result<Vec<Section>, (usize, String)> {
    if text.len() > FILE_BYTES_MAX {
        return Err((1, format!("a manual has at most {FILE_BYTES_MAX} bytes")));
    }
    let mut sections = vec![Section { title: "(before the first heading)".to_owned(), line: 1, blocks: Vec::new() }];
    let mut lines = Lines { text, offset: 0, line: 1 };
    let mut heading: Option<String> = None;
    let mut block: Option<(Option<Role>, String, usize)> = None;
    for (event, range) in Parser::new(text).into_offset_iter() {
        match event {
            Event::Start(Tag::Heading { level: HeadingLevel::H1 | HeadingLevel::H2 | HeadingLevel::H3, .. }) => {
                heading = Some(String::new());
                sections.push(Section { title: String::new(), line: lines.at(range.start), blocks: Vec::new() });
            }
            Event::End(TagEnd::Heading(_)) => {
                if let (Some(title), Some(section)) = (heading.take(), sections.last_mut()) {
                    section.title = title;
                }
            }
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                let line = lines.at(range.start);
                block = Some((role(&info).map_err(|why| (line, why))?, String::new(), line));
            }
            Event::Text(part) | Event::Code(part) => match (&mut block, &mut heading) {
                (Some((_, text, _)), _) => text.push_str(&part),
                (None, Some(title)) => title.push_str(&part),
                (None, None) => {}
            },
            Event::End(TagEnd::CodeBlock) => {
                if let (Some((Some(role), text, line)), Some(section)) = (block.take(), sections.last_mut()) {
                    section.blocks.push(Block { role, text, line });
                }
            }
            _ => {}
        }
    }
    sections.retain(|section| !section.blocks.is_empty());
    Ok(sections)
}

/// Lines of growing offsets, each counted once.
struct Lines<'t> {
    text: &'t str,
    offset: usize,
    line: usize,
}

impl Lines<'_> {
    fn at(&mut self, offset: usize) -> usize {
        let passed = self.text.as_bytes().get(self.offset..offset).unwrap_or_default();
        self.line += passed.iter().filter(|byte| **byte == b'\n').count();
        self.offset = self.offset.max(offset);
        self.line
    }
}

/// The role that an info string gives; none for a block that only illustrates.
fn role(info: &str) -> Result<Option<Role>, String> {
    const WORDS: [&str; 4] = ["input", "sender", "variable", "expect"];
    let mut words = info.split_whitespace();
    let (Some(language), Some(word)) = (words.next(), words.next()) else { return Ok(None) };
    let rest: Vec<&str> = words.collect();
    let name = || match rest.as_slice() {
        [name] => Ok((*name).to_owned()),
        _ => Err(format!("`{language} {word}` is followed by one name")),
    };
    match (language, word) {
        ("json" | "xml", "input") => input(language == "xml", &rest).map(|input| Some(Role::Input(input))),
        ("json", "sender") => name().map(|name| Some(Role::Sender(name))),
        ("json", "variable") => name().map(|name| Some(Role::Variable(name))),
        ("json", "expect") => match rest.as_slice() {
            [] => Ok(Some(Role::Expect { partial: false })),
            ["partial"] => Ok(Some(Role::Expect { partial: true })),
            _ => Err("`json expect` is followed by nothing or by `partial`".to_owned()),
        },
        ("issues", "expect") if rest.is_empty() => Ok(Some(Role::Issues)),
        _ => {
            let near = crate::issue::nearest(word, WORDS).map(|near| format!("; did you mean `{near}`?"));
            Err(format!("`{language} {word}` is no block of a manual{}", near.unwrap_or_default()))
        }
    }
}

fn input(xml: bool, words: &[&str]) -> Result<InputBlock, String> {
    let mut input = InputBlock { xml, ..InputBlock::default() };
    for word in words {
        match word.split_once('=') {
            Some(("sender", name)) => input.sender = Some(name.to_owned()),
            Some(("file", name)) => input.file = Some(name.to_owned()),
            Some(("pointer", pointer)) if !xml => input.pointer = Some(pointer.to_owned()),
            Some(("tolerances", names)) => input.tolerances = names.split(',').map(str::to_owned).collect(),
            _ => {
                return Err(format!(
                    "`{word}` says nothing about an input; there are sender=, file=, pointer=, tolerances="
                ));
            }
        }
    }
    Ok(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_read_with_their_section_and_line() {
        let text = "# M\n\n```json sender p\n{}\n```\n\n## One `code`\n\nWords.\n\n```json input sender=p\n{\"a\": 1}\n```\n\n\
                    ```json expect partial\n{}\n```\n```issues expect\nx\n```\n```json\nonly shown\n```\n";
        let sections = read(text).unwrap();
        let told: Vec<_> =
            sections.iter().map(|section| (section.title.as_str(), section.line, section.blocks.len())).collect();
        assert_eq!(told, [("M", 1, 1), ("One code", 7, 3)]);
        assert_eq!(sections[1].blocks[0].line, 11);
        assert_eq!(sections[1].blocks[0].text, "{\"a\": 1}\n");
        assert_eq!(sections[1].blocks[1].role, Role::Expect { partial: true });
    }

    #[test]
    fn a_block_that_is_misspelled_is_a_fault_and_not_skipped() {
        for (info, part) in [
            ("json expects", "did you mean `expect`?"),
            ("json input from=x", "says nothing about an input"),
            ("json expect some", "followed by nothing"),
            ("json sender", "followed by one name"),
            ("xml expect", "is no block"),
        ] {
            let why = read(&format!("## A\n\n```{info}\n```\n")).unwrap_err();
            assert!(why.1.contains(part) && why.0 == 3, "{info}: {why:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_reading_a_manual_panic(text in "[#`a \n=>*-]{0,300}") {
            let _ = read(&text);
        }
    }
}
