//! What an AMQP client can rely on.

use std::time::Duration;

use fe2o3_amqp::link::receiver::CreditMode;
use fe2o3_amqp::sasl_profile::{SaslProfile, SaslScramSha256};
use fe2o3_amqp::types::definitions::{self, AmqpError, ReceiverSettleMode, SenderSettleMode};
use fe2o3_amqp::types::messaging::{
    Body, Data, DistributionMode, Modified, Properties, Source, Target, TerminusDurability,
    TerminusExpiryPolicy,
};
use fe2o3_amqp::types::primitives::Binary;
use fe2o3_amqp::{Receiver, Sender};

use crate::peer::{
    Inbox, Options, Outbox, Peer, Taken, bodies, body_of, count, message, text, within, words,
};
use crate::{Done, Stop, World, failed, recovery, same, typed};

pub const NAMES: [&str; 28] = [
    "connect",
    "wrong-password",
    "scram",
    "anonymous",
    "thousand",
    "accepted",
    "released",
    "rejected",
    "modified-failed",
    "modified-undeliverable",
    "presettled-send",
    "presettled-receive",
    "settle-second",
    "credit",
    "drain",
    "browse",
    "topic",
    "topic-durable",
    "dynamic-node",
    "anonymous-terminus",
    "large-1mib",
    "large",
    "body-types",
    "property-types",
    "forbidden",
    "heartbeat",
    "cut",
    "kill",
];

pub async fn run(world: &World) -> Done {
    match world.name {
        "connect" => Ok(Peer::open(world).await?.close().await),
        "wrong-password" => wrong_password(world).await,
        "scram" => scram(world).await,
        "anonymous" => anonymous(world).await,
        "thousand" => thousand(world).await,
        "accepted" => accepted(world).await,
        "released" => released(world).await,
        "rejected" => rejected(world).await,
        "modified-failed" => modified_failed(world).await,
        "modified-undeliverable" => modified_undeliverable(world).await,
        "presettled-send" => presettled_send(world).await,
        "presettled-receive" => presettled_receive(world).await,
        "settle-second" => settle_second(world).await,
        "credit" => credit(world).await,
        "drain" => drain(world).await,
        "browse" => browse(world).await,
        "topic" => topic(world).await,
        "topic-durable" => topic_durable(world).await,
        "dynamic-node" => dynamic_node(world).await,
        "anonymous-terminus" => anonymous_terminus(world).await,
        "large-1mib" => large(world, 1 << 20).await,
        "large" => large(world, world.number("large")).await,
        "body-types" => typed::bodies(world).await,
        "property-types" => typed::properties(world).await,
        "forbidden" => forbidden(world).await,
        "heartbeat" => heartbeat(world).await,
        "cut" => recovery::cut(world).await,
        "kill" => recovery::kill(world).await,
        other => failed(format!("no case of this name: {other}")),
    }
}

async fn pair(world: &World, credit: u32) -> Done<(Peer, Outbox, Inbox)> {
    let mut peer = Peer::open(world).await?;
    let sender = peer.sender(world, &world.queue()).await?;
    let receiver = peer.receiver(world, world.queue(), credit).await?;
    Ok((peer, sender, receiver))
}

/// One message, sent and taken.
async fn first(world: &World) -> Done<(Peer, Outbox, Inbox, Taken)> {
    let (peer, mut sender, mut receiver) = pair(world, 100).await?;
    sender.texts("one").await?;
    let taken = receiver.one().await?;
    same(&(body_of(&taken), count(&taken)), &("one".into(), 0), "first delivery")?;
    Ok((peer, sender, receiver, taken))
}

/// Another receiver finds these in the queue.
async fn left(peer: &mut Peer, world: &World, wanted: &str, what: &str) -> Done {
    let mut receiver = peer.receiver(world, world.queue(), 0).await?;
    let rest = peer.rest(world, &mut receiver, &world.queue()).await?;
    same(&bodies(&rest), &words(wanted), what)
}

fn refused<T>(end: Done<T>, words: &[&str]) -> Done {
    match end {
        Ok(_) => failed("it was not refused"),
        Err(Stop::Failed(why)) if words.iter().any(|word| why.contains(word)) => Ok(()),
        Err(Stop::Failed(why) | Stop::Skipped(why)) => failed(format!("refused with: {why}")),
    }
}

async fn login(world: &World, profile: SaslProfile) -> Done<Peer> {
    let options = Options { profile: Some(profile), ..Options::default() };
    Peer::open_with(world, world.given("url"), options).await
}

async fn wrong_password(world: &World) -> Done {
    let (user, password) = (world.given("user"), world.given("password"));
    let wrong = [(user, format!("not {password}")), ("nobody-of-this-name", password.to_owned())];
    for (user, password) in wrong {
        // The code of the SASL outcome.
        refused(login(world, (user, password).into()).await, &["code: Auth"])?;
    }
    Ok(())
}

async fn scram(world: &World) -> Done {
    let (user, password) = (world.given("user"), world.given("password"));
    let with = |password: &str| SaslProfile::ScramSha256(SaslScramSha256::new(user, password));
    login(world, with(password)).await?.close().await;
    refused(login(world, with("not this")).await, &["code: Auth"])
}

async fn anonymous(world: &World) -> Done {
    world.needs("anonymous")?;
    Ok(login(world, SaslProfile::Anonymous).await?.close().await)
}

async fn thousand(world: &World) -> Done {
    let (mut peer, mut sender, mut receiver) = pair(world, 50).await?;
    let body = |at| format!("{at}:{}", "x".repeat(at % 300));
    let wanted: Vec<_> = (0..world.number("messages")).map(body).collect();
    let messages = wanted.iter().map(|each| text(each)).collect();
    let sent = tokio::spawn(async move { sender.deliver(messages).await });
    let mut found = Vec::new();
    while found.len() < wanted.len() {
        let taken = receiver.one().await?;
        found.push(body_of(&taken));
        receiver.0.accept(&taken).await?;
        if found.len() % 25 == 0 {
            receiver.0.set_credit(50).await?;
        }
    }
    sent.await??;
    same(&found, &wanted, "bodies")?;
    same(&bodies(&peer.rest(world, &mut receiver, &world.queue()).await?), &vec![], "left over")
}

async fn accepted(world: &World) -> Done {
    let (mut peer, _, receiver, taken) = first(world).await?;
    receiver.0.accept(&taken).await?;
    receiver.close().await?;
    left(&mut peer, world, "", "after accepting").await
}

async fn released(world: &World) -> Done {
    let (_peer, _, mut receiver, taken) = first(world).await?;
    receiver.0.release(&taken).await?;
    let again = receiver.one().await?;
    same(
        &(body_of(&again), count(&again)),
        &("one".into(), 0),
        "second delivery (released is no failure)",
    )?;
    Ok(receiver.0.accept(&again).await?)
}

async fn rejected(world: &World) -> Done {
    world.needs("dead-letter")?;
    let (mut peer, mut sender, mut receiver) = pair(world, 10).await?;
    let body = world.unique("rejected");
    sender.deliver(vec![text(&body)]).await?;
    let taken = receiver.one().await?;
    let error = definitions::Error::new(AmqpError::InternalError, "no good".to_owned(), None);
    receiver.0.reject(&taken, error).await?;
    let mut letters = peer.receiver(world, world.given("dead-letter").to_owned(), 1).await?;
    loop {
        let letter = letters.one().await?;
        letters.0.accept(&letter).await?;
        if body_of(&letter) == body {
            break;
        }
        letters.0.set_credit(1).await?;
    }
    same(
        &bodies(&peer.rest(world, &mut receiver, &world.queue()).await?),
        &vec![],
        "the rejected one comes again",
    )
}

fn modified(failed: bool, undeliverable: bool) -> Modified {
    Modified {
        delivery_failed: Some(failed),
        undeliverable_here: Some(undeliverable),
        message_annotations: None,
    }
}

async fn modified_failed(world: &World) -> Done {
    let (_peer, _, mut receiver, mut taken) = first(world).await?;
    for wanted in [1, 2] {
        receiver.0.modify(&taken, modified(true, false)).await?;
        taken = receiver.one().await?;
        same(&count(&taken), &wanted, "delivery-count")?;
    }
    Ok(receiver.0.accept(&taken).await?)
}

async fn modified_undeliverable(world: &World) -> Done {
    let (mut peer, mut sender, mut receiver, taken) = first(world).await?;
    receiver.0.modify(&taken, modified(false, true)).await?;
    sender.texts("two").await?;
    same(
        &body_of(&receiver.one().await?),
        &"two".into(),
        "what the link that cannot have it gets",
    )?;
    same(
        &bodies(&peer.rest(world, &mut receiver, &world.queue()).await?),
        &vec![],
        "on the link that cannot have it",
    )?;
    let other = peer.receiver(world, world.queue(), 10).await?.one().await?;
    same(&body_of(&other), &"one".into(), "what another link gets")
}

async fn presettled_send(world: &World) -> Done {
    let mut peer = Peer::open(world).await?;
    let builder = Sender::builder().name(world.unique("settled")).target(world.queue());
    let attach = builder.sender_settle_mode(SenderSettleMode::Settled).attach(&mut peer.session);
    let mut sender = Outbox(within("attach of a sender", attach).await?);
    let wanted: Vec<_> = (0..50).map(|at: u32| at.to_string()).collect();
    sender.texts(&wanted.join(" ")).await?;
    let taken = peer.receiver(world, world.queue(), 100).await?.take(50).await?;
    same(&bodies(&taken), &wanted, "bodies")
}

async fn presettled_receive(world: &World) -> Done {
    let mut peer = Peer::open(world).await?;
    let builder = Receiver::builder().name(world.unique("settled")).source(world.queue());
    let builder = builder.sender_settle_mode(SenderSettleMode::Settled);
    let attach = builder.credit_mode(CreditMode::Manual).attach(&mut peer.session);
    let mut receiver =
        Inbox::with_credit(within("attach of a receiver", attach).await?, 10).await?;
    peer.sender(world, &world.queue()).await?.texts("one two").await?;
    same(&bodies(&receiver.take(2).await?), &words("one two"), "bodies")?;
    receiver.close().await?;
    left(&mut peer, world, "", "what was sent settled is gone").await
}

async fn settle_second(world: &World) -> Done {
    let mut peer = Peer::open(world).await?;
    let builder = Receiver::builder().name(world.unique("second")).source(world.queue());
    let builder = builder.receiver_settle_mode(ReceiverSettleMode::Second);
    let attach = builder.credit_mode(CreditMode::Manual).attach(&mut peer.session);
    let mut receiver =
        Inbox::with_credit(within("attach of a receiver", attach).await?, 10).await?;
    let mut sender = peer.sender(world, &world.queue()).await?;
    sender.texts("one").await?;
    let taken = receiver.one().await?;
    receiver.0.accept(&taken).await?;
    // It does not tell when the broker settles: a round trip later it has.
    sender.texts("two").await?;
    let second = receiver.one().await?;
    receiver.0.accept(&second).await?;
    sender.texts("three").await?;
    receiver.close().await?;
    left(&mut peer, world, "three", "after settling").await
}

async fn credit(world: &World) -> Done {
    let (_peer, mut sender, mut receiver) = pair(world, 0).await?;
    sender.texts("a b c d e f g h i j").await?;
    receiver.0.set_credit(3).await?;
    same(&bodies(&receiver.take(3).await?), &words("a b c"), "with a credit of 3")?;
    // A round trip later nothing more may have come.
    sender.texts("k").await?;
    same(&bodies(&receiver.at_hand().await?), &vec![], "without credit")?;
    receiver.0.set_credit(2).await?;
    same(&bodies(&receiver.take(2).await?), &words("d e"), "with a credit of 2")
}

async fn drain(world: &World) -> Done {
    let (mut peer, mut sender, mut receiver) = pair(world, 10).await?;
    // It does not tell when a link is drained: a round trip later it is.
    let mut other = peer.sender(world, &format!("{}-other", world.queue())).await?;
    receiver.0.drain().await?;
    other.texts("x").await?;
    sender.texts("a b c").await?;
    same(&bodies(&receiver.at_hand().await?), &vec![], "drained credit is gone")?;
    receiver.0.set_credit(2).await?;
    same(&bodies(&receiver.take(2).await?), &words("a b"), "with a credit of 2")?;
    receiver.0.set_credit(10).await?;
    same(&bodies(&receiver.take(1).await?), &words("c"), "with a credit of 10")?;
    receiver.0.drain().await?;
    other.texts("x").await?;
    sender.texts("d").await?;
    same(&bodies(&receiver.at_hand().await?), &vec![], "what was left of it is gone")
}

async fn browse(world: &World) -> Done {
    let mut peer = Peer::open(world).await?;
    peer.sender(world, &world.queue()).await?.texts("a b c").await?;
    for time in ["browsed once", "browsed twice"] {
        let source =
            Source::builder().address(world.queue()).distribution_mode(DistributionMode::Copy);
        let mut browser = peer.receiver(world, source.build(), 3).await?;
        let seen = browser.take(3).await?;
        same(&bodies(&seen), &words("a b c"), time)?;
        browser.0.accept_all(&seen).await?;
        browser.close().await?;
    }
    left(&mut peer, world, "a b c", "taken after browsing").await
}

async fn topic(world: &World) -> Done {
    let (mut one, mut two) = (Peer::open(world).await?, Peer::open(world).await?);
    let first = one.receiver(world, world.topic(), 10).await?;
    let second = two.receiver(world, world.topic(), 10).await?;
    one.sender(world, &world.topic()).await?.texts("a b c").await?;
    for mut each in [first, second] {
        same(&bodies(&each.take(3).await?), &words("a b c"), "each subscriber")?;
    }
    Ok(())
}

/// The same subscription each time: by container, link name and source.
async fn subscribe(world: &World, container: &str, credit: u32) -> Done<(Peer, Inbox)> {
    let options = Options { container: Some(container.to_owned()), ..Options::default() };
    let mut peer = Peer::open_with(world, world.given("url"), options).await?;
    let source = Source::builder()
        .address(world.topic())
        .durable(TerminusDurability::UnsettledState)
        .expiry_policy(TerminusExpiryPolicy::Never)
        .build();
    let builder = Receiver::builder().name("kept").source(source);
    let attach = builder.credit_mode(CreditMode::Manual).attach(&mut peer.session);
    let receiver = within("attach of a receiver", attach).await?;
    Ok((peer, Inbox::with_credit(receiver, credit).await?))
}

async fn topic_durable(world: &World) -> Done {
    let container = world.unique("container");
    let mut other = Peer::open(world).await?;
    let mut sender = other.sender(world, &world.topic()).await?;
    let (peer, mut receiver) = subscribe(world, &container, 10).await?;
    sender.texts("a").await?;
    let taken = receiver.one().await?;
    same(&body_of(&taken), &"a".into(), "while attached")?;
    receiver.0.accept(&taken).await?;
    let detach = async { receiver.0.detach().await.map_err(|(_, error)| error) };
    within("detach", detach).await?;
    peer.close().await;
    sender.texts("b c").await?;
    let (peer, mut receiver) = subscribe(world, &container, 10).await?;
    let taken = receiver.take(2).await?;
    same(&bodies(&taken), &words("b c"), "kept while detached")?;
    receiver.0.accept_all(&taken).await?;
    // Closing, unlike detaching, ends the subscription.
    receiver.close().await?;
    peer.close().await;
    sender.texts("d").await?;
    let (mut peer, mut receiver) = subscribe(world, &container, 0).await?;
    let rest = peer.rest(world, &mut receiver, &world.topic()).await?;
    same(&bodies(&rest), &vec![], "after it was closed")
}

async fn dynamic_node(world: &World) -> Done {
    let (mut asking, mut answering) = (Peer::open(world).await?, Peer::open(world).await?);
    let mut replies = asking.receiver(world, Source::builder().dynamic(true).build(), 10).await?;
    let Some(address) = replies.0.source().as_ref().and_then(|source| source.address.clone())
    else {
        return failed("the dynamic node has no address");
    };
    let mut request = text("ping");
    let properties = Properties::builder().reply_to(address.clone()).correlation_id(7_u64);
    request.properties = Some(properties.build());
    asking.sender(world, &world.queue()).await?.deliver(vec![request]).await?;
    let asked = answering.receiver(world, world.queue(), 10).await?.one().await?.into_message();
    let properties = asked.properties.unwrap_or_default();
    same(&properties.reply_to, &Some(address.clone()), "reply-to")?;
    let mut answer = text("pong");
    answer.properties =
        Some(Properties { correlation_id: properties.correlation_id, ..Properties::default() });
    answering.sender(world, &address).await?.deliver(vec![answer]).await?;
    let reply = replies.one().await?;
    let correlation =
        reply.message().properties.as_ref().and_then(|each| each.correlation_id.clone());
    same(&(body_of(&reply), correlation), &("pong".into(), Some(7_u64.into())), "reply")
}

async fn anonymous_terminus(world: &World) -> Done {
    let mut peer = Peer::open(world).await?;
    let builder =
        Sender::builder().name(world.unique("anywhere")).target(Target::builder().build());
    let mut sender = Outbox(within("attach", builder.attach(&mut peer.session)).await?);
    for part in ["a", "b"] {
        let queue = format!("{}-{part}", world.queue());
        let mut receiver = peer.receiver(world, queue.clone(), 10).await?;
        let mut each = text(part);
        each.properties = Some(Properties::builder().to(queue).build());
        sender.deliver(vec![each]).await?;
        same(&body_of(&receiver.one().await?), &part.into(), "by the message's to")?;
    }
    Ok(())
}

async fn large(world: &World, size: usize) -> Done {
    let (_peer, mut sender, mut receiver) = pair(world, 1).await?;
    let octets: Vec<u8> = (0..size).map(|at| (at.wrapping_mul(31) + (at >> 13)) as u8).collect();
    let data = Body::Data(vec![Data(Binary::from(octets.clone()))].into());
    sender.deliver(vec![message(data)]).await?;
    let taken = receiver.one().await?;
    let Body::Data(found) = taken.body() else { return failed("the body is not data") };
    let found: Vec<u8> = found.iter().flat_map(|each| each.0.iter().copied()).collect();
    same(&found.len(), &size, "length")?;
    if found != octets {
        return failed("the octets differ");
    }
    Ok(receiver.0.accept(&taken).await?)
}

async fn forbidden(world: &World) -> Done {
    world.needs("limited")?;
    let (name, password) = world.given("limited").split_once(':').unwrap_or_default();
    // When the refusal comes in one piece with the attach, fe2o3 forgets why; and it answers a refusal
    // with two detaches, which ends the session.
    let words = ["UnauthorizedAccess", "unauthorized-access", "IllegalState"];
    let mut peer = login(world, (name, password).into()).await?;
    refused(peer.receiver(world, world.queue(), 1).await, &words)?;
    peer = login(world, (name, password).into()).await?;
    refused(peer.sender(world, &world.queue()).await, &words)?;
    peer = login(world, (name, password).into()).await?;
    let allowed = format!("{}/{}", world.given("limited-address"), world.unique("open"));
    peer.sender(world, &allowed).await?.texts("x").await?;
    let taken = peer.receiver(world, allowed, 1).await?.one().await?;
    same(&body_of(&taken), &"x".into(), "what is permitted works")
}

async fn heartbeat(world: &World) -> Done {
    // Half of it is what fe2o3 tells the broker.
    let options = Options { idle_ms: Some(2000), ..Options::default() };
    let mut peer = Peer::open_with(world, world.given("url"), options).await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    if peer.connection.is_closed() {
        return failed("the connection was lost while idle");
    }
    peer.sender(world, &world.queue()).await?.texts("x").await?;
    let taken = peer.receiver(world, world.queue(), 1).await?.one().await?;
    same(&body_of(&taken), &"x".into(), "after a silence")
}
