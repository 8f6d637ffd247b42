//! `wharf check`: would it start?

use super::exit::{Code, Failure, Outcome};
use super::serve::Settings;
use crate::acme::Acme;
use crate::auth::issuers;
use crate::manage::definitions;
use crate::net::tls::Certificates;
use clap::Args;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Arguments of `wharf check`.
#[derive(Args, Debug)]
pub(super) struct Check {
    #[command(flatten)]
    settings: Settings,
    /// File with definitions that a broker of this configuration shall take, too; - is stdin.
    #[arg(long, value_name = "FILE")]
    definitions: Option<PathBuf>,
}

impl Check {
    pub(super) fn run(self) -> Outcome {
        let config = self.settings.load()?;
        if config.tls.is_on() {
            Certificates::load(&config.tls, &config.client_certificates)
                .map_err(|error| Failure::new(Code::Config, format!("tls: {error}")))?;
        }
        if let Some(entry) = config.acme.first() {
            Acme::new(entry, &config.data.directory)
                .map_err(|error| Failure::new(Code::Config, error))?;
        }
        issuers::load(&config.issuers, &[]).map_err(|error| Failure::new(Code::Config, error))?;
        check_directory(&config.data.directory)?;
        if let Some(file) = &self.definitions {
            check_definitions(file, &config.listen.hosts)?;
        }
        let of = match self.settings.file() {
            Some(file) => file.display().to_string(),
            None => "the configuration".to_owned(),
        };
        super::print(&format!("{of} is fine\n"))
    }
}

fn check_definitions(file: &Path, hosts: &[String]) -> Outcome {
    let wrong = |code, what: &str| Failure::new(code, format!("{}: {what}", file.display()));
    let mut text = Vec::new();
    let read = if file == Path::new("-") {
        std::io::stdin().read_to_end(&mut text).map(drop)
    } else {
        std::fs::read(file).map(|read| text = read)
    };
    read.map_err(|error| wrong(Code::Config, &error.to_string()))?;
    definitions::check_text(hosts, &text).map_err(|what| wrong(Code::Config, &what))
}

/// Whether the journal can be where it shall be. One that is missing is made at the start.
fn check_directory(directory: &Path) -> Outcome {
    use rustix::fs::{Access, access};
    let wrong = |what: &str| {
        Failure::new(Code::Config, format!("data.directory: {}: {what}", directory.display()))
    };
    if directory.exists() {
        if !directory.is_dir() {
            return Err(wrong("is no directory"));
        }
        let all = Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK;
        return access(directory, all).map_err(|error| wrong(&error.to_string()));
    }
    let mut above = directory
        .ancestors()
        .skip(1)
        .map(|it| if it.as_os_str().is_empty() { Path::new(".") } else { it });
    let Some(parent) = above.find(|it| it.exists()) else { return Ok(()) };
    access(parent, Access::WRITE_OK).map_err(|error| wrong(&format!("cannot be made: {error}")))
}
