//! A connection with one session, and links whose credit is in the hands of a case.

use std::future::Future;
use std::time::Duration;

use fe2o3_amqp::connection::ConnectionHandle;
use fe2o3_amqp::link::receiver::CreditMode;
use fe2o3_amqp::sasl_profile::SaslProfile;
use fe2o3_amqp::session::SessionHandle;
use fe2o3_amqp::types::messaging::{AmqpValue, Body, Message, Outcome, Source};
use fe2o3_amqp::types::primitives::Value;
use fe2o3_amqp::{Connection, Delivery, Receiver, Sender, Session};
use fe2o3_amqp_ws::WebSocketStream;

use crate::{Done, World, failed};

const STEP_MAX: Duration = Duration::from_secs(15);

pub type Taken = Delivery<Body<Value>>;

/// Bounds one exchange with the broker.
pub async fn within<T, E: std::fmt::Debug>(
    what: &str,
    step: impl Future<Output = Result<T, E>>,
) -> Done<T> {
    match tokio::time::timeout(STEP_MAX, step).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => failed(format!("{what}: {error:?}")),
        Err(_) => failed(format!("timed out: {what}")),
    }
}

pub struct Peer {
    pub connection: ConnectionHandle<()>,
    pub session: SessionHandle<()>,
}

/// How to connect, where it is not as usual.
#[derive(Default)]
pub struct Options {
    pub profile: Option<SaslProfile>,
    pub container: Option<String>,
    pub idle_ms: Option<u32>,
}

impl Peer {
    pub async fn open(world: &World) -> Done<Self> {
        Self::open_with(world, world.given("url"), Options::default()).await
    }

    pub async fn open_with(world: &World, url: &str, options: Options) -> Done<Self> {
        let login = (world.given("user"), world.given("password"));
        let profile = options.profile.unwrap_or_else(|| login.into());
        let container = options.container.unwrap_or_else(|| world.unique("container"));
        let mut builder = Connection::builder().container_id(container).sasl_profile(profile);
        if let Some(idle_ms) = options.idle_ms {
            builder = builder.idle_time_out(idle_ms);
        }
        let mut connection = if url.starts_with("ws") {
            let host = url.split(['/', ':']).nth(3).unwrap_or_default();
            let socket = within("WebSocket", WebSocketStream::connect(url)).await?;
            within("open", builder.hostname(host).open_with_stream(socket)).await?
        } else {
            within("open", builder.open(url)).await?
        };
        let session = within("begin", Session::begin(&mut connection)).await?;
        Ok(Self { connection, session })
    }

    pub async fn sender(&mut self, world: &World, address: &str) -> Done<Outbox> {
        let attach = Sender::attach(&mut self.session, world.unique("sender"), address.to_owned());
        Ok(Outbox(within("attach of a sender", attach).await?))
    }

    pub async fn receiver(
        &mut self,
        world: &World,
        source: impl Into<Source>,
        credit: u32,
    ) -> Done<Inbox> {
        let builder = Receiver::builder().name(world.unique("receiver")).source(source.into());
        let attach = builder.credit_mode(CreditMode::Manual).attach(&mut self.session);
        Inbox::with_credit(within("attach of a receiver", attach).await?, credit).await
    }

    /// Everything in a queue or subscription: what comes before a message that is sent to it now.
    /// fe2o3 drains, but does not tell when a link is drained.
    pub async fn rest(
        &mut self,
        world: &World,
        inbox: &mut Inbox,
        address: &str,
    ) -> Done<Vec<Taken>> {
        const MARKER: &str = "a-marker-at-the-end";
        inbox.0.set_credit(1000).await?;
        self.sender(world, address).await?.texts(MARKER).await?;
        let mut taken = Vec::new();
        loop {
            let next = inbox.one().await?;
            if body_of(&next) == MARKER {
                inbox.0.accept(&next).await?;
                return Ok(taken);
            }
            taken.push(next);
        }
    }

    pub async fn close(mut self) {
        let _ = tokio::time::timeout(STEP_MAX, self.connection.close()).await;
    }
}

pub fn message(body: Body<Value>) -> Message<Body<Value>> {
    Message {
        header: None,
        delivery_annotations: None,
        message_annotations: None,
        properties: None,
        application_properties: None,
        body,
        footer: None,
    }
}

pub fn text(body: &str) -> Message<Body<Value>> {
    message(Body::Value(AmqpValue(Value::String(body.to_owned()))))
}

pub fn body_of(taken: &Taken) -> String {
    match taken.body() {
        Body::Value(AmqpValue(Value::String(text))) => text.clone(),
        other => format!("{other:?}"),
    }
}

pub fn bodies(taken: &[Taken]) -> Vec<String> {
    taken.iter().map(body_of).collect()
}

pub fn words(text: &str) -> Vec<String> {
    text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

pub fn count(taken: &Taken) -> u32 {
    taken.message().header.as_ref().map_or(0, |header| header.delivery_count)
}

pub struct Outbox(pub Sender);

impl Outbox {
    /// Sends all of them and waits until each is accepted.
    pub async fn deliver(&mut self, messages: Vec<Message<Body<Value>>>) -> Done {
        let mut outcomes = Vec::new();
        for each in messages {
            outcomes.push(within("credit to send", self.0.send_batchable(each)).await?);
        }
        for each in outcomes {
            let outcome = within("an outcome", each).await?;
            if !matches!(outcome, Outcome::Accepted(_)) {
                return failed(format!("not accepted but {outcome:?}"));
            }
        }
        Ok(())
    }

    pub async fn texts(&mut self, bodies: &str) -> Done {
        self.deliver(words(bodies).iter().map(|each| text(each)).collect()).await
    }
}

pub struct Inbox(pub Receiver);

impl Inbox {
    pub async fn with_credit(mut receiver: Receiver, credit: u32) -> Done<Self> {
        if credit > 0 {
            receiver.set_credit(credit).await?;
        }
        Ok(Self(receiver))
    }

    pub async fn one(&mut self) -> Done<Taken> {
        within("a message", self.0.recv()).await
    }

    pub async fn take(&mut self, number: usize) -> Done<Vec<Taken>> {
        let mut taken = Vec::new();
        while taken.len() < number {
            taken.push(self.one().await?);
        }
        Ok(taken)
    }

    /// What has come until now.
    pub async fn at_hand(&mut self) -> Done<Vec<Taken>> {
        let mut taken = Vec::new();
        while let Ok(next) =
            tokio::time::timeout(Duration::from_millis(20), self.0.recv::<Body<Value>>()).await
        {
            taken.push(next?);
        }
        Ok(taken)
    }

    pub async fn close(self) -> Done {
        within("close", self.0.close()).await
    }
}
