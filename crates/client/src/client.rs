//! The handles that the application holds.

use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll, ready};

use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

use crate::channels::{Channels, Control, Outgoing, What, Wish};
use crate::{Delivery, Error, Message, Options, Protocol, State, amqp, discover, mbws, xmpp};

/// Messages on their way to the task. What may be unacknowledged is bounded by the window.
const SENDS_MAX: usize = 256;

/// A connection to a broker, kept by a task in the background.
///
/// It ends with [`Client::close`], or when it and all its receivers and deliveries are dropped.
#[derive(Debug)]
pub struct Client {
    sends: mpsc::Sender<Outgoing>,
    controls: UnboundedSender<Control>,
    state: watch::Receiver<State>,
    deliveries: Mutex<Option<UnboundedReceiver<Delivery>>>,
}

impl Client {
    /// Connects and opens a connection. This is tried once; later losses are recovered from.
    ///
    /// # Errors
    /// The options cannot be used, or there is no broker that accepts them.
    pub async fn connect(mut options: Options) -> Result<Self, Error> {
        if let Some(domain) = options.url.strip_prefix("xmpp:") {
            let domain = domain.to_owned();
            options.url = discover(&domain, &options.tls, options.connect_timeout).await?;
            let name = domain.split(':').next().unwrap_or_default();
            options.host.get_or_insert_with(|| name.to_owned());
        }
        let connect_timeout = options.connect_timeout;
        let (sends, sends_end) = mpsc::channel(SENDS_MAX);
        let (controls, controls_end) = mpsc::unbounded_channel();
        let (deliveries_end, deliveries) = mpsc::unbounded_channel();
        let (state_end, state) = watch::channel(State::Connecting);
        let channels = Channels {
            sends: sends_end,
            controls: controls_end,
            reports: controls.downgrade(),
            deliveries: deliveries_end,
            state: state_end,
        };
        match options.protocol {
            Protocol::Mbws => drop(tokio::spawn(mbws::start(options, channels).await?)),
            Protocol::Amqp => drop(tokio::spawn(amqp::start(options, channels).await?)),
            Protocol::Xmpp => drop(tokio::spawn(xmpp::start(options, channels).await?)),
        }

        let client = Client { sends, controls, state, deliveries: Mutex::new(Some(deliveries)) };
        let mut state = client.watch();
        let opened = state.wait_for(|state| !matches!(state, State::Connecting));
        match timeout(connect_timeout, opened).await.map(|state| state.map(|state| state.clone())) {
            Err(_elapsed) => Err(Error::Timeout),
            Ok(Ok(State::Recovering { because, .. } | State::Lost(because))) => Err(because),
            Ok(Err(_) | Ok(State::Closed)) => Err(Error::Closed),
            Ok(Ok(State::Connecting | State::Open { .. })) => Ok(client),
        }
    }

    /// Sends a message and waits until the broker has stored it. Waits through lost sessions.
    ///
    /// Over MBWS it is stored once. Over AMQP what is unsettled when a connection breaks is sent
    /// again on the next: at least once, and a second copy says that it may be one, see
    /// [`Delivery::may_be_repeated`].
    ///
    /// Dropping the future does not take the message back.
    ///
    /// # Errors
    /// The message cannot be sent, or the client ended before the broker's word came.
    pub async fn send(&self, message: Message) -> Result<(), Error> {
        self.queue(message).await?.await
    }

    /// Queues a message behind those before it, and waits only for room. The receipt tells when
    /// the broker has stored it, so many can be under way at once.
    ///
    /// # Errors
    /// The client has ended.
    pub async fn queue(&self, message: Message) -> Result<Receipt, Error> {
        self.hand_over(What::Message(message)).await
    }

    /// Asks for the messages of some addresses, at most `credit` of each at a time: the broker
    /// sends more as deliveries are acknowledged. This outlives sessions and connections.
    ///
    /// # Errors
    /// The client receives already, or the broker allows none of this.
    pub async fn receive(&self, addresses: &[&str], credit: u32) -> Result<Receiver, Error> {
        self.receive_with(addresses, credit, None).await
    }

    /// As [`Client::receive`], for topics: `subscription` names a durable subscription, which
    /// collects messages also while nobody receives. Over AMQP it belongs to the container, so
    /// [`Options::container`] has to be set.
    ///
    /// # Errors
    /// As [`Client::receive`].
    pub async fn receive_with(
        &self,
        addresses: &[&str],
        credit: u32,
        subscription: Option<&str>,
    ) -> Result<Receiver, Error> {
        let deliveries = self.deliveries.lock().ok().and_then(|mut free| free.take());
        let deliveries = deliveries.ok_or(Error::AlreadyReceiving)?;
        let wish = Wish {
            addresses: addresses.iter().map(|&address| address.to_owned()).collect(),
            credit,
            subscription: subscription.map(str::to_owned),
        };
        let granted = match self.hand_over(What::Consume(wish)).await {
            Ok(receipt) => receipt.await,
            Err(error) => Err(error),
        };
        if let Err(error) = granted {
            // What cannot be received does not stand in the way of something else.
            if let Ok(mut free) = self.deliveries.lock() {
                *free = Some(deliveries);
            }
            return Err(error);
        }
        Ok(Receiver { deliveries, _controls: self.controls.clone() })
    }

    async fn hand_over(&self, what: What) -> Result<Receipt, Error> {
        let (reply, receipt) = oneshot::channel();
        match self.sends.send(Outgoing { what, reply }).await {
            Ok(()) => Ok(Receipt(receipt)),
            Err(_) => Err(self.end()),
        }
    }

    fn end(&self) -> Error {
        match &*self.state.borrow() {
            State::Lost(why) => why.clone(),
            _ => Error::Closed,
        }
    }

    /// What the client is doing.
    pub fn state(&self) -> State {
        self.state.borrow().clone()
    }

    /// Tells of every change of the state.
    pub fn watch(&self) -> watch::Receiver<State> {
        self.state.clone()
    }

    /// Takes no more messages, waits for the acknowledgement of those that were sent (at most
    /// [`Options::close_timeout`]), and closes the connection. Deliveries that were not
    /// acknowledged go back to their addresses.
    ///
    /// # Errors
    /// The client was lost before.
    pub async fn close(&self) -> Result<(), Error> {
        // The task may have ended already; its state tells.
        let _ = self.controls.send(Control::Close);
        let mut state = self.watch();
        let ended = state.wait_for(|state| matches!(state, State::Closed | State::Lost(_)));
        match ended.await.map(|state| state.clone()) {
            Ok(State::Lost(why)) => Err(why),
            _ => Ok(()),
        }
    }
}

/// Resolves when the broker has stored a message.
#[derive(Debug)]
#[must_use = "the message is stored when this resolves"]
pub struct Receipt(oneshot::Receiver<Result<(), Error>>);

impl Future for Receipt {
    type Output = Result<(), Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // Without an answer the runtime has dropped the task.
        Poll::Ready(ready!(Pin::new(&mut self.0).poll(cx)).unwrap_or(Err(Error::Closed)))
    }
}

/// Where deliveries come in.
#[derive(Debug)]
pub struct Receiver {
    deliveries: UnboundedReceiver<Delivery>,
    /// Keeps the client alive.
    _controls: UnboundedSender<Control>,
}

impl Receiver {
    /// The next delivery; `None` when the client has ended, and [`Client::state`] tells why. May be
    /// dropped at any time without losing a delivery.
    pub async fn recv(&mut self) -> Option<Delivery> {
        self.deliveries.recv().await
    }

    /// [`Receiver::recv`] for those who write futures by hand.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<Delivery>> {
        self.deliveries.poll_recv(cx)
    }
}
