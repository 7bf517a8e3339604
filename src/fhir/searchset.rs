//! Search results as a Bundle, from resources that are JSON already.

use super::render::write_string;
use std::fmt::Write;

/// Why a resource is among the results (R4 value set `search-entry-mode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchMode {
    /// It matched the search.
    Match,
    /// A match refers to it.
    Include,
    /// It is an OperationOutcome about the search.
    Outcome,
}

impl SearchMode {
    /// The FHIR code.
    pub fn as_str(self) -> &'static str {
        match self {
            SearchMode::Match => "match",
            SearchMode::Include => "include",
            SearchMode::Outcome => "outcome",
        }
    }
}

/// One resource of a search result.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// The absolute address of the resource; none for an OperationOutcome, which has no address.
    pub full_url: Option<&'a str>,
    /// The resource as one JSON object; it is written as it is.
    pub json: &'a str,
    /// Why it is here.
    pub mode: SearchMode,
}

/// A Bundle of type `searchset` as JSON.
///
/// `total` counts all matches, on all pages; `self_link` is the search as it was understood, `next_link` the address
/// of the following page. A search that found nothing has `total` 0 and no entries.
pub fn searchset(entries: &[Found<'_>], total: Option<u64>, self_link: &str, next_link: Option<&str>) -> String {
    let size: usize = entries.iter().map(|entry| entry.json.len() + 160).sum();
    let mut text = String::with_capacity(size + 400);
    text.push_str(r#"{"resourceType":"Bundle","type":"searchset""#);
    if let Some(total) = total {
        let _ = write!(text, r#","total":{total}"#);
    }
    text.push_str(r#","link":["#);
    write_link(&mut text, "self", self_link);
    if let Some(next) = next_link {
        text.push(',');
        write_link(&mut text, "next", next);
    }
    text.push(']');
    for (number, entry) in entries.iter().enumerate() {
        text.push_str(if number == 0 { r#","entry":[{"# } else { ",{" });
        if let Some(url) = entry.full_url {
            text.push_str(r#""fullUrl":"#);
            write_string(&mut text, url);
            text.push(',');
        }
        let mode = entry.mode.as_str();
        let _ = write!(text, r#""resource":{},"search":{{"mode":"{mode}"}}}}"#, entry.json);
    }
    text.push_str(if entries.is_empty() { "}" } else { "]}" });
    text
}

fn write_link(text: &mut String, relation: &str, url: &str) {
    let _ = write!(text, r#"{{"relation":"{relation}","url":"#);
    write_string(text, url);
    text.push('}');
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn a_page_of_results_has_links_total_and_modes() {
        let entries = [
            Found {
                full_url: Some("https://stile.test/fhir/Appointment/1"),
                json: r#"{"resourceType":"Appointment","id":"1"}"#,
                mode: SearchMode::Match,
            },
            Found { full_url: None, json: r#"{"resourceType":"OperationOutcome"}"#, mode: SearchMode::Outcome },
        ];
        let text = searchset(&entries, Some(12), "https://stile.test/fhir/Appointment?a=\"b\"", Some("next?page=2"));
        let bundle: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            bundle,
            json!({
                "resourceType": "Bundle",
                "type": "searchset",
                "total": 12,
                "link": [
                    {"relation": "self", "url": "https://stile.test/fhir/Appointment?a=\"b\""},
                    {"relation": "next", "url": "next?page=2"},
                ],
                "entry": [
                    {
                        "fullUrl": "https://stile.test/fhir/Appointment/1",
                        "resource": {"resourceType": "Appointment", "id": "1"},
                        "search": {"mode": "match"},
                    },
                    {"resource": {"resourceType": "OperationOutcome"}, "search": {"mode": "outcome"}},
                ],
            })
        );
    }

    #[test]
    fn nothing_found_is_a_bundle_with_total_zero_and_no_entries() {
        let bundle: Value = serde_json::from_str(&searchset(&[], Some(0), "self", None)).unwrap();
        assert_eq!(bundle["total"], 0);
        assert!(bundle.get("entry").is_none());
        assert_eq!(bundle["link"].as_array().map(Vec::len), Some(1));
    }
}
