//! Starts the real binary and talks to it in bytes.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test drives a process over sockets, and fails loudly"
)]

pub(crate) mod person;
pub(crate) mod socket;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Long enough for a busy machine; reached only when something hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A directory of its own, removed when dropped.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("wharf-test-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file into it.
    pub(crate) fn file(&self, name: &str, content: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// `wharf` with these arguments, and nothing of our own environment that it would read.
pub(crate) fn wharf<I: IntoIterator<Item: AsRef<std::ffi::OsStr>>>(arguments: I) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wharf"));
    command.args(arguments);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("WHARF_") {
            command.env_remove(name);
        }
    }
    command
}

/// Runs `wharf` to its end.
pub(crate) fn run<I: IntoIterator<Item: AsRef<std::ffi::OsStr>>>(arguments: I) -> Output {
    wharf(arguments).stdin(Stdio::null()).output().unwrap()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A running broker; killed when dropped.
pub(crate) struct Broker {
    child: Child,
    pub(crate) address: SocketAddr,
    /// What it printed when it was ready.
    pub(crate) greeting: String,
}

impl Broker {
    /// Starts on a free port with the user `ada`, password `secret`.
    pub(crate) fn start(directory: &Path, arguments: &[&str]) -> Self {
        let config = user_file(directory);
        let mut all = vec!["--config", &config];
        all.extend(arguments);
        Self::start_bare(directory, &all)
    }

    /// Starts on a free port.
    pub(crate) fn start_bare(directory: &Path, arguments: &[&str]) -> Self {
        let mut command = wharf(["serve"]);
        command.stderr(Stdio::null());
        Self::start_as(command, directory, arguments)
    }

    /// Starts with a command that ends in `wharf serve`, or in arguments of it.
    pub(crate) fn start_as(mut command: Command, directory: &Path, arguments: &[&str]) -> Self {
        command.args(["--listen", "127.0.0.1:0", "--data"]).arg(directory.join("data"));
        command.args(arguments);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        // It prints everything in one write, and then nothing more.
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut greeting = String::new();
        while !greeting.contains("/ws\n") {
            assert!(lines.read_line(&mut greeting).unwrap() > 0, "it ended: {greeting}");
        }
        greeting.push_str(&String::from_utf8_lossy(lines.buffer()));
        let address = greeting.split("://").nth(1).unwrap().split('/').next().unwrap();
        let address = address.parse().unwrap();
        Self { child, address, greeting }
    }

    /// The status that a handshake with this login is answered with.
    pub(crate) fn login(&self, user: &str, password: &str) -> u16 {
        let pair = data_encoding::BASE64.encode(format!("{user}:{password}").as_bytes());
        let mut stream = self.connect();
        let login = format!("Authorization: Basic {pair}\r\n{MBWS}");
        stream.write_all(handshake("/ws", &login).as_bytes()).unwrap();
        status(&read_head(&mut stream))
    }

    pub(crate) fn connect(&self) -> TcpStream {
        connect(self.address)
    }

    /// Sends a request head and reads the answer to its end.
    pub(crate) fn ask(&self, head: &str) -> String {
        let mut stream = self.connect();
        stream.write_all(head.as_bytes()).unwrap();
        read_to_end(&mut stream)
    }

    /// A plain GET.
    pub(crate) fn get(&self, path: &str) -> String {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).unwrap();
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Waits for its end, and for what it said on stderr.
    pub(crate) fn output(mut self) -> Output {
        let mut stderr = Vec::new();
        if let Some(mut said) = self.child.stderr.take() {
            said.read_to_end(&mut stderr).unwrap();
        }
        Output { status: self.wait(), stdout: Vec::new(), stderr }
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A configuration with the user `ada`. Its verifier is the cheapest there is: these tests start
/// many brokers, and the price of a guess is not what they are about.
pub(crate) fn user_file(directory: &Path) -> String {
    use argon2::{Algorithm, Argon2, Params, Version, password_hash::PasswordHasher};
    let params = Params::new(Params::MIN_M_COST, 1, 1, None).unwrap();
    let cheap = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let verifier = cheap.hash_password(b"secret").unwrap();
    let path = directory.join("user.toml");
    let text = format!(
        "[[users]]\nname = \"ada\"\npassword_verifier = \"{verifier}\"\n\
         [[users.permissions]]\npattern = \"**\"\nsend = true\nreceive = true\n"
    );
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// Asks until the answer is yes; what never becomes true ends the test.
pub(crate) fn eventually(mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "it never came about");
    }
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

pub(crate) fn read_to_end(stream: &mut impl Read) -> String {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// Reads one response head, and not a byte more.
pub(crate) fn read_head(stream: &mut impl Read) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

/// `ada:secret`.
pub(crate) const LOGIN: &str = "Authorization: Basic YWRhOnNlY3JldA==\r\n";

/// A good opening handshake (RFC 6455, section 1.2) with these header lines on top.
pub(crate) fn handshake(path: &str, extra: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: broker.example\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Version: 13\r\n{extra}\r\n"
    )
}

pub(crate) const MBWS: &str = "Sec-WebSocket-Protocol: MBWS.huawei.com\r\n";

pub(crate) fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| {
        panic!("no status in {answer:?}");
    })
}
