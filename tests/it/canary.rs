//! A canary: made-up identities go through every route, in good bodies and bad ones, in addresses, queries and
//! headers. No log line, metric, refusal or `Debug` output may show one.

mod printed;
mod program;
mod routes;

/// Who does not exist. Each piece is one that nothing else in the program could say.
pub const NHS_NUMBER: &str = "9998123453";
pub const FAMILY: &str = "Canaryson";
pub const GIVEN: &str = "Quillfeather";
pub const BORN: &str = "1931-07-13";
pub const STREET: &str = "17 Birdcage Walkway";
pub const POSTCODE: &str = "ZZ99 3CZ";
pub const PHONE: &str = "01632960417";
pub const NOTE: &str = "sings only at daybreak";
pub const REASON: &str = "moulting this fortnight";

/// Whatever of the canary a text shows.
pub fn shown_in(text: &str) -> Vec<&'static str> {
    // As it would stand in text, in a percent-encoded address, and as people write NHS numbers.
    const PIECES: [&str; 13] = [
        NHS_NUMBER,
        "999 812 3453",
        "999-812-3453",
        FAMILY,
        GIVEN,
        BORN,
        STREET,
        "Birdcage%20",
        "Birdcage+",
        POSTCODE,
        PHONE,
        NOTE,
        REASON,
    ];
    let text = text.to_lowercase();
    PIECES.into_iter().filter(|piece| text.contains(&piece.to_lowercase())).collect()
}

#[test]
fn the_canary_would_be_heard() {
    assert!(shown_in("nothing to hear, 9990000018").is_empty());
    assert_eq!(shown_in("GET /?q=9998123453 CANARYSON").len(), 2);
    assert!(stile::model::NhsNumber::parse(NHS_NUMBER).is_ok(), "a number that is refused at once proves little");
}
