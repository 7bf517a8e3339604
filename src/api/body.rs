//! A request's body, bounded.

use super::fault::Fault;
use crate::error::Error;
use crate::issue::{Issue, Rule};
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use actix_web::{HttpRequest, web};
use bytes::Bytes;

/// The whole body, when it has not more than `bytes_max`. A length that is announced is judged before a byte is read.
pub(super) async fn read(request: &HttpRequest, payload: web::Payload, bytes_max: usize) -> Result<Bytes, Fault> {
    let headers = request.headers();
    if headers.get_all(CONTENT_ENCODING).any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(Error::WrongMediaType("a compressed body is not taken".into()).into());
    }
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > bytes_max as u64) {
        return Err(Error::TooLarge(bytes_max).into());
    }
    match payload.to_bytes_limited(bytes_max).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => Err(Fault::malformed(
            Issue::new(Rule::Request, "The body ended before its end, or cannot be read").hint("send it again, whole"),
        )),
        Err(_) => Err(Error::TooLarge(bytes_max).into()),
    }
}
