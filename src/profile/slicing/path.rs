//! The restricted FHIRPath of discriminators: names with points between them, `$this`, `extension('url')`,
//! `resolve()` and `ofType(Type)`.

/// A step of a discriminator's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PathStep<'t> {
    /// A child of this name.
    Child(&'t str),
    /// Extensions of this url.
    Extension(&'t str),
    /// What a reference points at.
    Resolve,
    /// Only what has this type.
    OfType(&'t str),
}

/// The steps of a path, `$this` left out; none when it is not of the restricted form.
pub(super) fn steps(path: &str) -> Option<Vec<PathStep<'_>>> {
    let mut steps = Vec::new();
    let mut rest = path.trim();
    while !rest.is_empty() {
        let (step, after) = first(rest)?;
        steps.extend(step);
        let after = after.trim_start();
        rest = match after.strip_prefix('.') {
            Some(more) if !more.trim().is_empty() => more.trim_start(),
            None if after.is_empty() => "",
            Some(_) | None => return None,
        };
    }
    Some(steps)
}

/// The first step and the text after it.
fn first(text: &str) -> Option<(Option<PathStep<'_>>, &str)> {
    if let Some(rest) = text.strip_prefix("$this") {
        return Some((None, rest));
    }
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '[' | ']'))).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end)?;
    if name.is_empty() {
        return None;
    }
    let Some(inner) = rest.strip_prefix('(') else {
        return Some((Some(PathStep::Child(name.strip_suffix("[x]").unwrap_or(name))), rest));
    };
    let (argument, rest) = inner.split_once(')')?;
    let argument = argument.trim();
    let step = match name {
        "extension" => PathStep::Extension(quoted(argument)?),
        "resolve" if argument.is_empty() => PathStep::Resolve,
        "ofType" | "as" if !argument.is_empty() => PathStep::OfType(argument.strip_prefix("FHIR.").unwrap_or(argument)),
        _ => return None,
    };
    Some((Some(step), rest))
}

fn quoted(text: &str) -> Option<&str> {
    let inner = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    inner('\'').or_else(|| inner('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paths_of_discriminators_are_read_and_others_refused() {
        use PathStep::*;
        let check = |path: &str, wanted: Option<Vec<PathStep>>| assert_eq!(steps(path), wanted, "{path}");
        check("$this", Some(vec![]));
        check("code.coding.system", Some(vec![Child("code"), Child("coding"), Child("system")]));
        check("$this.resolve()", Some(vec![Resolve]));
        check("extension('http://x.y/z.a').value", Some(vec![Extension("http://x.y/z.a"), Child("value")]));
        check("value.ofType(Quantity).unit", Some(vec![Child("value"), OfType("Quantity"), Child("unit")]));
        check("item.resolve().code", Some(vec![Child("item"), Resolve, Child("code")]));
        check("value[x]", Some(vec![Child("value")]));
        for strange in ["where(a = 1)", "a.", "a..b", "extension(url)", "a b", "a.first()", "(a as b)", "a|b"] {
            check(strange, None);
        }
    }
}
