//! The broker of the demo: a child process that is killed, by its own id, and started again.

use crate::auth::verifier;
use crate::cli::exit::{Code, Failure};
use crate::cli::target::Speak;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use wharf_client::{Ask, Tls};

/// Time for the broker to say that it is ready.
const START_TIMEOUT: Duration = Duration::from_secs(20);

/// Who the demo logs in as; people have accounts of their own.
pub(super) fn account(number: u32) -> String {
    format!("demo-{number}")
}

/// Without links that are resumed, what is on its way when a connection is cut counts as an attempt.
/// After so many cuts that would make dead letters of messages that nobody has seen.
const NO_DEAD_LETTERS: &str =
    "\n[[policies]]\npattern = \"**\"\nkind = \"queue\"\ndeliveries_max = 0\n";

/// A directory of its own, removed with everything in it when dropped.
#[derive(Debug)]
pub(super) struct Directory(PathBuf);

impl Directory {
    /// Makes the directory, with a configuration of so many accounts that have this password.
    pub(super) fn new(password: &str, speak: Speak, accounts: u32) -> Result<Self, Failure> {
        let failed = |what: &dyn std::fmt::Display| {
            Failure::new(Code::Failed, format!("cannot prepare the demo: {what}"))
        };
        let name = format!("wharf-demo-{:016x}", u64::from_le_bytes(crate::entropy::bytes()));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).map_err(|error| failed(&error))?;
        let directory = Self(path);
        let verifier = verifier::of_password(password).map_err(|error| failed(&error))?;
        let user = |number| {
            let name = account(number);
            format!(
                "[[users]]\nname = \"{name}\"\npassword_verifier = \"{verifier}\"\n\n\
                 [[users.permissions]]\npattern = \"**\"\nsend = true\nreceive = true\n\n\
                 [[users.permissions]]\npattern = \"wharf/node\"\nmanage = true\n\n"
            )
        };
        let mut config: String = (0..accounts).map(user).collect();
        config += "# A login that is cut counts as a wrong password.\n\
                   [auth]\nfailures_per_minute_max = 1000000\n";
        if speak == Speak::Amqp {
            config += NO_DEAD_LETTERS;
        }
        std::fs::write(directory.0.join("wharf.toml"), config).map_err(|e| failed(&e))?;
        Ok(directory)
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // What cannot be removed is in the system's temporary directory.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The running child; killed when dropped.
#[derive(Debug)]
pub(super) struct Victim {
    child: Child,
    pub(super) address: SocketAddr,
}

impl Victim {
    /// Starts a broker on a free loopback port, and waits until it is ready.
    pub(super) async fn start(directory: &Directory) -> Result<Self, Failure> {
        let failed = |what: String| Failure::new(Code::Failed, what);
        let program = std::env::current_exe().map_err(|error| failed(error.to_string()))?;
        let log = directory.path().join("broker.log");
        let stderr = std::fs::File::options()
            .create(true)
            .append(true)
            .open(&log)
            .map_err(|error| failed(error.to_string()))?;
        let mut child = Command::new(program)
            .args(["serve", "--listen", "127.0.0.1:0", "--config"])
            .arg(directory.path().join("wharf.toml"))
            .arg("--data")
            .arg(directory.path().join("data"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| failed(format!("cannot start the broker: {error}")))?;
        let stdout = child.stdout.take();
        let ready = tokio::time::timeout(START_TIMEOUT, async {
            let mut lines = BufReader::new(stdout?).lines();
            while let Some(line) = lines.next_line().await.ok()? {
                if let Some((_, rest)) = line.split_once("http://") {
                    return rest.trim_end_matches('/').parse().ok();
                }
            }
            None
        });
        match ready.await {
            Ok(Some(address)) => Ok(Self { child, address }),
            _ => {
                let said = std::fs::read_to_string(&log).unwrap_or_default();
                Err(failed(format!("the broker did not start:\n{said}")))
            }
        }
    }

    /// Sends all clients away within this time, and waits for the end.
    pub(super) async fn drain(mut self, over: Duration, password: &str) -> Result<(), Failure> {
        let pair = format!("{}:{password}", account(0));
        let basic = format!("Basic {}", data_encoding::BASE64.encode(pair.as_bytes()));
        let body = serde_json::json!({ "over_ms": over.as_millis() as u64, "close_code": 1012 });
        let ask = Ask {
            method: "POST",
            headers: vec![
                ("authorization", basic),
                ("content-type", "application/json".to_owned()),
            ],
            body: body.to_string().into(),
            answer_max_bytes: 4096,
        };
        let url = format!("http://{}/api/v1/drain", self.address);
        let answer = wharf_client::ask(&url, &Tls::PublicRoots, ask).await;
        let answer = answer.map_err(|error| Failure::new(Code::Failed, error))?;
        if answer.status != 204 {
            let said = String::from_utf8_lossy(&answer.body).into_owned();
            return Err(Failure::new(Code::Failed, format!("no drain: {said}")));
        }
        let ended = tokio::time::timeout(over + START_TIMEOUT, self.child.wait()).await;
        match ended {
            Ok(Ok(status)) if status.success() => Ok(()),
            other => {
                Err(Failure::new(Code::Failed, format!("the drain did not end well: {other:?}")))
            }
        }
    }

    /// `kill -9`: no warning, no cleaning up.
    pub(super) async fn kill(mut self) {
        let _ = self.child.kill().await;
    }
}
