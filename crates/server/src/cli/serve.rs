//! `wharf serve`: the broker itself.

use super::exit::{Code, Failure, Outcome};
use crate::config::{self, AcmeEntry, Config, Listen, Sources};
use crate::net::listener::Addresses;
use crate::users::{Announcement, FIRST_USER, Given};
use crate::{log, run};
use clap::Args;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Where settings come from; shared with `wharf check`.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct Settings {
    /// Configuration file (TOML).
    #[arg(long, short, value_name = "FILE")]
    config: Option<PathBuf>,
    /// One setting, over file and environment; repeatable.
    #[arg(long = "set", value_name = "SECTION.KEY=VALUE")]
    settings: Vec<String>,
    /// Address and port to listen on (listen.address).
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Directory of the journal (data.directory).
    #[arg(long, value_name = "DIRECTORY")]
    data: Option<PathBuf>,
    /// PEM file with the certificate chain (tls.certificate_file).
    #[arg(long, value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// PEM file with the private key (tls.key_file).
    #[arg(long, value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// Name to have certified over ACME by Let's Encrypt, whose terms you agree to; listens on port
    /// 443 unless told otherwise.
    #[arg(long, value_name = "DOMAIN", conflicts_with_all = ["tls_cert", "tls_key"])]
    acme: Option<String>,
}

impl Settings {
    /// Reads all sources and checks the values.
    pub(super) fn load(&self) -> Result<Config, Failure> {
        let sources = Sources {
            file: self.config.clone(),
            environment: std::env::vars_os()
                .filter_map(|(name, value)| {
                    Some((name.into_string().ok()?, value.into_string().ok()?))
                })
                .collect(),
            settings: self.settings.clone(),
        };
        let wrong = |what: String| Failure::new(Code::Config, what);
        let mut config = config::load(&sources).map_err(|error| wrong(error.to_string()))?;
        if let Some(domain) = &self.acme {
            config.acme = vec![AcmeEntry::of(domain)];
            if config.listen.address == Listen::default().address {
                "0.0.0.0:443".clone_into(&mut config.listen.address);
            }
        }
        if let Some(listen) = &self.listen {
            config.listen.address.clone_from(listen);
        }
        let paths = [
            (&self.data, &mut config.data.directory),
            (&self.tls_cert, &mut config.tls.certificate_file),
            (&self.tls_key, &mut config.tls.key_file),
        ];
        for (given, setting) in paths {
            if let Some(path) = given {
                setting.clone_from(path);
            }
        }
        let problems = config::problems(&config);
        if problems.is_empty() { Ok(config) } else { Err(wrong(problems.join("\nwharf: "))) }
    }

    /// The configuration file, if there is one.
    pub(super) fn file(&self) -> Option<&Path> {
        self.config.as_deref()
    }
}

/// Arguments of `wharf serve`.
#[derive(Args, Debug, Default)]
pub(super) struct Serve {
    #[command(flatten)]
    settings: Settings,
    /// A user who may do everything; repeatable. Beware: the process list shows the password.
    #[arg(long = "user", value_name = "NAME:PASSWORD", value_parser = parse_user)]
    users: Vec<GivenUser>,
}

#[derive(Clone)]
struct GivenUser(Given);

impl std::fmt::Debug for GivenUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("GivenUser").field(&self.0.name).finish()
    }
}

fn parse_user(text: &str) -> Result<GivenUser, String> {
    match text.split_once(':') {
        Some((name, password)) if !name.is_empty() && !password.is_empty() => {
            Ok(GivenUser(Given { name: name.to_owned(), password: password.to_owned() }))
        }
        _ => Err("expected NAME:PASSWORD".to_owned()),
    }
}

impl Serve {
    pub(super) fn run(self) -> Outcome {
        let config = self.settings.load()?;
        log::start(&config.log);
        if !self.users.is_empty() {
            warn("--user shows the password in the process list; [[users]] in a file does not");
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::new(Code::Failed, format!("no runtime: {error}")))?;
        let tls = config.encrypts();
        let users = self.users.into_iter().map(|user| user.0).collect();
        let ready = |addresses: &Addresses, announcement: &Announcement| {
            // A closed stdout is no reason not to serve.
            let _ = super::print(&greeting(addresses, tls, announcement));
        };
        let settings = self.settings.clone();
        let read_again =
            Box::new(move || settings.load().map_err(|failure| failure.message.clone()));
        let outcome = runtime.block_on(run::run(config, users, read_again, ready));
        runtime.shutdown_background();
        outcome.map_err(|failure| match failure {
            run::Failure::Start(reason) => Failure::new(Code::Failed, reason),
            run::Failure::Listen(address, error) => {
                Failure::new(Code::Unavailable, format!("cannot listen on {address}: {error}"))
            }
            run::Failure::Journal(reason) => Failure::new(Code::Failed, reason),
            run::Failure::System(error) => Failure::new(Code::Failed, error),
        })
    }
}

fn greeting(addresses: &Addresses, tls: bool, announcement: &Announcement) -> String {
    let (http, ws) = if tls { ("https", "wss") } else { ("http", "ws") };
    let address = addresses.http.map_or_else(String::new, |address| address.to_string());
    let mut text = format!(
        "Wharf {} is ready.\n  web        {http}://{address}/\n  demo       {http}://{address}/demo\n  \
         WebSocket  {ws}://{address}/ws\n",
        env!("CARGO_PKG_VERSION")
    );
    // Writing to a string does not fail.
    let _ = addresses.amqp.map(|address| writeln!(text, "  AMQP       amqp://{address}"));
    let _ = addresses.amqps.map(|address| writeln!(text, "  AMQP, TLS  amqps://{address}"));
    if let Some(password) = &announcement.first_password {
        let _ = write!(
            text,
            "  user       {FIRST_USER}\n  password   {password}   (shown this once)\n\n\
             Try it in another shell:\n  \
             export WHARF_URL={ws}://{address}/ws WHARF_USER={FIRST_USER} WHARF_PASSWORD={password}\n  \
             echo hello | wharf send greetings\n  wharf receive greetings\n"
        );
    }
    text
}

#[expect(clippy::print_stderr, reason = "a word to whoever typed the command")]
fn warn(what: &str) {
    eprintln!("wharf: warning: {what}");
}
