//! A server that keeps every byte it is sent and answers what the test tells it to.
//!
//! No HTTP library stands between the program and the assertions. A thread for each connection; an answer may block.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// One request as it arrived.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    /// Path and query.
    pub target: String,
    /// In their order, with their names as they were written.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{name} is there twice: {:?}", self.headers);
        value
    }

    pub fn is_sign_in(&self) -> bool {
        self.target.ends_with("/oauth2/v2.0/token")
    }

    /// As the report's `request` column writes it.
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }
}

pub enum Answer {
    Reply {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: String,
    },
    /// Close the connection without a word.
    HangUp,
}

impl Answer {
    pub fn status(status: u16) -> Self {
        Self::Reply { status, headers: Vec::new(), body: String::new() }
    }

    pub fn no_content() -> Self {
        Self::Reply { status: 204, headers: vec![("request-id", REQUEST_ID.to_owned())], body: String::new() }
    }

    pub fn json(status: u16, body: impl Into<String>) -> Self {
        Self::Reply { status, headers: vec![("Content-Type", "application/json".to_owned())], body: body.into() }
    }

    pub fn token(token: &str) -> Self {
        Self::json(200, format!(r#"{{"token_type":"Bearer","expires_in":3599,"access_token":"{token}"}}"#))
    }
}

/// The `request-id` of [`Answer::no_content`].
pub const REQUEST_ID: &str = "5e41ce1d-0000-4000-8000-000000000204";

pub struct Recorder {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Recorder {
    /// `answer` gets each request and how many came before it.
    pub fn start(answer: impl Fn(&Seen, usize) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let recorder = Self { address: listener.local_addr().unwrap(), seen: Arc::default() };
        let (seen, answer) = (Arc::clone(&recorder.seen), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                thread::spawn(move || serve(stream, &seen, &*answer));
            }
        });
        recorder
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The flags that point the program here, for Graph and for sign-in.
    pub fn flags(&self) -> [String; 4] {
        ["--graph-url".into(), self.url(), "--login-url".into(), self.url()]
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Everything but sign-in.
    pub fn to_graph(&self) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| !seen.is_sign_in()).collect()
    }
}

fn serve(stream: TcpStream, seen: &Mutex<Vec<Seen>>, answer: &dyn Fn(&Seen, usize) -> Answer) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut writer = stream;
    while let Some(request) = read(&mut reader) {
        let before = {
            let mut seen = seen.lock().unwrap();
            seen.push(request.clone());
            seen.len() - 1
        };
        let Answer::Reply { status, headers, body } = answer(&request, before) else { return };
        let mut reply = format!("HTTP/1.1 {status} Whatever\r\n");
        headers.iter().for_each(|(name, value)| reply += &format!("{name}: {value}\r\n"));
        if status != 204 {
            reply += &format!("Content-Length: {}\r\n", body.len());
        }
        if writer.write_all(format!("{reply}\r\n{body}").as_bytes()).is_err() {
            return;
        }
    }
}

/// The next request, unless the connection ends. Without a Content-Length there is no body; a test looks for chunks.
fn read(reader: &mut impl BufRead) -> Option<Seen> {
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
        Some(line.trim_end_matches("\r\n").to_owned())
    };
    let first = line()?;
    let mut parts = first.split(' ');
    let (method, target) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    assert_eq!(parts.next(), Some("HTTP/1.1"), "{first}");
    let mut headers = Vec::new();
    loop {
        let line = line()?;
        match line.split_once(": ") {
            Some((name, value)) => headers.push((name.to_owned(), value.to_owned())),
            None => break,
        }
    }
    let mut seen = Seen { method, target, headers, body: Vec::new() };
    let length = seen.header("content-length").map_or(0, |length| length.parse().unwrap());
    seen.body.resize(length, 0);
    reader.read_exact(&mut seen.body).ok()?;
    Some(seen)
}
