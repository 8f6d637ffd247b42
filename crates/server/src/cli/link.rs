//! The client library under the verbs: connecting, and what its errors mean to a shell.

use super::exit::{Code, Failure, Outcome};
use super::target::Resolved;
use std::time::Duration;
use tokio::runtime::Builder;
use wharf_client::{Client, Error, Options, Retry};

/// Runs a verb, for so long at most.
pub(super) fn run(timeout: Option<Duration>, verb: impl Future<Output = Outcome>) -> Outcome {
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Code::Failed, format!("no runtime: {error}")))?;
    let outcome = runtime.block_on(async {
        match timeout {
            None => verb.await,
            Some(timeout) => tokio::time::timeout(timeout, verb)
                .await
                .unwrap_or_else(|_| Err(Failure::new(Code::Timeout, "it took too long"))),
        }
    });
    runtime.shutdown_background();
    outcome
}

/// Options of a client at a terminal: it comes back soon, and gives up after a while.
pub(super) fn options(target: &Resolved) -> Options {
    let mut options = Options::new(&target.url);
    options.protocol = target.speak.into();
    if let (Some(user), password) = (&target.user, &target.password) {
        options.credentials = Some((user.clone(), password.clone().unwrap_or_default()));
    }
    options.host.clone_from(&target.host);
    options.tls = target.tls.clone();
    options.retry = Retry {
        first_max: Duration::from_millis(200),
        max: Duration::from_secs(2),
        give_up_after: Duration::from_secs(60),
    };
    options
}

/// Opens a connection.
pub(super) async fn connect(options: Options) -> Result<Client, Failure> {
    Client::connect(options).await.map_err(failure)
}

/// What an error of the client means to a shell.
pub(super) fn failure(error: Error) -> Failure {
    let code = match &error {
        Error::Url(_) | Error::Option(_) | Error::Credentials(_) => Code::Usage,
        Error::Denied { .. } | Error::LoginRefused | Error::NoMechanism { .. } => Code::Denied,
        // 1008: the broker's policy does not allow it.
        Error::Rejected { code: 1008, .. } => Code::Denied,
        Error::Http { status: 404 } => Code::NotFound,
        Error::ConnectionClosed { condition, .. }
        | Error::LinkRefused { condition, .. }
        | Error::MessageRejected { condition, .. } => code_of_condition(condition),
        Error::Network(_)
        | Error::Tls(_)
        | Error::Timeout
        | Error::Http { .. }
        | Error::LoginUnavailable
        | Error::Redirect(_) => Code::Unavailable,
        _ => Code::Failed,
    };
    Failure::new(code, format!("{error}; {}", error.remedy()))
}

/// The conditions of AMQP and XMPP that a shell knows.
fn code_of_condition(condition: &str) -> Code {
    match condition {
        "amqp:unauthorized-access" | "forbidden" | "not-authorized" => Code::Denied,
        "amqp:not-found" | "amqp:resource-deleted" | "item-not-found" | "host-unknown" => {
            Code::NotFound
        }
        "amqp:connection:forced" | "system-shutdown" => Code::Unavailable,
        _ => Code::Failed,
    }
}
