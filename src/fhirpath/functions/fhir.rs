//! What FHIR adds to FHIRPath, and the functions that look beyond the input.

use super::super::moment::Moment;
use super::super::run::Evaluated;
use super::super::value::{Collection, Item, Value};
use super::{Call, Failure};
use crate::document::Node;

/// `extension(url)`.
pub(super) fn extension<'d>(call: Call<'_, '_, 'd>) -> Evaluated<'d> {
    let Some(url) = call.text_argument(0, "`extension()`")? else { return Ok(Collection::new()) };
    let mut found = Collection::new();
    for node in call.input.iter().filter_map(Item::node) {
        for child in node.children() {
            call.run.spend(1, call.at)?;
            let is_wanted = || child.child_named("url").and_then(|own| own.string()) == Some(url.as_ref());
            if child.name() == "extension" && is_wanted() {
                found.push(Item::Node(child));
            }
        }
    }
    Ok(found)
}

/// `hasValue()`: one primitive, with a value and not extensions only.
pub(super) fn has_value<'d>(call: &Call<'_, '_, 'd>) -> Evaluated<'d> {
    Ok(match call.input.items() {
        [Item::Node(node)] => node.value().is_some(),
        [Item::Value(..)] => true,
        _ => false,
    }
    .into())
}

/// `getValue()`: the value as one of FHIRPath's own types.
pub(super) fn get_value<'d>(call: &Call<'_, '_, 'd>) -> Evaluated<'d> {
    let Some(item) = call.input.single() else { return Ok(Collection::new()) };
    let lifted = super::super::typing::operand(item, call.run.context);
    Ok(lifted.map(|lifted| Item::Value(lifted.value, item.origin())).into())
}

pub(super) fn trace<'d>(call: Call<'_, '_, 'd>) -> Evaluated<'d> {
    if let Some(listener) = call.run.context.trace {
        let name = call.run.text(&call.argument(0)?, "`trace()`", call.at)?.unwrap_or_default();
        match call.arguments.len() {
            1 => listener(&name, &call.input),
            _ => {
                let mut told = Collection::new();
                for (index, item) in call.input.iter().enumerate() {
                    told.append(call.over(1, item, index)?);
                }
                listener(&name, &told);
            }
        }
    }
    Ok(call.input)
}

/// What `now()`, `today()` and `timeOfDay()` are made of: the same throughout one evaluation.
pub(super) fn now(call: &Call<'_, '_, '_>) -> Result<Moment, Failure> {
    call.run.context.now.ok_or_else(|| {
        let message = "the time was asked for, and the caller gave none";
        Failure::new("fhirpath.no-time", message, call.at.clone())
    })
}

/// `resolve()`: first among the contained resources, then by the context's resolver. What is not found is left out.
pub(super) fn resolve<'d>(call: &Call<'_, '_, 'd>) -> Evaluated<'d> {
    let mut found = Collection::new();
    for item in &call.input {
        call.run.spend(1, call.at)?;
        let text = match item {
            Item::Node(node) if node.value().is_none() => {
                node.child_named("reference").and_then(|reference| reference.string()).map(Into::into)
            }
            Item::Node(_) | Item::Value(..) => item.text(),
        };
        let Some(text) = text else { continue };
        let target = match text.strip_prefix('#') {
            Some("") => Some(call.run.context.root),
            Some(id) => contained(call.run.context.root, id).or_else(|| contained(call.run.context.resource, id)),
            None => call.run.context.resolver.and_then(|resolver| resolver(&text)),
        };
        found.append(target.map(Item::Node).into());
    }
    Ok(found)
}

fn contained<'d>(resource: Node<'d>, id: &str) -> Option<Node<'d>> {
    let own_id = |node: &Node<'d>| node.child_named("id").and_then(|own| own.string()) == Some(id);
    resource.children().filter(|child| child.name() == "contained").find(own_id)
}

/// `htmlChecks()`: the narrative is one `div` that says something and has nothing active in it (`txt-1`, `txt-2`).
/// The full grammar of the narrative is the profile layer's to check.
pub(super) fn html_checks<'d>(call: &Call<'_, '_, 'd>) -> Evaluated<'d> {
    const ACTIVE: &[&str] =
        &["<script", "<iframe", "<object", "<embed", "<form", "<input", "<link", "<base", "<frame", "<head", "<body"];
    let Some(Value::String(text)) = call.single("`htmlChecks()`")?.and_then(Item::value) else {
        return Ok(Collection::new());
    };
    // Every needle is looked for once.
    call.run.spend(1 + text.len() / 8, call.at)?;
    let lower = text.trim().to_ascii_lowercase();
    let is_div = lower.starts_with("<div") && (lower.ends_with("</div>") || lower.ends_with("/>"));
    let says = says_something(&lower);
    let harmless =
        !ACTIVE.iter().any(|tag| lower.contains(tag)) && !lower.contains("javascript:") && !has_handler(&lower);
    Ok((is_div && says && harmless).into())
}

/// `htmlChecks2()`: the narrative has some content that is no blank (`txt-2`).
pub(super) fn html_says_something<'d>(call: &Call<'_, '_, 'd>) -> Evaluated<'d> {
    let Some(Value::String(text)) = call.single("`htmlChecks2()`")?.and_then(Item::value) else {
        return Ok(Collection::new());
    };
    call.run.spend(1 + text.len() / 16, call.at)?;
    Ok(says_something(&text.to_ascii_lowercase()).into())
}

/// Some character that is no blank stands outside the tags, or an image does.
fn says_something(text: &str) -> bool {
    if text.contains("<img") {
        return true;
    }
    let mut inside_tag = false;
    text.chars().any(|letter| {
        match letter {
            '<' => inside_tag = true,
            '>' => inside_tag = false,
            _ => return !inside_tag && !letter.is_whitespace(),
        }
        false
    })
}

/// An attribute such as `onclick=` inside a tag.
fn has_handler(text: &str) -> bool {
    text.split('<').skip(1).any(|tag| {
        let tag = tag.split('>').next().unwrap_or("");
        tag.split_ascii_whitespace().skip(1).any(|attribute| {
            attribute.strip_prefix("on").is_some_and(|rest| {
                let letters = rest.bytes().take_while(u8::is_ascii_lowercase).count();
                letters > 0 && rest.get(letters..).is_some_and(|rest| rest.starts_with('='))
            })
        })
    })
}
