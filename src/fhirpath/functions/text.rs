//! Functions on text. Positions count characters, as FHIRPath asks.

use super::super::diagnostic::Failure;
use super::super::lower::read_pattern;
use super::super::program::{Code, Pattern};
use super::super::run::{Evaluated, not_single};
use super::super::table::{Coding, Function, Text};
use super::super::value::{Collection, Item, Value};
use super::Call;
use crate::document::Node;
use std::borrow::Cow;

fn string<'d>(text: impl Into<Cow<'d, str>>, origin: Option<Node<'d>>) -> Collection<'d> {
    Collection::from(Item::Value(Value::String(text.into()), origin))
}

/// A part of a text, borrowed where the whole was.
fn part<'d>(text: &Cow<'d, str>, range: std::ops::Range<usize>) -> Cow<'d, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(range).unwrap_or("")),
        Cow::Owned(text) => Cow::Owned(text.get(range).unwrap_or("").to_owned()),
    }
}

/// `piece` as a part of the text it was found in.
fn piece_of<'d>(text: &Cow<'d, str>, piece: &str) -> Cow<'d, str> {
    let start = piece.as_ptr().addr().saturating_sub(text.as_ptr().addr());
    part(text, start..start + piece.len())
}

/// Functions on one text.
pub(super) fn of_text<'d>(function: Text, call: &Call<'_, '_, 'd>) -> Evaluated<'d> {
    let Some(text) = call.run.text(&call.input, "a text function", call.at)? else { return Ok(Collection::new()) };
    let origin = call.input.first().and_then(Item::origin);
    call.run.spend(text.len() / 64, call.at)?;
    let with = |test: &dyn Fn(&str) -> Collection<'d>| -> Evaluated<'d> {
        let sought = call.text_argument(0, "an argument")?;
        Ok(sought.map_or(Collection::new(), |sought| test(&sought)))
    };
    let position = |at: Option<usize>| {
        let characters = at.and_then(|at| text.get(..at)).map(|before| before.chars().count() as i64);
        Collection::value(Value::Integer(characters.unwrap_or(-1)))
    };
    match function {
        Text::Length => Ok(Collection::value(Value::Integer(text.chars().count() as i64))),
        Text::Upper => Ok(string(text.to_uppercase(), origin)),
        Text::Lower => Ok(string(text.to_lowercase(), origin)),
        Text::Trim => Ok(string(piece_of(&text, text.trim()), origin)),
        Text::ToChars => {
            call.run.spend(text.len(), call.at)?;
            let one = |(start, letter): (usize, char)| part(&text, start..start + letter.len_utf8());
            Ok(text.char_indices().map(one).map(|each| Item::Value(Value::String(each), origin)).collect())
        }
        Text::Substring => substring(call, &text, origin),
        Text::StartsWith => with(&|sought| text.starts_with(sought).into()),
        Text::EndsWith => with(&|sought| text.ends_with(sought).into()),
        Text::Contains => with(&|sought| text.contains(sought).into()),
        Text::IndexOf => with(&|sought| position(text.find(sought))),
        // Of nothing the first place is told, as FHIRPath asks, and not the last.
        Text::LastIndexOf => {
            with(&|sought| position(text.rfind(sought).filter(|_| !sought.is_empty()).or(text.find(sought))))
        }
        Text::Split => {
            call.run.spend(text.len(), call.at)?;
            with(&|separator| {
                // Without a separator each character is a piece; the empty ends are none.
                let pieces = text.split(separator).filter(|piece| !(separator.is_empty() && piece.is_empty()));
                pieces.map(|piece| Item::Value(Value::String(piece_of(&text, piece)), origin)).collect()
            })
        }
        Text::Replace => replace(call, &text, origin),
    }
}

fn replace<'d>(call: &Call<'_, '_, 'd>, text: &Cow<'d, str>, origin: Option<Node<'d>>) -> Evaluated<'d> {
    let words = |place: usize| call.text_argument(place, "an argument");
    let (Some(sought), Some(with)) = (words(0)?, words(1)?) else { return Ok(Collection::new()) };
    let count = match sought.is_empty() {
        true => text.chars().count() + 1,
        false => text.matches(sought.as_ref()).count(),
    };
    call.run.check_length(text.len() + count.saturating_mul(with.len()), call.at)?;
    Ok(string(text.replace(sought.as_ref(), &with), origin))
}

fn substring<'d>(call: &Call<'_, '_, 'd>, text: &Cow<'d, str>, origin: Option<Node<'d>>) -> Evaluated<'d> {
    let start = call.run.integer(&call.argument(0)?, call.at)?;
    let length = match call.arguments.len() {
        2 => call.run.integer(&call.argument(1)?, call.at)?,
        _ => None,
    };
    let Some(start) = start.and_then(|start| usize::try_from(start).ok()) else { return Ok(Collection::new()) };
    let mut places = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    let Some(begin) = places.nth(start).filter(|begin| *begin < text.len()) else { return Ok(Collection::new()) };
    let end = match length.map(|length| usize::try_from(length).unwrap_or(0)) {
        None => text.len(),
        Some(0) => begin,
        Some(length) => places.nth(length - 1).unwrap_or(text.len()),
    };
    Ok(string(part(text, begin..end), origin))
}

pub(super) fn join<'d>(call: &Call<'_, '_, 'd>) -> Evaluated<'d> {
    let separator = call.run.text(&call.argument(0)?, "a separator", call.at)?.unwrap_or_default();
    let mut joined = String::new();
    for (place, item) in call.input.iter().enumerate() {
        let text = match item.value() {
            Some(Value::String(text)) => text,
            Some(_) | None => return Err(call.type_fault("`join()` works on text only")),
        };
        if place > 0 {
            joined.push_str(&separator);
        }
        joined.push_str(&text);
        call.run.check_length(joined.len(), call.at)?;
    }
    match call.input.is_empty() {
        true => Ok(Collection::new()),
        false => Ok(string(joined, None)),
    }
}

/// `matches`, `matchesFull`, `replaceMatches`.
pub(super) fn matched<'d>(function: Function, pattern: &Pattern, call: &Call<'_, '_, 'd>) -> Evaluated<'d> {
    let computed;
    let pattern = match pattern {
        Pattern::Fixed(pattern) => pattern,
        Pattern::Computed(code) => {
            let Some(read) = read_computed(function, code, call)? else { return Ok(Collection::new()) };
            computed = read;
            &computed
        }
    };
    let Some(text) = call.run.text(&call.input, "a regular expression", call.at)? else { return Ok(Collection::new()) };
    // Linear in the text; a step buys about 16 bytes of it.
    call.run.spend(1 + text.len() / 16, call.at)?;
    if function != Function::ReplaceMatches {
        return Ok(pattern.is_match(&text).into());
    }
    let Some(with) = call.run.text(&call.argument(0)?, "a replacement", call.at)? else { return Ok(Collection::new()) };
    // Nothing is matched by an empty pattern, so nothing is replaced.
    if pattern.as_str().is_empty() {
        return Ok(call.input.clone());
    }
    let mut replaced = String::new();
    let mut end = 0;
    for found in pattern.captures_iter(&text) {
        let Some(whole) = found.get(0) else { continue };
        replaced.push_str(text.get(end..whole.start()).unwrap_or(""));
        found.expand(&with, &mut replaced);
        end = whole.end();
        call.run.check_length(replaced.len(), call.at)?;
    }
    replaced.push_str(text.get(end..).unwrap_or(""));
    Ok(string(replaced, call.input.first().and_then(Item::origin)))
}

/// Reads a regular expression that was computed. That costs far more than running one, and is counted so.
fn read_computed(function: Function, code: &Code, call: &Call<'_, '_, '_>) -> Result<Option<regex::Regex>, Failure> {
    const PATTERN_BYTES_MAX: usize = 1 << 16;
    const STEPS: usize = 2_000;
    let value = call.run.eval(code, call.focus)?;
    let Some(text) = call.run.text(&value, "a regular expression", call.at)? else { return Ok(None) };
    call.run.spend(STEPS + text.len() * 16, call.at)?;
    read_pattern(&text, function, PATTERN_BYTES_MAX).map(Some).map_err(|_| {
        let message =
            "the regular expression computed here is not well formed, too large, or cannot be run in linear time";
        Failure::new("fhirpath.pattern", message, call.at.clone())
    })
}

// ---- encodings

/// `encode`, `decode`, `escape`, `unescape`.
pub(super) fn coded<'d>(coding: Coding, call: &Call<'_, '_, 'd>) -> Evaluated<'d> {
    if call.input.len() > 1 {
        return Err(not_single("an encoding", call.at));
    }
    let Some(text) = call.run.text(&call.input, "an encoding", call.at)? else { return Ok(Collection::new()) };
    let Some(scheme) = call.run.text(&call.argument(0)?, "an encoding", call.at)? else { return Ok(Collection::new()) };
    call.run.check_length(text.len().saturating_mul(2), call.at)?;
    let result = match (coding, scheme.as_ref()) {
        (Coding::Encode, "hex") => Some(text.bytes().map(|byte| format!("{byte:02x}")).collect()),
        (Coding::Encode, "base64") => Some(to_base64(text.as_bytes(), STANDARD)),
        (Coding::Encode, "urlbase64") => Some(to_base64(text.as_bytes(), URL)),
        (Coding::Decode, "hex") => from_hex(&text).and_then(|bytes| String::from_utf8(bytes).ok()),
        (Coding::Decode, "base64") => from_base64(&text, STANDARD).and_then(|bytes| String::from_utf8(bytes).ok()),
        (Coding::Decode, "urlbase64") => from_base64(&text, URL).and_then(|bytes| String::from_utf8(bytes).ok()),
        (Coding::Escape, "html") => Some(escape_html(&text)),
        (Coding::Escape, "json") => Some(escape_json(&text)),
        (Coding::Unescape, "html") => Some(unescape_html(&text)),
        (Coding::Unescape, "json") => unescape_json(&text),
        (Coding::Encode | Coding::Decode | Coding::Escape | Coding::Unescape, _) => return Err(scheme_fault(call)),
    };
    let origin = call.input.first().and_then(Item::origin);
    Ok(result.map_or(Collection::new(), |text| string(text, origin)))
}

fn scheme_fault(call: &Call<'_, '_, '_>) -> Failure {
    call.type_fault("encodings are `hex`, `base64` and `urlbase64`, escapes `html` and `json`")
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn to_base64(bytes: &[u8], alphabet: &[u8; 64]) -> String {
    let mut encoded = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0u32, |group, byte| (group << 8) | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let letter = alphabet.get((group >> (18 - 6 * place) & 63) as usize).copied().unwrap_or(b'=');
            encoded.push(if place <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    encoded
}

fn from_base64(text: &str, alphabet: &[u8; 64]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut group, mut bits) = (0u32, 0u32);
    for byte in text.trim_end_matches('=').bytes() {
        let value = alphabet.iter().position(|letter| *letter == byte)? as u32;
        group = (group << 6) | value;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((group >> bits & 0xFF) as u8);
        }
    }
    Some(bytes)
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let bytes = text.as_bytes();
    if !bytes.len().is_multiple_of(2) || !bytes.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    bytes.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

fn escape_html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(letter),
        }
    }
    escaped
}

fn unescape_html(text: &str) -> String {
    // The ampersand last, so that nothing is unescaped twice.
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&")
}

fn escape_json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or("").to_owned()
}

/// What is not valid JSON gives nothing. Quotation marks may stand as they are: they cannot end anything here.
fn unescape_json(text: &str) -> Option<String> {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    let mut escaped = false;
    for letter in text.chars() {
        if letter == '"' && !escaped {
            quoted.push('\\');
        }
        escaped = letter == '\\' && !escaped;
        quoted.push(letter);
    }
    quoted.push('"');
    serde_json::from_str(&quoted).ok()
}
