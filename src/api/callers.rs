//! Who asks: a key is proved, a [`Caller`] comes of it. Without one no handler that takes a `&Caller` can be called.

use crate::access::Caller;
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// Octets of a key at most. Our own keys have 32 random ones in base64; nothing sensible is longer.
const KEY_OCTETS_MAX: usize = 512;

/// The callers that the gateway knows, by the SHA-256 of their keys.
///
/// What is looked up is the digest of what was sent, which a caller cannot steer, so the time of the look-up tells
/// nothing about the keys that are there; and no key itself is kept, so none can be read out of the process's settings.
#[derive(Clone, Default)]
pub struct Callers(HashMap<[u8; 32], Caller>);

impl FromIterator<([u8; 32], Caller)> for Callers {
    fn from_iter<I: IntoIterator<Item = ([u8; 32], Caller)>>(callers: I) -> Self {
        Callers(callers.into_iter().collect())
    }
}

impl Callers {
    /// The caller whose key the request proves. Tokens of another kind (JWT) will be judged here too.
    pub(super) fn prove(&self, headers: &HeaderMap) -> Option<&Caller> {
        let mut credentials = headers.get_all(AUTHORIZATION);
        let (credential, more) = (credentials.next(), credentials.next());
        let key = credential.filter(|_| more.is_none()).and_then(|value| bearer(value.as_bytes()));
        // A digest is made in any case, so that a missing key takes as long as a wrong one.
        let digest: [u8; 32] = Sha256::digest(key.unwrap_or_default()).into();
        self.0.get(&digest).filter(|_| key.is_some())
    }
}

/// The key in `Bearer KEY` (RFC 6750, 2.1; the scheme's name in any case, RFC 9110, 11.1).
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = value.split_at_checked(7)?;
    let key = rest.trim_ascii();
    let fits = !key.is_empty() && key.len() <= KEY_OCTETS_MAX && key.iter().all(u8::is_ascii_graphic);
    (scheme.eq_ignore_ascii_case(b"bearer ") && fits).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Grant;
    use actix_web::http::header::HeaderValue;

    #[test]
    fn a_caller_is_known_by_one_bearer_key_and_by_nothing_else() {
        let caller = Caller { name: "portal".into(), sender: "s".into(), grant: Grant::default() };
        let callers: Callers = [(Sha256::digest(b"right").into(), caller.clone())].into_iter().collect();
        let empty_key: Callers = [(Sha256::digest(b"").into(), caller)].into_iter().collect();
        let proved = |callers: &Callers, values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, HeaderValue::from_bytes(value.as_bytes()).unwrap());
            }
            callers.prove(&headers).is_some()
        };
        for (values, known) in [
            (&["Bearer right"][..], true),
            (&["bearer  right"], true),
            (&["Bearer wrong"], false),
            (&["Basic right"], false),
            (&["right"], false),
            (&["Bearer "], false),
            (&["Bearer right right"], false),
            (&["Bearer right", "Bearer right"], false),
            (&[], false),
            (&["Bé"], false),
        ] {
            assert_eq!(proved(&callers, values), known, "{values:?}");
        }
        assert!(!proved(&empty_key, &[]) && !proved(&empty_key, &["Bearer "]), "no key is not the empty key");
    }
}
