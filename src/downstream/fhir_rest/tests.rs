//! The adapter against a receiver on a real socket, one that answers what a test tells it to.

use super::*;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;

const NUMBER: &str = "9990000018";

/// What the receiver does with a request that it has read whole.
#[derive(Clone)]
enum Deed {
    /// Writes this and closes in peace.
    Answer(String),
    /// Writes this, then resets the connection.
    AnswerAndReset(String),
    /// Says nothing until the caller is gone.
    Hang,
}

struct Receiver {
    address: SocketAddr,
    requests: mpsc::Receiver<String>,
}

/// Serves one connection after another with the same deed.
fn receiver(deed: Deed) -> Receiver {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (heard, requests) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let Some(request) = read_request(&stream) else { continue };
            if heard.send(request).is_err() {
                return;
            }
            serve(stream, &deed);
        }
    });
    Receiver { address, requests }
}

fn read_request(stream: &TcpStream) -> Option<String> {
    let mut reader = BufReader::new(stream);
    let (mut text, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        text.push_str(&line);
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(text + &String::from_utf8(body).ok()?)
}

fn serve(mut stream: TcpStream, deed: &Deed) {
    match deed {
        Deed::Answer(text) => stream.write_all(text.as_bytes()).unwrap_or_default(),
        Deed::AnswerAndReset(text) => {
            stream.write_all(text.as_bytes()).unwrap_or_default();
            stream.flush().unwrap_or_default();
            // Dropping here closes before the announced end of the body.
        }
        Deed::Hang => {
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest);
        }
    }
}

fn answer(status: &str, headers: &str, body: &str) -> Deed {
    Deed::Answer(format!(
        "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    ))
}

fn settings(base: String) -> FhirRestSettings {
    FhirRestSettings {
        base,
        bearer: Some(Secret::from("open-sesame")),
        connect_timeout_ms: 1_000,
        total_timeout_ms: 400,
        answer_bytes_max: 2_000,
        allow_private: true,
    }
}

fn message() -> Message {
    Message {
        id: "0197-message".into(),
        resource_type: "Task".into(),
        body: format!(
            r#"{{"resourceType":"Task","identifier":[{{"system":"urn:stile:request","value":"r-1"}}],"for":{{"identifier":{{"value":"{NUMBER}"}}}}}}"#
        ),
        correlation_id: "c-1".into(),
    }
}

async fn send_to(deed: Deed) -> (Answer, Receiver) {
    let receiver = receiver(deed);
    let rest = FhirRest::new(&settings(format!("http://{}/fhir/", receiver.address))).unwrap();
    (rest.send(&message()).await, receiver)
}

#[tokio::test]
async fn a_message_goes_out_as_a_conditional_create_that_is_the_same_on_every_try() {
    let receiver = receiver(answer("503 Service Unavailable", "Retry-After: 7\r\n", ""));
    let rest = FhirRest::new(&settings(format!("http://{}/fhir", receiver.address))).unwrap();
    let mut seen = Vec::new();
    for _ in 0..2 {
        let came = rest.send(&message()).await;
        assert!(matches!(came, Answer::Busy { retry_after_seconds: Some(7), .. }), "{came:?}");
        seen.push(receiver.requests.recv().unwrap());
    }
    assert_eq!(seen[0], seen[1]);
    let request = seen[0].to_ascii_lowercase();
    for line in [
        "post /fhir/task http/1.1\r\n",
        "content-type: application/fhir+json\r\n",
        "accept: application/fhir+json\r\n",
        "if-none-exist: identifier=urn:stile:request|r-1\r\n",
        "x-request-id: 0197-message\r\n",
        "x-correlation-id: c-1\r\n",
        "authorization: bearer open-sesame\r\n",
    ] {
        assert!(request.contains(line), "{line} is not in {request}");
    }
    assert!(seen[0].ends_with(&message().body));
}

#[tokio::test]
async fn each_answer_on_the_wire_has_its_meaning() {
    let outcome = |code: &str| {
        format!(
            r#"{{"resourceType":"OperationOutcome","issue":[{{"severity":"error","code":"{code}","details":{{"text":"not for {NUMBER}"}}}}]}}"#
        )
    };
    for (deed, expected, words) in [
        (answer("201 Created", "Location: http://pas/fhir/Task/9\r\n", ""), "accepted", "http://pas/fhir/Task/9"),
        (answer("200 OK", "", r#"{"resourceType":"Task","id":"9"}"#), "accepted", "Task/9"),
        (answer("200 OK", "Content-Type: text/html\r\n", "<p>log in</p>"), "unanswered", "web page"),
        (answer("409 Conflict", "", &outcome("duplicate")), "accepted", ""),
        (answer("409 Conflict", "", &outcome("conflict")), "refused", "not for **********"),
        (answer("422 Unprocessable Entity", "", &outcome("business-rule")), "refused", "not for **********"),
        (answer("401 Unauthorized", "", ""), "busy", "credential"),
        (answer("404 Not Found", "", "<html>"), "busy", "no such endpoint"),
        (answer("500 Internal Server Error", "", ""), "busy", "fault"),
        (answer("302 Found", "Location: http://127.0.0.1:1/\r\n", ""), "busy", "redirects"),
        (answer("201 Created", "", &"x".repeat(50_000)), "accepted", ""),
        (answer("400 Bad Request", "", &outcome(&"x".repeat(50_000))), "busy", "without an OperationOutcome"),
        (
            Deed::AnswerAndReset("HTTP/1.1 422 No\r\nContent-Length: 900\r\n\r\n{\"resourceType\":".into()),
            "unanswered",
            "broke off",
        ),
        (Deed::AnswerAndReset("HTTP/1.1 201 Created\r\nContent-Length: 900\r\n\r\n{".into()), "accepted", ""),
        (Deed::AnswerAndReset(String::new()), "unanswered", "broke before an answer"),
        (Deed::AnswerAndReset("SMTP ready\r\n".into()), "unanswered", "broke before an answer"),
        (Deed::Hang, "unanswered", "no answer in time"),
        (
            Deed::Answer("HTTP/1.1 422 No\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"res\r\n".into()),
            "unanswered",
            "broke off",
        ),
    ] {
        let (came, receiver) = send_to(deed).await;
        let said = match &came {
            Answer::Accepted { reference } => reference.clone().unwrap_or_default(),
            other => other.reason().unwrap_or_default().to_owned(),
        };
        assert_eq!(came.as_str(), expected, "{came:?}");
        assert!(said.contains(words), "{words:?} is not in {said:?}");
        assert!(!said.contains(NUMBER) && !said.contains("open-sesame"), "{said:?}");
        assert_eq!(receiver.requests.try_iter().count(), 1, "one try is one request: {came:?}");
    }
}

#[tokio::test]
async fn where_nobody_listens_the_message_did_not_reach() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for base in [format!("http://{free}/fhir"), "http://no-such-host.invalid/fhir".to_owned()] {
        let rest = FhirRest::new(&FhirRestSettings { total_timeout_ms: 20_000, ..settings(base.clone()) }).unwrap();
        let came = rest.send(&message()).await;
        assert_eq!(came.as_str(), "unreached", "{base}: {came:?}");
    }
}

#[tokio::test]
async fn a_tls_handshake_that_fails_did_not_reach_either() {
    let receiver = receiver(Deed::Hang);
    let base = format!("https://{}/fhir", receiver.address);
    let Ok(rest) = FhirRest::new(&FhirRestSettings { connect_timeout_ms: 200, ..settings(base) }) else {
        eprintln!("skipped: this machine has no root certificates");
        return;
    };
    let came = rest.send(&message()).await;
    assert_eq!(came.as_str(), "unreached", "{came:?}");
}

#[tokio::test]
async fn a_name_that_stands_for_a_private_address_is_not_called() {
    let receiver = receiver(answer("201 Created", "", ""));
    let base = format!("http://localhost:{}/fhir", receiver.address.port());
    // Past the rule that plain http is for private receivers only, to see the resolver do its part.
    let guarded = FhirRestSettings { allow_private: false, ..settings(base.clone()) };
    let rest = FhirRest::at(Url::parse(&base).unwrap(), &guarded).unwrap();
    let came = rest.send(&message()).await;
    assert!(came.reason().unwrap_or_default().contains("allow_private"), "{came:?}");
    assert_eq!(came.as_str(), "unreached");
    assert_eq!(receiver.requests.try_iter().count(), 0);
}

#[tokio::test]
async fn a_message_that_could_be_taken_twice_is_not_sent() {
    let receiver = receiver(answer("201 Created", "", ""));
    let rest = FhirRest::new(&settings(format!("http://{}/fhir", receiver.address))).unwrap();
    let came = rest.send(&Message { body: r#"{"resourceType":"Task"}"#.into(), ..message() }).await;
    assert_eq!(came.as_str(), "unreached");
    assert_eq!(receiver.requests.try_iter().count(), 0);
}

#[tokio::test]
async fn ids_from_a_caller_cannot_break_the_header() {
    let receiver = receiver(answer("201 Created", "", ""));
    let rest = FhirRest::new(&settings(format!("http://{}/fhir", receiver.address))).unwrap();
    let odd = Message { correlation_id: "a\r\nX-Evil: é1 ".into(), ..message() };
    assert_eq!(rest.send(&odd).await.as_str(), "accepted");
    assert!(receiver.requests.recv().unwrap().to_ascii_lowercase().contains("x-correlation-id: ax-evil:1\r\n"));
}

#[test]
fn a_base_that_cannot_be_meant_is_refused_when_it_is_set() {
    for (base, allow_private, expected) in [
        ("https://pas.example.nhs.uk/fhir", false, "ok"),
        ("http://pas.example.nhs.uk:8080/fhir/r4/", true, "ok"),
        ("http://pas.example.nhs.uk:8080/fhir/r4/", false, "PlainText"),
        ("http://127.0.0.1:9/fhir", true, "ok"),
        ("http://127.0.0.1:9/fhir", false, "Private"),
        ("http://2130706433/fhir", false, "Private"),
        ("http://0x7f.1/fhir", false, "Private"),
        ("http://[::1]/fhir", false, "Private"),
        ("http://[::ffff:10.0.0.1]/fhir", false, "Private"),
        ("http://169.254.169.254/latest", false, "Private"),
        ("ftp://pas.example.nhs.uk/fhir", false, "Scheme"),
        ("file:///etc/passwd", true, "Scheme"),
        ("https://user:pass@pas.example.nhs.uk/fhir", false, "Parts"),
        ("https://pas.example.nhs.uk/fhir?a=b", false, "Parts"),
        ("https://pas.example.nhs.uk/fhir#a", false, "Parts"),
        ("pas.example.nhs.uk/fhir", false, "Base"),
        ("", false, "Base"),
    ] {
        let came = match read_base(base, allow_private) {
            Ok(_) => "ok".to_owned(),
            Err(fault) => format!("{fault:?}"),
        };
        assert!(came.starts_with(expected), "{base}: {came}");
    }
    let faulty = FhirRestSettings { bearer: Some(Secret::from("a\nb")), ..settings("http://127.0.0.1/".into()) };
    assert!(matches!(FhirRest::new(&faulty), Err(FaultyDownstream::Bearer)));
    assert!(!format!("{:?}", settings(String::new())).contains("open-sesame"));
}
