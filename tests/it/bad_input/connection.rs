//! What only a bare connection can send: requests that no client library would.

use crate::house::{House, appointment};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

/// Sends bytes and no more, and gives all that comes back until the server closes.
fn exchange(base: &str, sent: &[u8]) -> String {
    let mut connection = TcpStream::connect(base.trim_start_matches("http://")).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    // The server may refuse and close before all is sent; what it says is what counts.
    let _ = connection.write_all(sent);
    let _ = connection.shutdown(Shutdown::Write);
    let mut received = Vec::new();
    let _ = connection.read_to_end(&mut received);
    String::from_utf8_lossy(&received).into_owned()
}

/// The cases below whose head can be read.
const TOLD: [&str; 6] = [
    "cut short",
    "announced longer than it is",
    "announced shorter than it is",
    "announced as nothing",
    "not announced",
    "chunks that end early",
];

#[actix_web::test]
async fn what_is_cut_short_or_misframed_is_never_taken_for_whole() {
    let house = House::open().await;
    let before = super::kept(&house);
    let body = appointment("bad", "666").to_string();
    let head = |more: &str| {
        format!(
            "PUT /fhir/Appointment/bad HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer portal-key\r\n\
             Content-Type: application/fhir+json\r\nConnection: close\r\n{more}\r\n"
        )
    };
    let length = body.len();
    let chunk = |text: &str| format!("{:x}\r\n{text}\r\n", text.len());
    let (half, rest) = body.split_at(length / 2);
    let cases: Vec<(&str, String)> = vec![
        ("cut short", head(&format!("Content-Length: {length}\r\n")) + half),
        ("announced longer than it is", head(&format!("Content-Length: {}\r\n", length + 10)) + &body),
        ("announced shorter than it is", head(&format!("Content-Length: {}\r\n", length / 2)) + &body),
        ("announced as nothing", head("Content-Length: 0\r\n")),
        ("not announced", head("") + &body),
        ("a length that is none", head("Content-Length: many\r\n") + &body),
        ("a negative length", head("Content-Length: -5\r\n") + &body),
        ("a length beyond counting", head("Content-Length: 99999999999999999999999\r\n") + &body),
        ("two lengths", head(&format!("Content-Length: {length}\r\nContent-Length: 5\r\n")) + &body),
        ("a length and chunks", head(&format!("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n")) + &body),
        ("chunks that end early", head("Transfer-Encoding: chunked\r\n") + &chunk(half)),
        ("a chunk that is none", head("Transfer-Encoding: chunked\r\n") + &chunk(half) + "zz\r\n" + rest),
        ("an encoding that nobody knows", head("Transfer-Encoding: rot13\r\n") + &body),
        (
            "a header without its end",
            format!("PUT /fhir/Appointment/bad HTTP/1.1\r\nHost: x\r\nX: {}", "y".repeat(100)),
        ),
        ("a head of a megabyte", head(&format!("X: {}\r\n", "y".repeat(1 << 20)))),
        ("very many headers", head(&"X: y\r\n".repeat(5_000))),
        ("a version that there is not", "PUT /fhir/Appointment/bad HTTP/9.9\r\n\r\n".to_owned()),
        ("no HTTP at all", "\u{1}\u{2}\u{3} hello\r\n\r\n".to_owned()),
    ];
    for (name, sent) in &cases {
        let (base, bytes) = (house.base.clone(), sent.clone().into_bytes());
        let answer = tokio::task::spawn_blocking(move || exchange(&base, &bytes)).await.unwrap();
        // A client that went away in the middle may get nothing; nobody gets a success or a 5xx.
        let status = answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..1)).unwrap_or("");
        assert!(answer.is_empty() || status == "4", "{name}: {answer}");
        // Where the head can be read, what is wrong with the body is told in FHIR's words; where not, HTTP's must do.
        let is_told = answer.contains("OperationOutcome");
        assert!(is_told || !TOLD.contains(name), "{name}: {answer}");
        assert_eq!(super::kept(&house), before, "{name}: something was kept");
        eprintln!("{name}: {}", answer.lines().next().unwrap_or("closed"));
    }
    assert!(cases.len() >= 18);
    // The same head with the whole body is taken: it was the framing that was refused.
    let (base, good) = (house.base.clone(), head(&format!("Content-Length: {length}\r\n")) + &body);
    let answer = tokio::task::spawn_blocking(move || exchange(&base, good.as_bytes())).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    house.close().await;
}
