//! A server with the routes of the Hugging Face hub that a fetch uses. Like the real one, it redirects requests for
//! weights to another host with other etags.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sha2::{Digest, Sha256};

/// The commit of every repository.
pub(crate) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// What goes wrong when the weights are requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HubFault {
    Nothing,
    /// Half of them is sent, once, and then nothing while the connection stays open.
    Stalls,
    /// Half of them is sent, once, and the connection ends.
    BreaksOff,
    /// They do not match their checksum.
    Corrupt,
    /// The hub reports a size larger than any disk.
    Huge,
}

struct State {
    files: BTreeMap<String, Vec<u8>>,
    fault: Mutex<HubFault>,
    /// Every request: path, range, whether it had the token `secret`.
    requests: Mutex<Vec<(String, String, bool)>>,
}

pub(crate) struct FakeHub {
    pub(crate) address: String,
    state: Arc<State>,
}

impl FakeHub {
    /// Serves the files of `folder` as `tiny/open` and, with the token `secret`, as `tiny/gated`.
    pub(crate) fn start(folder: &Path, fault: HubFault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let entries = std::fs::read_dir(folder).unwrap().flatten();
        let mut files: BTreeMap<String, Vec<u8>> = entries
            .map(|entry| {
                let name = entry.file_name().into_string().unwrap();
                (name, std::fs::read(entry.path()).unwrap())
            })
            .collect();
        // A file that is not needed, and a name that leaves the folder.
        files.insert("onnx/model.safetensors".into(), b"no".to_vec());
        files.insert("../model.safetensors".into(), b"no".to_vec());
        let state = State { files, fault: Mutex::new(fault), requests: Mutex::default() };
        let state = Arc::new(state);
        let served = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = served.clone();
                // The client may close the connection.
                std::thread::spawn(move || serve(&state, stream).unwrap_or(()));
            }
        });
        Self { address, state }
    }

    /// The ranges of the requests for weights, before their redirection.
    pub(crate) fn ranges(&self) -> Vec<String> {
        let requests = self.state.requests.lock().unwrap();
        let weights = requests.iter().filter(|(path, ..)| path.ends_with("model.safetensors"));
        weights.map(|(_, range, _)| range.clone()).collect()
    }

    /// Whether each request to the hub itself had the token.
    pub(crate) fn authorized(&self) -> Vec<bool> {
        let requests = self.state.requests.lock().unwrap();
        let here = requests.iter().filter(|(path, ..)| !path.starts_with("/cdn/"));
        here.map(|(.., token)| *token).collect()
    }
}

/// The name of a file in the cache.
pub(crate) fn sha256(content: &[u8]) -> String {
    let mut hex = String::new();
    for byte in Sha256::digest(content) {
        write!(hex, "{byte:02x}").unwrap();
    }
    hex
}

fn serve(state: &State, mut stream: TcpStream) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let (mut range, mut token) = (String::new(), false);
    while let Some(line) = lines.next().transpose()?.filter(|line| !line.is_empty()) {
        let lower = line.to_lowercase();
        if let Some(value) = lower.strip_prefix("range: bytes=") {
            value.clone_into(&mut range);
        }
        token |= lower == "authorization: bearer secret";
    }
    state.requests.lock().unwrap().push((path.clone(), range.clone(), token));
    let id = if path.contains("tiny/gated") { "tiny/gated" } else { "tiny/open" };
    if !path.contains("tiny/open") && !path.contains("tiny/gated") {
        return stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    }
    if id == "tiny/gated" && !token && !path.starts_with("/cdn/") {
        return stream.write_all(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
    }
    if path.starts_with("/api/") {
        let body = listing(state);
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n", body.len());
        return stream.write_all(format!("{head}Connection: close\r\n\r\n{body}").as_bytes());
    }
    let (place, name) = path.rsplit_once('/').unwrap_or_default();
    let name = name.split('?').next().unwrap_or_default();
    let Some(content) = state.files.get(name) else {
        return stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    };
    let elsewhere = place.starts_with("/cdn/");
    if name.ends_with(".safetensors") && !elsewhere {
        let port = stream.local_addr()?.port();
        let mut head =
            "HTTP/1.1 302 Found\r\nConnection: close\r\nContent-Length: 0\r\n".to_owned();
        write!(head, "X-Repo-Commit: {COMMIT}\r\nX-Linked-Etag: \"{}\"\r\n", sha256(content))
            .unwrap();
        write!(head, "Location: http://localhost:{port}/cdn/{id}/{name}?signed\r\n\r\n").unwrap();
        return stream.write_all(head.as_bytes());
    }
    let mut content = content.clone();
    let etag = if elsewhere { "another etag".to_owned() } else { sha256(&content) };
    let weights = name.ends_with(".safetensors");
    let mut fault = state.fault.lock().unwrap();
    if weights && *fault == HubFault::Corrupt {
        content[1000] ^= 1;
    }
    let (from, to) = range.split_once('-').unwrap_or(("0", ""));
    let from: usize = from.parse().unwrap_or(0);
    let end = to.parse().map_or(content.len(), |to: usize| (to + 1).min(content.len()));
    let mut head = "HTTP/1.1 206 Partial Content\r\nConnection: close\r\n".to_owned();
    write!(head, "X-Repo-Commit: {COMMIT}\r\nETag: \"{etag}\"\r\n").unwrap();
    write!(head, "Content-Range: bytes {from}-{}/{}\r\n", end - 1, content.len()).unwrap();
    write!(head, "Content-Length: {}\r\n\r\n", end - from).unwrap();
    stream.write_all(head.as_bytes())?;
    let half = content.len() / 2;
    let whole = end == content.len() && from < half;
    match *fault {
        HubFault::Stalls | HubFault::BreaksOff if weights && whole => {
            let stalls = std::mem::replace(&mut *fault, HubFault::Nothing) == HubFault::Stalls;
            drop(fault);
            stream.write_all(&content[from..half])?;
            stream.flush()?;
            if stalls {
                std::thread::sleep(Duration::from_secs(60));
            }
            Ok(())
        }
        _ => stream.write_all(&content[from..end]),
    }
}

fn listing(state: &State) -> String {
    let huge = *state.fault.lock().unwrap() == HubFault::Huge;
    let siblings = state.files.iter().map(|(name, content)| {
        let weights = name.ends_with(".safetensors");
        let size = if weights && huge { 1 << 60 } else { content.len() as u64 };
        let mut file = serde_json::json!({
            "rfilename": name, "size": size, "blobId": sha256(content),
        });
        if weights {
            file["lfs"] = serde_json::json!({ "sha256": sha256(content), "size": size });
        }
        file
    });
    let siblings: Vec<_> = siblings.collect();
    serde_json::json!({ "sha": COMMIT, "siblings": siblings }).to_string()
}
