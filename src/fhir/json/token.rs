//! Strings, numbers and literals (RFC 8259), and values that are read over.

use super::{Read, Reader};
use crate::document::{NodeId, Scalar};
use crate::issue::{Issue, Rule};
use std::ops::Range;

/// A string that was read. Without `plain` it had escapes and stands in the reader's `unescaped`.
pub(super) struct Text {
    pub(super) plain: Option<Range<usize>>,
    pub(super) has_lone_surrogate: bool,
}

impl<'t> Reader<'t> {
    /// Reads a string; the next byte is its opening quote.
    pub(super) fn string(&mut self, node: NodeId) -> Read<Text> {
        let start = self.at + 1;
        self.at = start;
        self.run();
        if self.peek() == Some(b'"') {
            let end = self.at;
            self.at += 1;
            return Ok(Text { plain: Some(start..end), has_lone_surrogate: false });
        }
        let mut has_lone_surrogate = false;
        self.unescaped.clear();
        let mut from = start;
        loop {
            self.unescaped.push_str(self.text.get(from..self.at).unwrap_or_default());
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Text { plain: None, has_lone_surrogate });
                }
                Some(b'\\') => has_lone_surrogate |= self.escape(node)?,
                Some(_) => return Err(self.syntax(node, "a control character stands in a string; it must be escaped")),
                None => return Err(self.syntax(node, "the text ends inside a string")),
            }
            from = self.at;
            self.run();
        }
    }

    /// Goes over what stands for itself in a string.
    fn run(&mut self) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1F));
        self.at += length.unwrap_or(rest.len());
    }

    /// Reads an escape into `unescaped`; the next byte is the backslash. Tells whether it was a lone surrogate.
    fn escape(&mut self, node: NodeId) -> Read<bool> {
        let character = match self.bytes.get(self.at + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{C}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(node),
            Some(_) | None => return Err(self.syntax(node, "JSON has no such escape in a string")),
        };
        self.unescaped.push(character);
        self.at += 2;
        Ok(false)
    }

    fn unicode_escape(&mut self, node: NodeId) -> Read<bool> {
        let Some(unit) = self.hex(self.at + 2) else {
            return Err(self.syntax(node, "four hexadecimal digits are expected after `\\u`"));
        };
        self.at += 6;
        if let Some(character) = char::from_u32(unit) {
            self.unescaped.push(character);
            return Ok(false);
        }
        let is_high = unit < 0xDC00;
        let follows_escape = self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(b"\\u"));
        if is_high
            && follows_escape
            && let Some(low @ 0xDC00..=0xDFFF) = self.hex(self.at + 2)
            && let Some(character) = char::from_u32(0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00))
        {
            self.unescaped.push(character);
            self.at += 6;
            return Ok(false);
        }
        self.unescaped.push(char::REPLACEMENT_CHARACTER);
        Ok(true)
    }

    fn hex(&self, at: usize) -> Option<u32> {
        let digits = self.bytes.get(at..at + 4)?;
        digits.iter().try_fold(0, |number, digit| Some(number * 16 + (*digit as char).to_digit(16)?))
    }

    /// Reads a number and gives where it stands.
    pub(super) fn number(&mut self, node: NodeId) -> Read<Range<usize>> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits(),
            _ => return Err(self.syntax(node, "a digit is expected after `-`")),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if !self.digits_follow() {
                return Err(self.syntax(node, "a digit is expected after the decimal point"));
            }
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            if !self.digits_follow() {
                return Err(self.syntax(node, "a digit is expected in the exponent"));
            }
        }
        Ok(start..self.at)
    }

    fn digits(&mut self) {
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
    }

    fn digits_follow(&mut self) -> bool {
        let start = self.at;
        self.digits();
        self.at > start
    }

    /// Tells a number that a reader with doubles would take for infinity or for zero.
    pub(super) fn check_range(&mut self, node: NodeId, at: usize, range: Range<usize>) {
        if is_out_of_range(self.text.get(range).unwrap_or_default()) {
            let issue = Issue::new(Rule::JsonNumber, "a number lies outside the range of an IEEE 754 double");
            self.findings.tell(at, node, issue);
        }
    }

    /// Reads `true`, `false` or `null`; none for `null`.
    pub(super) fn literal(&mut self, node: NodeId) -> Read<Option<Scalar<'static>>> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let (length, value) = if rest.starts_with(b"true") {
            (4, Some(Scalar::Boolean(true)))
        } else if rest.starts_with(b"false") {
            (5, Some(Scalar::Boolean(false)))
        } else if rest.starts_with(b"null") {
            (4, None)
        } else {
            return Err(self.syntax(node, "a value is expected: a string, number, object, array, `true`, `false`"));
        };
        self.at += length;
        Ok(value)
    }

    /// Reads over a value of any kind that gets no node: `depth` is that of what it stands in.
    pub(super) fn skip_value(&mut self, node: NodeId, depth: usize) -> Read<()> {
        match self.peek() {
            Some(b'"') => self.string(node).map(|_| ()),
            Some(b'-' | b'0'..=b'9') => self.number(node).map(|_| ()),
            Some(b'{') => self.skip_items(node, depth + 1, b'}'),
            Some(b'[') => self.skip_items(node, depth + 1, b']'),
            Some(_) | None => self.literal(node).map(|_| ()),
        }
    }

    fn skip_items(&mut self, node: NodeId, depth: usize, close: u8) -> Read<()> {
        self.check_depth(node, depth)?;
        self.at += 1;
        self.skip_space();
        if self.peek() == Some(close) {
            self.at += 1;
            return Ok(());
        }
        loop {
            if close == b'}' {
                if self.peek() != Some(b'"') {
                    return Err(self.syntax(node, "a member's name in double quotes is expected"));
                }
                self.string(node)?;
                self.skip_space();
                if self.peek() != Some(b':') {
                    return Err(self.syntax(node, "`:` is expected after a member's name"));
                }
                self.at += 1;
                self.skip_space();
            }
            self.skip_value(node, depth)?;
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(byte) if byte == close => break,
                Some(_) | None => return Err(self.syntax(node, "`,` or a closing bracket is expected")),
            }
            self.skip_space();
        }
        self.at += 1;
        Ok(())
    }
}

/// True when a double cannot hold the number: it becomes infinite, or zero without being it.
pub(in crate::fhir) fn is_out_of_range(number: &str) -> bool {
    // Short numbers without an exponent are always within 1e±308.
    if number.len() <= 300 && !number.contains(['e', 'E']) {
        return false;
    }
    let mantissa = number.split(['e', 'E']).next().unwrap_or_default();
    match number.parse::<f64>() {
        Ok(value) => !value.is_finite() || (value == 0.0 && mantissa.contains(|digit| matches!(digit, '1'..='9'))),
        Err(_) => true,
    }
}

/// True for what JSON spells a number.
pub(in crate::fhir) fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.strip_prefix(['+', '-']).unwrap_or(exponent)),
        None => (unsigned, "0"),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    digits(whole) && (whole == "0" || !whole.starts_with('0')) && digits(fraction) && digits(exponent)
}
