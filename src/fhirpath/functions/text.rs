//! Functions on text. Positions count characters, as FHIRPath asks.

use super::super::diagnostic::Failure;
use super::super::run::{Evaluated, not_single};
use super::super::table::Function;
use super::super::value::{Collection, Item, Value};
use super::Call;
use crate::document::Node;
use std::borrow::Cow;

fn string<'d>(text: impl Into<Cow<'d, str>>, origin: Option<Node<'d>>) -> Collection<'d> {
    Collection::from(Item::Value(Value::String(text.into()), origin))
}

fn integer<'d>(value: usize) -> Collection<'d> {
    Collection::value(Value::Integer(value as i64))
}

/// A part of a text, borrowed where the whole was.
fn part<'d>(text: &Cow<'d, str>, range: std::ops::Range<usize>) -> Cow<'d, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(range).unwrap_or("")),
        Cow::Owned(text) => Cow::Owned(text.get(range).unwrap_or("").to_owned()),
    }
}

/// Functions on one text.
pub(super) fn of_text<'d>(function: Function, call: &Call<'_, '_, 'd>) -> Evaluated<'d> {
    let Some(text) = call.run.text(&call.input, "a text function", call.at)? else { return Ok(Collection::new()) };
    let origin = call.input.first().and_then(Item::origin);
    call.run.spend(text.len() / 64, call.at)?;
    let words = |place: usize| call.run.text(&call.argument(place)?, "an argument", call.at);
    match function {
        Function::Length => return Ok(integer(text.chars().count())),
        Function::Upper => return Ok(string(text.to_uppercase(), origin)),
        Function::Lower => return Ok(string(text.to_lowercase(), origin)),
        Function::Trim => {
            let trimmed = text.trim();
            let start = trimmed.as_ptr().addr() - text.as_ptr().addr();
            return Ok(string(part(&text, start..start + trimmed.len()), origin));
        }
        Function::ToChars => {
            call.run.spend(text.len(), call.at)?;
            let one = |(start, letter): (usize, char)| part(&text, start..start + letter.len_utf8());
            let items = text.char_indices().map(one).map(|each| Item::Value(Value::String(each), origin));
            return Ok(items.collect());
        }
        Function::Substring => return substring(call, &text, origin),
        _ => {}
    }
    let Some(first) = words(0)? else { return Ok(Collection::new()) };
    let position = |at: Option<usize>| {
        let characters = at.and_then(|at| text.get(..at)).map(|before| before.chars().count() as i64);
        Collection::value(Value::Integer(characters.unwrap_or(-1)))
    };
    Ok(match function {
        Function::StartsWith => text.starts_with(first.as_ref()).into(),
        Function::EndsWith => text.ends_with(first.as_ref()).into(),
        Function::Contains => text.contains(first.as_ref()).into(),
        Function::IndexOf => position(text.find(first.as_ref())),
        Function::LastIndexOf => position(text.rfind(first.as_ref())),
        Function::Split => {
            call.run.spend(text.len(), call.at)?;
            let pieces = text.split(first.as_ref()).map(|piece| {
                let start = piece.as_ptr().addr() - text.as_ptr().addr();
                Item::Value(Value::String(part(&text, start..start + piece.len())), origin)
            });
            match first.is_empty() {
                // Between every two characters stands an empty text; none stands before the first or after the last.
                true => pieces.filter(|item| item.text().is_some_and(|text| !text.is_empty())).collect(),
                false => pieces.collect(),
            }
        }
        Function::Replace => {
            let Some(with) = words(1)? else { return Ok(Collection::new()) };
            let count = if first.is_empty() { text.chars().count() + 1 } else { text.matches(first.as_ref()).count() };
            call.run.check_length(text.len() + count.saturating_mul(with.len()), call.at)?;
            string(text.replace(first.as_ref(), &with), origin)
        }
        _ => Collection::new(),
    })
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
pub(super) fn matched<'d>(function: Function, pattern: &regex::Regex, call: &Call<'_, '_, 'd>) -> Evaluated<'d> {
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

// ---- encodings

/// `encode`, `decode`, `escape`, `unescape`.
pub(super) fn coded<'d>(function: Function, call: &Call<'_, '_, 'd>) -> Evaluated<'d> {
    if call.input.len() > 1 {
        return Err(not_single("an encoding", call.at));
    }
    let Some(text) = call.run.text(&call.input, "an encoding", call.at)? else { return Ok(Collection::new()) };
    let Some(scheme) = call.run.text(&call.argument(0)?, "an encoding", call.at)? else { return Ok(Collection::new()) };
    call.run.check_length(text.len().saturating_mul(2), call.at)?;
    let result = match (function, scheme.as_ref()) {
        (Function::Encode, "hex") => Some(text.bytes().map(|byte| format!("{byte:02x}")).collect()),
        (Function::Encode, "base64") => Some(to_base64(text.as_bytes(), STANDARD)),
        (Function::Encode, "urlbase64") => Some(to_base64(text.as_bytes(), URL)),
        (Function::Decode, "hex") => from_hex(&text).and_then(|bytes| String::from_utf8(bytes).ok()),
        (Function::Decode, "base64") => from_base64(&text, STANDARD).and_then(|bytes| String::from_utf8(bytes).ok()),
        (Function::Decode, "urlbase64") => from_base64(&text, URL).and_then(|bytes| String::from_utf8(bytes).ok()),
        (Function::Escape, "html") => Some(escape_html(&text)),
        (Function::Escape, "json") => Some(escape_json(&text)),
        (Function::Unescape, "html") => Some(unescape_html(&text)),
        (Function::Unescape, "json") => serde_json::from_str(&format!("\"{text}\"")).ok(),
        _ => return Err(scheme_fault(call)),
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
