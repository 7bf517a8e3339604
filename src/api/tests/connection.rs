//! Over a real connection.

use super::*;

/// One exchange over a real connection: what is sent, and everything that comes back until the server closes.
fn exchange(address: std::net::SocketAddr, sent: &[u8]) -> String {
    use std::io::{Read, Write};
    let mut connection = std::net::TcpStream::connect(address).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    // The server may refuse and close before all is sent; what it said is what counts.
    let _ = connection.write_all(sent);
    let mut received = Vec::new();
    let _ = connection.read_to_end(&mut received);
    String::from_utf8_lossy(&received).into_owned()
}

#[actix_web::test]
async fn over_a_real_connection_a_body_too_large_is_refused_in_words_and_head_has_no_body() {
    let folder = tempfile::tempdir().unwrap();
    let state = state(&folder);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = serve(state, listener, 1, 1000).unwrap();
    let handle = server.handle();
    let running = actix_web::rt::spawn(server);
    let head = |method: &str, uri: &str, more: &str| {
        format!("{method} {uri} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {KEY}\r\n{more}\r\n")
    };
    let post = "Content-Type: application/fhir+json\r\n";
    let announced = head("POST", "/fhir/Task", &format!("{post}Content-Length: 20971520\r\n"));
    let chunked = head("POST", "/fhir/Task", &format!("{post}Transfer-Encoding: chunked\r\n"))
        + &format!("1000\r\n{}\r\n", "x".repeat(4096)).repeat(4)
        + "0\r\n\r\n";
    for (sent, status, told) in [
        (announced, "413", "2000 bytes"),
        (chunked, "413", "2000 bytes"),
        (head("HEAD", "/fhir/Appointment/none", ""), "404", ""),
        (head("GET", "/fhir/Appointment/none", ""), "404", "There is no such resource"),
    ] {
        let is_head = sent.starts_with("HEAD");
        let started = std::time::Instant::now();
        let received = actix_web::rt::task::spawn_blocking(move || exchange(address, sent.as_bytes())).await.unwrap();
        assert!(started.elapsed() < Duration::from_secs(6), "the connection stayed open");
        assert!(received.starts_with(&format!("HTTP/1.1 {status}")), "{received}");
        assert!(received.contains(told) && received.contains("x-correlation-id"), "{received}");
        assert_eq!(received.trim_end().ends_with('}'), !is_head, "{received}");
    }
    handle.stop(true).await;
    running.await.unwrap().unwrap();
}
