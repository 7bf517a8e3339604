//! The wire between the gateway and the twin: it writes down what goes over it, and breaks when a test says so.
//!
//! Bytes are carried as they are, one exchange for each connection, so that what a test sees is what was sent.

// Two test programs share it, and neither breaks it in every way.
#![allow(dead_code)]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// How the wire is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Mode {
    /// Both ways.
    Whole,
    /// Nothing gets through, and the caller notices at once.
    Down,
    /// What is sent arrives; the answer is lost.
    AnswersLost,
    /// Nothing arrives, and the caller waits.
    Holds,
    /// What is sent arrives; the caller waits for the answer.
    HoldsAnswers,
    /// Somebody on the way, or the receiver itself, says this in place of an answer.
    Says(String),
}

/// A message that went over the wire, or tried to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The address after the host.
    pub path: String,
    /// `X-Request-Id`.
    pub message: String,
    /// `X-Correlation-Id`.
    pub correlation: String,
    /// `If-None-Exist`.
    pub if_none_exist: String,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

impl Sent {
    /// The gateway's id of the request that the message carries.
    pub fn request(&self) -> String {
        let body: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        body["identifier"][0]["value"].as_str().unwrap().to_owned()
    }
}

struct Shared {
    mode: Mutex<Mode>,
    sent: Mutex<Vec<Sent>>,
}

/// The wire.
pub struct Wire {
    address: SocketAddr,
    shared: Arc<Shared>,
    carrying: JoinHandle<()>,
}

impl Wire {
    /// A whole wire to `far`.
    pub async fn to(far: SocketAddr) -> Wire {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared { mode: Mutex::new(Mode::Whole), sent: Mutex::default() });
        let of_all = Arc::clone(&shared);
        let carrying = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let shared = Arc::clone(&of_all);
                tokio::spawn(async move { carry(near, far, &shared).await });
            }
        });
        Wire { address, shared, carrying }
    }

    /// The FHIR base at its near end.
    pub fn base(&self) -> String {
        format!("http://{}/fhir", self.address)
    }

    /// From now on it is whole.
    pub fn is_whole(&self) {
        self.set(Mode::Whole);
    }

    /// From now on nothing gets through.
    pub fn is_down(&self) {
        self.set(Mode::Down);
    }

    /// From now on what is sent arrives and no answer comes back.
    pub fn loses_answers(&self) {
        self.set(Mode::AnswersLost);
    }

    /// From now on what is sent stays on the wire: the caller waits, and nobody at the other end hears of it.
    pub fn holds(&self) {
        self.set(Mode::Holds);
    }

    /// From now on what is sent arrives, and its answer stays on the wire: the caller waits.
    pub fn holds_answers(&self) {
        self.set(Mode::HoldsAnswers);
    }

    /// From now on every message is answered with this status line and these headers, and goes no further.
    pub fn says(&self, status_and_headers: &[&str]) {
        self.set(Mode::Says(status_and_headers.join("\r\n")));
    }

    fn set(&self, mode: Mode) {
        *self.shared.mode.lock().unwrap() = mode;
    }

    /// What was sent so far, in order.
    pub fn sent(&self) -> Vec<Sent> {
        self.shared.sent.lock().unwrap().clone()
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.carrying.abort();
    }
}

/// One exchange. A connection that breaks is part of the game.
async fn carry(mut near: TcpStream, far: SocketAddr, shared: &Shared) {
    let Some(message) = read(&mut near).await else { return };
    shared.sent.lock().unwrap().push(message.sent());
    let mode = shared.mode.lock().unwrap().clone();
    let answer = match mode {
        Mode::Down => return,
        Mode::Holds => return until_given_up(&mut near).await,
        Mode::Says(words) => format!("HTTP/1.1 {words}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").into_bytes(),
        Mode::Whole | Mode::AnswersLost | Mode::HoldsAnswers => {
            let Ok(mut there) = TcpStream::connect(far).await else { return };
            if there.write_all(&message.bytes()).await.is_err() {
                return;
            }
            let Some(answer) = read(&mut there).await else { return };
            match mode {
                Mode::AnswersLost => return,
                Mode::HoldsAnswers => return until_given_up(&mut near).await,
                Mode::Whole | Mode::Down | Mode::Holds | Mode::Says(_) => {}
            }
            answer.closing().bytes()
        }
    };
    let _ = near.write_all(&answer).await;
    let _ = near.shutdown().await;
}

/// Waits until the caller goes away.
async fn until_given_up(near: &mut TcpStream) {
    let _ = near.read(&mut [0]).await;
}

/// An HTTP message: its head without the empty line, and its body.
struct Message {
    head: String,
    body: Vec<u8>,
}

impl Message {
    fn header(&self, name: &str) -> String {
        let mut lines = self.head.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
        let found = lines.find(|(known, _)| known.trim().eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    }

    fn sent(&self) -> Sent {
        Sent {
            path: self.head.split(' ').nth(1).unwrap_or_default().to_owned(),
            message: self.header("x-request-id"),
            correlation: self.header("x-correlation-id"),
            if_none_exist: self.header("if-none-exist"),
            body: self.body.clone(),
        }
    }

    /// The same message, saying that the connection ends with it.
    fn closing(mut self) -> Message {
        self.head.push_str("\r\nconnection: close");
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{}\r\n\r\n", self.head).into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// Reads one message whose body, if it has one, is announced by its length.
async fn read(stream: &mut TcpStream) -> Option<Message> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..head_end].to_vec()).ok()?;
    let mut message = Message { head, body: bytes[head_end + 4..].to_vec() };
    let length: usize = message.header("content-length").parse().unwrap_or(0);
    while message.body.len() < length {
        if stream.read_buf(&mut message.body).await.ok()? == 0 {
            return None;
        }
    }
    Some(message)
}
