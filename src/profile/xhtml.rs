//! The XHTML of a narrative: R4's invariants txt-1 and txt-2, and what keeps a reader's browser safe.
//!
//! A narrative is shown to people, so anything that is not plain formatting is refused here rather than cleaned
//! later. The scan is linear and keeps the names of open elements only. What is allowed is R4's list (narrative.html:
//! chapters 7 to 11 and 15 of HTML 4.0, links with `href` or `name`, pictures) as HL7's validator reads it.

/// The elements that txt-1 allows.
const ELEMENTS: &[&str] = &[
    "a",
    "abbr",
    "acronym",
    "address",
    "area",
    "b",
    "bdo",
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
    "kbd",
    "li",
    "map",
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

/// Elements that end a paragraph: a browser that meets one in a `p` shows something else than was written.
const BLOCKS: &[&str] = &[
    "address",
    "blockquote",
    "dd",
    "div",
    "dl",
    "dt",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "li",
    "ol",
    "p",
    "pre",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "ul",
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
    "ismap",
    "lang",
    "longdesc",
    "name",
    "nohref",
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
    "usemap",
    "valign",
    "value",
    "vspace",
    "width",
    "xml:lang",
    "xml:space",
    "xmlns",
];

/// Attributes that belong to some elements only.
const OWNERS: &[(&str, &[&str])] =
    &[("href", &["a", "area"]), ("name", &["a", "map"]), ("src", &["img"]), ("usemap", &["img"])];

const NAMESPACE: &str = "http://www.w3.org/1999/xhtml";

/// Deeper than any narrative; keeps the list of open elements short.
const DEPTH_MAX: usize = 256;

const MALFORMED: &str = "it is not well-formed XHTML";
const SCRIPT: &str = "a narrative has no scripts";

/// The places inside a resource that a narrative points at, and those that it offers.
#[derive(Debug, Default)]
pub(super) struct Links<'t> {
    /// The ids in `href="#id"` and `src="#id"`.
    pub(super) asked: Vec<&'t str>,
    /// The `id` of elements and the `name` of anchors.
    pub(super) offered: Vec<&'t str>,
}

/// What is wrong with `text` as the XHTML of a narrative; nothing when it is fit to be shown.
pub(super) fn fault(text: &str) -> Option<&'static str> {
    Scan::new(text).run().err()
}

/// Where the narrative `text`, which has no fault, points inside its resource.
pub(super) fn links(text: &str) -> Links<'_> {
    let mut scan = Scan { links: Some(Links::default()), ..Scan::new(text) };
    // What cannot be read to its end has been told as that.
    let _ = scan.run();
    scan.links.unwrap_or_default()
}

struct Scan<'t> {
    rest: &'t str,
    open: Vec<&'t str>,
    /// How many of the open elements are paragraphs.
    paragraph_count: usize,
    has_content: bool,
    is_closed: bool,
    /// Gathered only when they are asked for.
    links: Option<Links<'t>>,
}

impl<'t> Scan<'t> {
    fn new(text: &'t str) -> Self {
        Scan {
            rest: text.trim(),
            open: Vec::new(),
            paragraph_count: 0,
            has_content: false,
            is_closed: false,
            links: None,
        }
    }

    fn run(&mut self) -> Result<(), &'static str> {
        if !self.rest.starts_with("<div") {
            return Err("a narrative is one div element");
        }
        while self.step()? {}
        if self.has_content { Ok(()) } else { Err("a narrative holds text or a picture (txt-2)") }
    }

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
        self.entities(before)?;
        if mark.is_empty() {
            return if self.open.is_empty() && self.is_closed { Ok(false) } else { Err(MALFORMED) };
        }
        if let Some(rest) = mark.strip_prefix("<!--") {
            self.rest = after(rest, "-->")?;
        } else if mark.starts_with("<!") || mark.starts_with("<?") {
            // Also CDATA: a browser that reads HTML takes its end for the end of a comment and runs what follows.
            return Err("a narrative has no declarations, entities, CDATA or processing instructions");
        } else if let Some(rest) = mark.strip_prefix("</") {
            self.close(rest)?;
        } else {
            self.start(mark.get(1..).unwrap_or(""))?;
        }
        Ok(true)
    }

    /// The references in a piece of text: to characters by number, or the five names that XML has.
    fn entities(&self, text: &str) -> Result<(), &'static str> {
        let mut rest = text;
        while let Some((_, from)) = rest.split_once('&') {
            let (name, after) = from.split_once(';').ok_or("`&` is written `&amp;` in XHTML")?;
            match Reference::of(name) {
                Reference::Character(_) => {}
                // R4 (narrative.html): XML has no names of HTML, and what is kept as JSON is read as XML elsewhere.
                Reference::Named => return Err("XML has no names of HTML such as &nbsp;: write the character itself"),
                Reference::Malformed => return Err("`&` is written `&amp;` in XHTML"),
            }
            rest = after;
        }
        Ok(())
    }

    fn close(&mut self, rest: &'t str) -> Result<(), &'static str> {
        let (name, rest) = rest.split_once('>').ok_or(MALFORMED)?;
        let name = name.trim_end();
        if self.open.pop() != Some(name) {
            return Err(MALFORMED);
        }
        self.paragraph_count -= usize::from(name == "p");
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
        if self.paragraph_count > 0 && BLOCKS.binary_search(&name).is_ok() {
            return Err("a paragraph holds no other paragraph, list, table, heading or div");
        }
        let is_first = self.open.is_empty();
        let mut has_namespace = false;
        let mut seen = [false; ATTRIBUTES.len()];
        loop {
            let spaced = rest.trim_start();
            if let Some(rest) = spaced.strip_prefix("/>") {
                self.is_closed |= self.open.is_empty();
                self.rest = rest;
                break;
            }
            if let Some(rest) = spaced.strip_prefix('>') {
                self.open.push(name);
                self.paragraph_count += usize::from(name == "p");
                self.rest = rest;
                break;
            }
            if spaced.len() == rest.len() {
                return Err(MALFORMED);
            }
            let (number, value, after) = take_attribute(name, spaced)?;
            match seen.get_mut(number) {
                Some(seen) if !*seen => *seen = true,
                Some(_) | None => return Err(MALFORMED),
            }
            self.entities(value)?;
            let attribute = ATTRIBUTES.get(number).copied().unwrap_or_default();
            if attribute == "xmlns" {
                if value != NAMESPACE {
                    return Err("the elements of a narrative are in the XHTML namespace");
                }
                has_namespace = true;
            }
            self.has_content |= name == "img" && attribute == "src";
            self.link(attribute, value);
            rest = after;
        }
        if is_first && !has_namespace {
            return Err("the div of a narrative names the XHTML namespace");
        }
        if self.open.len() > DEPTH_MAX { Err("a narrative is not nested so deep") } else { Ok(()) }
    }

    fn link(&mut self, attribute: &str, value: &'t str) {
        let Some(links) = &mut self.links else { return };
        match attribute {
            "href" | "src" => links.asked.extend(value.strip_prefix('#').filter(|id| !id.is_empty())),
            "id" | "name" => links.offered.push(value),
            _ => {}
        }
    }
}

/// One attribute of an element `owner` from the front of `text`: its number, its value, and what follows.
fn take_attribute<'t>(owner: &str, text: &'t str) -> Result<(usize, &'t str, &'t str), &'static str> {
    const UNKNOWN: &str = "a narrative has only the basic attributes of HTML, no scripts (txt-1)";
    let name_end = text.find(|c: char| !is_name_char(c)).ok_or(MALFORMED)?;
    let (name, rest) = text.split_at(name_end);
    let number = ATTRIBUTES.binary_search(&name).map_err(|_| UNKNOWN)?;
    if OWNERS.iter().any(|(attribute, owners)| *attribute == name && !owners.contains(&owner)) {
        return Err(UNKNOWN);
    }
    let rest = rest.trim_start().strip_prefix('=').ok_or(MALFORMED)?.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\'')).ok_or(MALFORMED)?;
    let (value, after) = rest.get(1..).and_then(|rest| rest.split_once(quote)).ok_or(MALFORMED)?;
    if value.contains('<') {
        return Err(SCRIPT);
    }
    match name {
        "href" | "src" | "cite" | "longdesc" => link_fault(name, value).map_or(Ok(()), Err)?,
        "style" if is_active_style(value) => return Err(SCRIPT),
        _ => {}
    }
    Ok((number, value, after))
}

/// What is wrong with an address in a narrative.
fn link_fault(attribute: &str, value: &str) -> Option<&'static str> {
    const SCHEME_CHARS_MAX: usize = 16;
    if value.trim().is_empty() {
        return Some("a link says where it leads");
    }
    // What browsers skip, and characters by number, are gone before the scheme is read.
    let plain: String = Decoded(value)
        .filter(|c| !c.is_whitespace() && !c.is_control())
        .take(SCHEME_CHARS_MAX)
        .flat_map(char::to_lowercase)
        .collect();
    let scheme = plain.split_once(':').map(|(scheme, _)| scheme).filter(|scheme| !scheme.contains(['/', '?', '#']));
    match scheme {
        Some("javascript" | "vbscript" | "livescript" | "mocha") => Some(SCRIPT),
        // In a link `data:` is a page of the sender's own making; in a picture it is the picture.
        Some("data") if attribute != "src" => Some(SCRIPT),
        Some("urn" | "cid") if attribute == "href" => Some("a link leads to an address that a browser can follow"),
        Some(_) | None => None,
    }
}

fn is_active_style(value: &str) -> bool {
    const ACTIVE: &[&str] = &["javascript:", "vbscript:", "expression(", "@import", "-moz-binding", "behavior:"];
    if value.bytes().all(|byte| !matches!(byte, b'(' | b'@' | b'&' | b'\\' | b'b' | b'B')) {
        return false;
    }
    let plain: String =
        Decoded(value).filter(|c| !c.is_whitespace() && !c.is_control()).flat_map(char::to_lowercase).collect();
    // A backslash hides letters from this list, and no style of a narrative needs one.
    plain.contains('\\') || ACTIVE.iter().any(|active| plain.contains(active))
}

/// What stands between `&` and `;`.
enum Reference {
    Character(char),
    Named,
    Malformed,
}

impl Reference {
    fn of(name: &str) -> Reference {
        let number = match name.strip_prefix('#') {
            Some(digits) => digits,
            None => {
                return match name {
                    "amp" => Reference::Character('&'),
                    "lt" => Reference::Character('<'),
                    "gt" => Reference::Character('>'),
                    "quot" => Reference::Character('"'),
                    "apos" => Reference::Character('\''),
                    _ => {
                        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
                        if is_name { Reference::Named } else { Reference::Malformed }
                    }
                };
            }
        };
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        };
        // XML has no other control characters than tab and line ends (production 2).
        let is_allowed = |c: &char| *c >= ' ' || matches!(c, '\t' | '\n' | '\r');
        let character = code.ok().filter(|_| !number.contains('+')).and_then(char::from_u32).filter(is_allowed);
        character.map_or(Reference::Malformed, Reference::Character)
    }
}

/// The characters that a text of XML means.
struct Decoded<'t>(&'t str);

impl Iterator for Decoded<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        let mut characters = self.0.chars();
        let first = characters.next()?;
        let rest = characters.as_str();
        // The longest is &#x10FFFF; and no text is looked through for each `&`.
        const NAME_BYTES_MAX: usize = 10;
        if first == '&'
            && let Some(end) = rest.bytes().take(NAME_BYTES_MAX).position(|byte| byte == b';')
            && let Some((name, after)) = rest.split_at_checked(end)
            && let Reference::Character(meant) = Reference::of(name)
        {
            self.0 = after.get(1..).unwrap_or("");
            return Some(meant);
        }
        self.0 = rest;
        Some(first)
    }
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
        assert!(BLOCKS.is_sorted());
    }

    #[test]
    fn a_narrative_is_one_plain_div_with_content() {
        let good = [
            r#"<div xmlns="http://www.w3.org/1999/xhtml">Text</div>"#,
            r#" <div xmlns='http://www.w3.org/1999/xhtml' xml:lang="en"><p class="x">A<br/>b &amp; c</p><!-- < --></div> "#,
            r#"<div xmlns="http://www.w3.org/1999/xhtml"><div><img src="a.png" alt="a"/></div></div>"#,
            r##"<div xmlns="http://www.w3.org/1999/xhtml"><a href="#x" name="y">&#160;&#xA0;&lt;</a></div>"##,
            r#"<div xmlns="http://www.w3.org/1999/xhtml"><a href="https://a.org/?a=1&amp;b=2">x</a></div>"#,
            r#"<div xmlns="http://www.w3.org/1999/xhtml"><p style="color: blue; width: 1em">x</p></div>"#,
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
            inside("<a href=\"java&#115;cript:x\">x</a>"),
            inside("<a href=\"java&#x09;script:x\">x</a>"),
            inside("<a href=\"data:text/html,x\">x</a>"),
            inside("<a href=\"urn:uuid:x\">x</a>"),
            inside("<a href=\"\">x</a>"),
            inside("<p href=\"http://a\">x</p>"),
            inside("<p style=\"width: expression(x)\">x</p>"),
            inside("<p style=\"background: url(java&#115;cript:x)\">x</p>"),
            inside("<p style=\"@import 'x'\">x</p>"),
            inside("<p><ul><li>x</li></ul></p>"),
            inside("<p><b><p>x</p></b></p>"),
            inside("<p class=\"a\" class=\"b\">x</p>"),
            inside("<p class=\"a\"id=\"b\">x</p>"),
            inside("<p xmlns=\"http://other\">x</p>"),
            inside("a&nbsp;b"),
            inside("a & b"),
            inside("a &b c"),
            inside("a &#0; b"),
            inside("a &#xD800; b"),
            inside("a &; b"),
            inside("<![CDATA[x]]>"),
            inside("<form>x</form>"),
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

    #[test]
    fn the_places_that_a_narrative_points_at_and_offers_are_gathered() {
        let text = r##"<div xmlns="http://www.w3.org/1999/xhtml"><a href="#a">x</a><a name="b">y</a><p id="c">
            <a href="http://z#d">z</a><img src="#e" alt="e"/><a href="#">f</a></p></div>"##;
        let links = links(text);
        assert_eq!(links.asked, ["a", "e"]);
        assert_eq!(links.offered, ["b", "c"]);
    }
}
