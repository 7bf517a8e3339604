//! The XHTML of a narrative: R4's invariants txt-1 and txt-2, and what keeps a reader's browser safe.
//!
//! A narrative is shown to people, so anything that is not plain formatting is refused here rather than cleaned
//! later. The scan is linear and keeps the names of open elements only.

/// The elements that txt-1 allows.
const ELEMENTS: &[&str] = &[
    "a",
    "abbr",
    "acronym",
    "b",
    "big",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "li",
    "ol",
    "p",
    "pre",
    "q",
    "samp",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "tt",
    "ul",
    "var",
];

/// The attributes that txt-1 allows, and those of XML itself.
const ATTRIBUTES: &[&str] = &[
    "abbr",
    "accesskey",
    "align",
    "alt",
    "axis",
    "bgcolor",
    "border",
    "cellhalign",
    "cellpadding",
    "cellspacing",
    "cellvalign",
    "char",
    "charoff",
    "charset",
    "cite",
    "class",
    "colspan",
    "compact",
    "coords",
    "dir",
    "frame",
    "headers",
    "height",
    "href",
    "hreflang",
    "hspace",
    "id",
    "lang",
    "longdesc",
    "name",
    "nowrap",
    "rel",
    "rev",
    "rowspan",
    "rules",
    "scope",
    "shape",
    "span",
    "src",
    "start",
    "style",
    "summary",
    "tabindex",
    "title",
    "type",
    "valign",
    "value",
    "vspace",
    "width",
    "xml:lang",
    "xml:space",
    "xmlns",
];

const NAMESPACE: &str = "http://www.w3.org/1999/xhtml";

/// Deeper than any narrative; keeps the list of open elements short.
const DEPTH_MAX: usize = 256;

/// What is wrong with `text` as the XHTML of a narrative; nothing when it is fit to be shown.
pub(super) fn fault(text: &str) -> Option<&'static str> {
    let mut scan = Scan { rest: text.trim(), open: Vec::new(), has_content: false, is_closed: false };
    if !scan.rest.starts_with("<div") {
        return Some("a narrative is one div element");
    }
    loop {
        match scan.step() {
            Ok(true) => {}
            Ok(false) => break,
            Err(fault) => return Some(fault),
        }
    }
    if !scan.has_content {
        return Some("a narrative holds text or a picture");
    }
    None
}

const MALFORMED: &str = "it is not well-formed XHTML";

struct Scan<'t> {
    rest: &'t str,
    open: Vec<&'t str>,
    has_content: bool,
    is_closed: bool,
}

impl<'t> Scan<'t> {
    /// Takes text up to the next mark, and the mark; false at the end.
    fn step(&mut self) -> Result<bool, &'static str> {
        let (before, mark) = match self.rest.find('<') {
            Some(place) => self.rest.split_at(place),
            None => (self.rest, ""),
        };
        let is_text = !before.trim().is_empty();
        if is_text && self.open.is_empty() {
            return Err(MALFORMED);
        }
        self.has_content |= is_text;
        if mark.is_empty() {
            return if self.open.is_empty() && self.is_closed { Ok(false) } else { Err(MALFORMED) };
        }
        if let Some(rest) = mark.strip_prefix("<!--") {
            self.rest = after(rest, "-->")?;
        } else if mark.starts_with("<!") || mark.starts_with("<?") {
            return Err("a narrative has no declarations, entities or processing instructions");
        } else if let Some(rest) = mark.strip_prefix("</") {
            self.close(rest)?;
        } else {
            self.start(mark.get(1..).unwrap_or(""))?;
        }
        Ok(true)
    }

    fn close(&mut self, rest: &'t str) -> Result<(), &'static str> {
        let (name, rest) = rest.split_once('>').ok_or(MALFORMED)?;
        if self.open.pop() != Some(name.trim_end()) {
            return Err(MALFORMED);
        }
        self.is_closed |= self.open.is_empty();
        self.rest = rest;
        Ok(())
    }

    fn start(&mut self, rest: &'t str) -> Result<(), &'static str> {
        let name_end = rest.find(|c: char| !is_name_char(c)).ok_or(MALFORMED)?;
        let (name, mut rest) = rest.split_at(name_end);
        if ELEMENTS.binary_search(&name).is_err() {
            return Err("a narrative has only the basic formatting elements of HTML (txt-1)");
        }
        if self.is_closed || (self.open.is_empty() && name != "div") {
            return Err("a narrative is one div element");
        }
        let is_first = self.open.is_empty();
        let mut has_namespace = false;
        loop {
            rest = rest.trim_start();
            if let Some(rest) = rest.strip_prefix("/>") {
                self.is_closed |= self.open.is_empty();
                self.rest = rest;
                break;
            }
            if let Some(rest) = rest.strip_prefix('>') {
                self.open.push(name);
                self.rest = rest;
                break;
            }
            let (attribute, value, after) = take_attribute(rest)?;
            has_namespace |= attribute == "xmlns" && value == NAMESPACE;
            self.has_content |= name == "img" && attribute == "src";
            rest = after;
        }
        if is_first && !has_namespace {
            return Err("the div of a narrative names the XHTML namespace");
        }
        if self.open.len() > DEPTH_MAX { Err("a narrative is not nested so deep") } else { Ok(()) }
    }
}

/// One attribute from the front of `text`: its name, its value, and what follows.
fn take_attribute(text: &str) -> Result<(&str, &str, &str), &'static str> {
    let name_end = text.find(|c: char| !is_name_char(c)).ok_or(MALFORMED)?;
    let (name, rest) = text.split_at(name_end);
    if ATTRIBUTES.binary_search(&name).is_err() {
        return Err("a narrative has only the basic attributes of HTML, no scripts (txt-1)");
    }
    let rest = rest.trim_start().strip_prefix('=').ok_or(MALFORMED)?.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\'')).ok_or(MALFORMED)?;
    let (value, after) = rest.get(1..).and_then(|rest| rest.split_once(quote)).ok_or(MALFORMED)?;
    let is_link = matches!(name, "href" | "src" | "cite" | "longdesc");
    if value.contains('<') || (is_link && is_script(value)) {
        return Err("a narrative has no scripts");
    }
    Ok((name, value, after))
}

/// True for an address that a browser would run: its scheme, without what browsers skip, is a script's.
fn is_script(address: &str) -> bool {
    let plain: String = address
        .chars()
        .filter(|c| !c.is_whitespace() && !c.is_control())
        .take("javascript:".len())
        .flat_map(char::to_lowercase)
        .collect();
    plain.starts_with("javascript:") || plain.starts_with("vbscript:") || plain.starts_with('&')
}

fn is_name_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, ':' | '-' | '_' | '.')
}

fn after<'t>(text: &'t str, end: &str) -> Result<&'t str, &'static str> {
    text.split_once(end).map(|(_, rest)| rest).ok_or(MALFORMED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_in_order_so_that_they_can_be_searched() {
        assert!(ELEMENTS.is_sorted());
        assert!(ATTRIBUTES.is_sorted());
    }

    #[test]
    fn a_narrative_is_one_plain_div_with_content() {
        let good = [
            r#"<div xmlns="http://www.w3.org/1999/xhtml">Text</div>"#,
            r#" <div xmlns='http://www.w3.org/1999/xhtml' xml:lang="en"><p class="x">A<br/>b &amp; c</p><!-- < --></div> "#,
            r#"<div xmlns="http://www.w3.org/1999/xhtml"><div><img src="a.png" alt="a"/></div></div>"#,
        ];
        for text in good {
            assert_eq!(fault(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_not_plain_formatting_is_refused() {
        let inside = |content: &str| format!(r#"<div xmlns="http://www.w3.org/1999/xhtml">{content}</div>"#);
        let bad = [
            String::new(),
            "text".into(),
            "<p>x</p>".into(),
            "<div>no namespace</div>".into(),
            inside(""),
            inside("  <p> </p> "),
            inside("<p>x"),
            inside("x</p>"),
            inside("<script>x</script>"),
            inside("<p onclick=\"x\">x</p>"),
            inside("<a href=\"javascript:x\">x</a>"),
            inside("<a href=\" JavaScript:x\">x</a>"),
            inside("<a href=\"&#106;avascript:x\">x</a>"),
            inside("<p class=x>x</p>"),
            inside("<p class>x</p>"),
            inside("<?php x ?>x"),
            inside("<!ENTITY a 'b'>x"),
            inside("<p"),
            inside("x") + "<div/>",
            inside("x") + "tail",
            inside(&"<b>".repeat(300)),
            "<div".into(),
            "<divx>x</divx>".into(),
        ];
        for text in bad {
            assert!(fault(&text).is_some(), "{text}");
        }
    }
}
