//! Faults in the text itself, which no value shows.

use super::fault::Faults;
use super::sites::Layout;

/// Adds them: each sample's first member after its type stands for all.
pub fn add_all(faults: &mut Faults<'_>, layout: &Layout) {
    let whole = faults.value.to_string();
    let type_name = faults.value["resourceType"].as_str().unwrap_or_default().to_owned();
    let Some(first) = layout.sites.first() else { return };
    let member = format!("\"{}\":", first.name);
    let Some(value) = faults.value.get(&first.name).map(ToString::to_string) else { return };
    let twice = whole.replacen(&member, &format!("{member}{value},{member}"), 1);
    let at = first.expression.split('[').next().unwrap_or_default().to_owned();
    faults.add_text("member twice", &first.name, "json.duplicate-key", at, twice);
    let mut add = |kind, rule, at: &str, text: String| faults.add_text(kind, kind, rule, at, text);
    add("text cut off", "json.syntax", &type_name, whole[..whole.len() - 1].to_owned());
    add("comma too many", "json.syntax", &type_name, whole[..whole.len() - 1].to_owned() + ",}");
    add("something after the end", "json.syntax", &type_name, whole.clone() + " {}");
    add("list in the place of a resource", "json.not-object", "", format!("[{whole}]"));
    add("comment", "json.syntax", &type_name, whole.replacen(',', ", // not JSON\n", 1));
    let lone = whole.replacen('{', "{\"language\":\"en\\ud800\",", 1);
    add("half a character", "json.lone-surrogate", &format!("{type_name}.language"), lone);
}
