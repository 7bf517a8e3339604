//! Text to tokens.

use super::decimal::Decimal;
use super::diagnostic::Diagnostic;
use super::moment::Moment;
use std::ops::Range;

/// One token.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A bare word: an element, a function, an operator that is spelled out, a calendar word.
    Word(String),
    /// A name in backticks, which is never an operator.
    Quoted(String),
    /// `%name`, `` %`name` `` or `%'name'`.
    External(String),
    /// `$this`, `$index` or `$total`, without the dollar.
    Special(String),
    String(String),
    Integer(i64),
    Decimal(Decimal),
    Date(Moment),
    DateTime(Moment),
    Time(Moment),
    /// Punctuation and operators that are signs.
    Sign(&'static str),
    End,
}

/// Longer signs stand before their beginnings.
const SIGNS: &[&str] =
    &["<=", ">=", "!=", "!~", ".", ",", "(", ")", "[", "]", "{", "}", "+", "-", "*", "/", "|", "&", "<", ">", "=", "~"];

/// Splits `text` into tokens with the bytes they stand at; the last is `End`.
pub(super) fn tokens(text: &str) -> Result<Vec<(Token, Range<usize>)>, Diagnostic> {
    let mut lexer = Lexer { text, at: 0 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_blank()?;
        let start = lexer.at;
        let token = lexer.token()?;
        let is_end = token == Token::End;
        tokens.push((token, start..lexer.at));
        if is_end {
            return Ok(tokens);
        }
    }
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn take_while(&mut self, test: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|c| !test(c)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or("")
    }

    fn fault(&self, start: usize, message: &str) -> Diagnostic {
        Diagnostic::new("fhirpath.syntax", message, start..self.at.max(start))
    }

    fn skip_blank(&mut self) -> Result<(), Diagnostic> {
        loop {
            self.take_while(|c| matches!(c, ' ' | '\t' | '\r' | '\n'));
            let start = self.at;
            if self.rest().starts_with("//") {
                self.take_while(|c| c != '\n' && c != '\r');
            } else if self.rest().starts_with("/*") {
                match self.rest().get(2..).and_then(|inside| inside.find("*/")) {
                    Some(length) => self.at += length + 4,
                    None => {
                        self.at = self.text.len();
                        return Err(self.fault(start, "a comment is opened with `/*` and never closed"));
                    }
                }
            } else {
                return Ok(());
            }
        }
    }

    fn token(&mut self) -> Result<Token, Diagnostic> {
        let start = self.at;
        let Some(first) = self.rest().chars().next() else { return Ok(Token::End) };
        match first {
            'a'..='z' | 'A'..='Z' | '_' => Ok(Token::Word(self.word().to_owned())),
            '0'..='9' => self.number(),
            '\'' | '"' => self.delimited(first).map(Token::String),
            '`' => self.delimited('`').map(Token::Quoted),
            '@' => self.moment(),
            '$' => {
                self.at += 1;
                match self.word() {
                    word @ ("this" | "index" | "total") => Ok(Token::Special(word.to_owned())),
                    _ => Err(self.fault(start, "after `$` stands `this`, `index` or `total`")),
                }
            }
            '%' => self.external(),
            _ => match SIGNS.iter().find(|sign| self.rest().starts_with(**sign)) {
                Some(sign) => {
                    self.at += sign.len();
                    Ok(Token::Sign(sign))
                }
                None => {
                    self.at += first.len_utf8();
                    Err(self.fault(start, "this character has no meaning in FHIRPath"))
                }
            },
        }
    }

    fn word(&mut self) -> &'t str {
        self.take_while(|c| c.is_ascii_alphanumeric() || c == '_')
    }

    fn external(&mut self) -> Result<Token, Diagnostic> {
        let start = self.at;
        self.at += 1;
        let name = match self.rest().chars().next() {
            Some(quote @ ('`' | '\'')) => self.delimited(quote)?,
            _ => self.take_while(|c| c.is_ascii_alphanumeric() || c == '_').to_owned(),
        };
        match name.is_empty() {
            true => Err(self.fault(start, "after `%` stands the name of a variable")),
            false => Ok(Token::External(name)),
        }
    }

    fn number(&mut self) -> Result<Token, Diagnostic> {
        let start = self.at;
        self.take_while(|c| c.is_ascii_digit());
        let fraction = self.rest().strip_prefix('.').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        if fraction {
            self.at += 1;
            self.take_while(|c| c.is_ascii_digit());
        }
        let spelled = self.text.get(start..self.at).unwrap_or("");
        let token = match fraction {
            true => Decimal::parse(spelled).map(Token::Decimal),
            false => spelled.parse().ok().map(Token::Integer),
        };
        token.ok_or_else(|| self.fault(start, "this number is too large"))
    }

    fn moment(&mut self) -> Result<Token, Diagnostic> {
        let start = self.at;
        self.at += 1;
        let rest = self.rest();
        if let Some(time) = rest.strip_prefix('T') {
            let end = moment_end(time, false);
            let spelled = time.get(..end).unwrap_or("");
            self.at += 1 + end;
            return Moment::parse_time(spelled).map(Token::Time).ok_or_else(|| {
                self.fault(start, "a time is written `@Thh:mm:ss.fff`, as far as it is known, without a zone")
            });
        }
        let end = moment_end(rest, true);
        let spelled = rest.get(..end).unwrap_or("");
        self.at += end;
        let parsed = match spelled.contains('T') {
            true => Moment::parse_date_time(spelled).map(Token::DateTime),
            false => Moment::parse_date(spelled).map(Token::Date),
        };
        parsed.ok_or_else(|| {
            self.fault(
                start,
                "a date is written `@YYYY-MM-DD` or `@YYYY-MM-DDThh:mm:ss.fff+hh:mm`, as far as it is known",
            )
        })
    }

    fn delimited(&mut self, quote: char) -> Result<String, Diagnostic> {
        let start = self.at;
        self.at += quote.len_utf8();
        let mut value = String::new();
        loop {
            value.push_str(self.take_while(|c| c != quote && c != '\\'));
            match self.rest().chars().next() {
                Some('\\') => {
                    let escape = self.at;
                    self.at += 1;
                    value.push(self.escape(escape)?);
                }
                Some(_) => {
                    self.at += quote.len_utf8();
                    return Ok(value);
                }
                None => return Err(self.fault(start, "a quotation is opened and never closed")),
            }
        }
    }

    fn escape(&mut self, start: usize) -> Result<char, Diagnostic> {
        let Some(letter) = self.rest().chars().next() else {
            return Err(self.fault(start, "a quotation is opened and never closed"));
        };
        self.at += letter.len_utf8();
        match letter {
            '\'' | '"' | '`' | '\\' | '/' => Ok(letter),
            'n' => Ok('\n'),
            'r' => Ok('\r'),
            't' => Ok('\t'),
            'f' => Ok('\u{c}'),
            'u' => self.unicode_escape(start),
            _ => Err(self
                .fault(start, "this escape is not known")
                .hint(r#"known are \' \" \` \\ \/ \n \r \t \f and \uHHHH; a backslash itself is written \\"#)),
        }
    }

    fn unicode_escape(&mut self, start: usize) -> Result<char, Diagnostic> {
        let first = self.four_hex(start)?;
        if let Some(character) = char::from_u32(first) {
            return Ok(character);
        }
        let second = match self.rest().starts_with("\\u") {
            true => {
                self.at += 2;
                self.four_hex(start)?
            }
            false => 0,
        };
        let is_pair = (0xD800..0xDC00).contains(&first) && (0xDC00..0xE000).contains(&second);
        is_pair
            .then(|| 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
            .and_then(char::from_u32)
            .ok_or_else(|| self.fault(start, "half of a surrogate pair is no character"))
    }

    fn four_hex(&mut self, start: usize) -> Result<u32, Diagnostic> {
        let hex = self.rest().get(..4).filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
        self.at += hex.map_or(0, str::len);
        hex.and_then(|hex| u32::from_str_radix(hex, 16).ok())
            .ok_or_else(|| self.fault(start, "after `\\u` stand four hexadecimal digits"))
    }
}

/// How far a date or time goes. A point belongs to it only before a digit, so that `@2015.is(Date)` reads as meant.
fn moment_end(text: &str, with_zone: bool) -> usize {
    let bytes = text.as_bytes();
    let mut seen_time = !with_zone;
    let mut end = 0;
    while let Some(byte) = bytes.get(end) {
        let next_is_digit = bytes.get(end + 1).is_some_and(u8::is_ascii_digit);
        let belongs = match byte {
            b'0'..=b'9' => true,
            b':' => seen_time && next_is_digit,
            b'.' => seen_time && next_is_digit,
            b'-' => next_is_digit && (!seen_time || is_offset(bytes, end)),
            b'+' => seen_time && is_offset(bytes, end),
            b'T' if !seen_time => {
                seen_time = true;
                true
            }
            b'Z' => seen_time,
            _ => false,
        };
        if !belongs {
            break;
        }
        end += 1;
    }
    end
}

/// True when `+hh:mm` or `-hh:mm` stands at `at`; a bare `-1` after a time is a subtraction.
fn is_offset(bytes: &[u8], at: usize) -> bool {
    matches!(bytes.get(at + 1..at + 6), Some([a, b, b':', c, d])
        if [a, b, c, d].iter().all(|byte| byte.is_ascii_digit()))
}
