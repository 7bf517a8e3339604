//! Reading mapping files: YAML as a tree that knows where each node stands.
//!
//! Built on the parser's events and not on a loaded tree, because mapping files refuse what makes YAML dangerous or
//! hard to read: anchors and aliases (a page of them unfolds to gigabytes), tags, several documents in a file, keys
//! that stand twice, keys that are not plain words. Depth and size are bounded.

use super::problem::{Findings, Mark};
use saphyr_parser::{Event, Marker, Parser, ScalarStyle};

/// The largest mapping file, in bytes.
pub(super) const FILE_BYTES_MAX: usize = 1_000_000;
/// The deepest nesting of a mapping file.
const DEPTH_MAX: usize = 32;

/// A node of a mapping file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Yaml {
    pub(super) at: Mark,
    pub(super) value: YamlValue,
}

/// What a node holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum YamlValue {
    /// A scalar; `quoted` when it cannot be read as a number, boolean or null. `block` when its lines stand below it.
    Scalar {
        text: String,
        quoted: bool,
        block: bool,
    },
    Sequence(Vec<Yaml>),
    Mapping(Vec<Member>),
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Member {
    pub(super) key: String,
    pub(super) at: Mark,
    pub(super) value: Yaml,
}

impl Yaml {
    /// The text of a scalar.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            YamlValue::Scalar { text, .. } => Some(text),
            YamlValue::Sequence(_) | YamlValue::Mapping(_) => None,
        }
    }

    /// What it is, in words.
    pub(super) fn form(&self) -> &'static str {
        match self.value {
            YamlValue::Scalar { .. } => "a single value",
            YamlValue::Sequence(_) => "a list",
            YamlValue::Mapping(_) => "keys with values",
        }
    }

    /// The value that a plain scalar stands for in YAML's core schema; a quoted one is a string. None for
    /// collections and for null.
    pub(super) fn constant(&self) -> Option<serde_json::Value> {
        let YamlValue::Scalar { text, quoted, block } = &self.value else { return None };
        if *quoted || *block {
            return Some(text.clone().into());
        }
        match text.as_str() {
            "" | "~" | "null" | "Null" | "NULL" => None,
            "true" => Some(true.into()),
            "false" => Some(false.into()),
            _ => Some(text.parse::<i64>().map_or_else(|_| text.clone().into(), Into::into)),
        }
    }
}

/// Reads one file; what is wrong is noted in `findings`, and there is no tree when it cannot be read at all.
pub(super) fn read(text: &str, findings: &mut Findings<'_>) -> Option<Yaml> {
    if text.len() > FILE_BYTES_MAX {
        findings
            .note("yaml.too-large", Mark::default(), format!("a mapping file has at most {FILE_BYTES_MAX} bytes"))
            .way_out("split it into several mappings");
        return None;
    }
    let mut builder = Builder { open: Vec::new(), root: None, findings, broken: false };
    let mut parser = Parser::new_from_str(text);
    let mut documents = 0;
    loop {
        match parser.next_event() {
            None | Some(Ok((Event::StreamEnd, _))) => break,
            Some(Err(error)) => {
                let at = mark(error.marker());
                builder.findings.note("yaml.syntax", at, format!("this is not YAML: {}", error.info()));
                return None;
            }
            Some(Ok((Event::DocumentStart(_), span))) => {
                documents += 1;
                if documents > 1 {
                    builder.refuse("yaml.several-documents", mark(&span.start), "a mapping file holds one mapping");
                    return None;
                }
            }
            Some(Ok((event, span))) => builder.event(event, mark(&span.start)),
        }
        if builder.broken {
            return None;
        }
    }
    if builder.root.is_none() {
        builder.findings.note("yaml.empty", Mark { line: 1, column: 1 }, "the file is empty");
    }
    builder.root
}

fn mark(marker: &Marker) -> Mark {
    let column = u32::try_from(marker.col()).unwrap_or(u32::MAX).saturating_add(1);
    Mark { line: u32::try_from(marker.line()).unwrap_or(u32::MAX), column }
}

enum Open {
    Sequence(Mark, Vec<Yaml>),
    Mapping(Mark, Vec<Member>, Option<(String, Mark)>),
}

struct Builder<'f, 's> {
    open: Vec<Open>,
    root: Option<Yaml>,
    findings: &'f mut Findings<'s>,
    broken: bool,
}

impl Builder<'_, '_> {
    fn refuse(&mut self, code: &'static str, at: Mark, message: &str) {
        self.findings.note(code, at, message);
        self.broken = true;
    }

    fn event(&mut self, event: Event<'_>, at: Mark) {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {}
            Event::Alias(_) => self.refuse("yaml.alias", at, "mapping files have no aliases; write it out"),
            Event::Scalar(text, style, anchor, tag) => {
                self.plain(anchor, tag.is_some(), at);
                let quoted = matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted);
                let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                self.put(Yaml { at, value: YamlValue::Scalar { text: text.into_owned(), quoted, block } });
            }
            Event::SequenceStart(anchor, tag) => {
                self.plain(anchor, tag.is_some(), at);
                self.enter(Open::Sequence(at, Vec::new()), at);
            }
            Event::MappingStart(anchor, tag) => {
                self.plain(anchor, tag.is_some(), at);
                self.enter(Open::Mapping(at, Vec::new(), None), at);
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open::Sequence(at, items)) => self.put(Yaml { at, value: YamlValue::Sequence(items) }),
                Some(Open::Mapping(at, members, _)) => self.put(Yaml { at, value: YamlValue::Mapping(members) }),
                None => {}
            },
        }
    }

    fn plain(&mut self, anchor: usize, tagged: bool, at: Mark) {
        if anchor != 0 {
            self.refuse("yaml.anchor", at, "mapping files have no anchors; write it out where it is needed");
        }
        if tagged {
            self.refuse("yaml.tag", at, "mapping files have no tags; quote the value if it is text");
        }
    }

    fn enter(&mut self, open: Open, at: Mark) {
        if self.open.len() >= DEPTH_MAX {
            self.refuse("yaml.too-deep", at, "this is nested deeper than any mapping needs");
        }
        self.open.push(open);
    }

    fn put(&mut self, node: Yaml) {
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::Sequence(_, items)) => items.push(node),
            Some(Open::Mapping(_, members, key)) => match key.take() {
                Some((key, at)) => members.push(Member { key, at, value: node }),
                None => match node.value {
                    YamlValue::Scalar { text, .. } => {
                        if members.iter().any(|member| member.key == text) {
                            let width = text.chars().count();
                            self.findings.note_wide(
                                "yaml.duplicate-key",
                                node.at,
                                width,
                                format!("the key `{text}` stands twice"),
                            );
                        }
                        *key = Some((text, node.at));
                    }
                    YamlValue::Sequence(_) | YamlValue::Mapping(_) => {
                        self.refuse("yaml.key", node.at, "a key is a single word");
                    }
                },
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str) -> Vec<&'static str> {
        let mut findings = Findings::new("x.yaml", text);
        let tree = read(text, &mut findings);
        let problems = findings.into_problems();
        assert!(tree.is_some() || !problems.is_empty(), "no tree and no reason: {text:?}");
        problems.into_iter().map(|problem| problem.code).collect()
    }

    #[test]
    fn nodes_know_their_line_and_column() {
        let text = "mapping: a\nrules:\n  status:\n    from: status\n";
        let mut findings = Findings::new("x.yaml", text);
        let tree = read(text, &mut findings).unwrap();
        let YamlValue::Mapping(members) = &tree.value else { panic!("not a mapping") };
        assert_eq!(members[1].at, Mark { line: 2, column: 1 });
        let YamlValue::Mapping(rules) = &members[1].value.value else { panic!("not a mapping") };
        assert_eq!((rules[0].key.as_str(), rules[0].at), ("status", Mark { line: 3, column: 3 }));
        let YamlValue::Mapping(recipe) = &rules[0].value.value else { panic!("not a mapping") };
        assert_eq!(recipe[0].value.at, Mark { line: 4, column: 11 });
        assert!(findings.into_problems().is_empty());
    }

    #[test]
    fn what_makes_yaml_dangerous_is_refused_by_name() {
        for (text, code) in [
            ("a: &x 1\nb: 2", "yaml.anchor"),
            ("a: &x [1]\nb: *x", "yaml.anchor"),
            ("a: *x", "yaml.syntax"),
            ("a: !!str 1", "yaml.tag"),
            ("a: 1\na: 2", "yaml.duplicate-key"),
            ("a: 1\n---\nb: 2", "yaml.several-documents"),
            ("[a, b]: 1", "yaml.key"),
            ("", "yaml.empty"),
            ("a: [1", "yaml.syntax"),
        ] {
            assert_eq!(codes(text).first(), Some(&code), "{text:?}");
        }
        assert_eq!(codes(&"- ".repeat(5_000)), ["yaml.too-deep"]);
        // The reader has a bound of its own for brackets on one line, below which ours holds.
        assert_eq!(codes(&"[".repeat(100_000)), ["yaml.syntax"]);
        assert_eq!(codes(&"[\n ".repeat(40)), ["yaml.too-deep"]);
        assert_eq!(codes(&"a".repeat(FILE_BYTES_MAX + 1)), ["yaml.too-large"]);
    }

    #[test]
    fn a_bomb_of_aliases_is_refused_before_it_unfolds() {
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for level in 1..30 {
            let before = format!("*a{}", level - 1);
            bomb.push_str(&format!("a{level}: &a{level} [{}]\n", vec![before; 9].join(", ")));
        }
        assert_eq!(codes(&bomb), ["yaml.anchor"]);
    }

    #[test]
    fn constants_are_what_yaml_says_and_quotes_make_text() {
        for (text, value) in [
            ("true", Some(serde_json::json!(true))),
            ("12", Some(serde_json::json!(12))),
            ("'12'", Some(serde_json::json!("12"))),
            ("a b", Some(serde_json::json!("a b"))),
            ("~", None),
        ] {
            let mut findings = Findings::new("x.yaml", text);
            assert_eq!(read(text, &mut findings).unwrap().constant(), value, "{text}");
        }
    }
}
