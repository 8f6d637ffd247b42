//! Cuts of the TCP connection, and a broker that is killed. The harness does it when it is asked.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use fe2o3_amqp::types::messaging::Outcome;

use crate::peer::{Options, Peer, Taken, body_of, count, text, within};
use crate::{Done, World, failed, same};

const SENT: usize = 300;
const CUTS: usize = 3;
const OUTCOME_MAX: Duration = Duration::from_secs(2);

fn body(at: usize) -> String {
    format!("{at}:{}", "y".repeat(1000))
}

fn number(taken: &Taken) -> usize {
    body_of(taken).split(':').next().and_then(|at| at.parse().ok()).unwrap_or(usize::MAX)
}

/// A connection through the wire, as soon as there is one.
async fn again(world: &World) -> Done<Peer> {
    for _ in 0..200 {
        if let Ok(peer) = Peer::open_with(world, world.given("proxy"), Options::default()).await {
            return Ok(peer);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    failed("no way back")
}

type Times = BTreeMap<usize, usize>;

/// Sends what is open and takes out what was accepted, until the wire breaks or nothing is left.
async fn send_some(world: &World, open: &mut BTreeSet<usize>, times: &mut Times) -> Done {
    let mut peer = again(world).await?;
    let mut sender = peer.sender(world, &world.queue()).await?;
    let mut outcomes = Vec::new();
    for at in open.iter().copied().collect::<Vec<_>>() {
        *times.entry(at).or_default() += 1;
        let Ok(outcome) = within("sending", sender.0.send_batchable(text(&body(at)))).await else {
            break;
        };
        outcomes.push((at, outcome));
    }
    for (at, outcome) in outcomes {
        // An outcome that a cut has lost never ends by itself.
        match tokio::time::timeout(OUTCOME_MAX, outcome).await {
            Ok(Ok(Outcome::Accepted(_))) => open.remove(&at),
            _ => break,
        };
    }
    Ok(())
}

fn count_fresh(taken: &Taken, fresh: &mut Times) {
    if count(taken) == 0 {
        *fresh.entry(number(taken)).or_default() += 1;
    }
}

/// Takes and accepts until the wire breaks or everything has been seen.
async fn take_some(world: &World, seen: &mut BTreeSet<usize>, fresh: &mut Times) -> Done {
    let mut peer = again(world).await?;
    let mut receiver = peer.receiver(world, world.queue(), 10).await?;
    while seen.len() < SENT {
        let taken = receiver.one().await?;
        count_fresh(&taken, fresh);
        seen.insert(number(&taken));
        receiver.0.accept(&taken).await?;
        if receiver.0.credit() < 5 {
            receiver.0.set_credit(10).await?;
        }
    }
    Ok(())
}

pub async fn cut(world: &World) -> Done {
    world.needs("proxy")?;
    let (mut open, mut seen) = ((0..SENT).collect::<BTreeSet<_>>(), BTreeSet::new());
    let (mut times, mut fresh) = (Times::new(), Times::new());
    let before = world.ask("cuts").await?;
    for turn in 0.. {
        if open.is_empty() {
            break;
        }
        if turn < CUTS {
            world.ask("cut?after=60000").await?;
        }
        // What a broken wire says is not of interest: it goes on.
        let _ = send_some(world, &mut open, &mut times).await;
    }
    for turn in 0.. {
        if seen.len() == SENT {
            break;
        }
        if turn < CUTS {
            world.ask("cut?after=40000").await?;
        }
        let _ = take_some(world, &mut seen, &mut fresh).await;
    }
    if world.ask("cuts").await? == before {
        return failed("nothing was cut");
    }
    let mut peer = Peer::open(world).await?;
    let mut receiver = peer.receiver(world, world.queue(), 0).await?;
    let rest = peer.rest(world, &mut receiver, &world.queue()).await?;
    rest.iter().for_each(|taken| count_fresh(taken, &mut fresh));
    let doubled: Vec<_> = fresh.iter().filter(|(at, came)| **came > times[*at]).collect();
    same(&doubled, &vec![], "came more often than they were sent, without a delivery-count")
}

pub async fn kill(world: &World) -> Done {
    world.needs("killable")?;
    let mut peer = Peer::open(world).await?;
    let mut sender = peer.sender(world, &world.queue()).await?;
    sender.deliver((0..200).map(|at| text(&body(at))).collect()).await?;
    let mut receiver = peer.receiver(world, world.queue(), 50).await?;
    let held = receiver.take(50).await?;
    let numbers: Vec<_> = held.iter().map(number).collect();
    same(&numbers, &(0..50).collect(), "before the kill")?;
    receiver.0.accept_all(&held[..20]).await?;
    world.ask("kill").await?;
    world.ask("start").await?;
    let mut peer = Peer::open(world).await?;
    let mut receiver = peer.receiver(world, world.queue(), 0).await?;
    let rest = peer.rest(world, &mut receiver, &world.queue()).await?;
    let fresh: Vec<_> = rest.iter().filter(|each| count(each) == 0).map(number).collect();
    same(&fresh, &(50..200).collect(), "without a delivery-count, in order")?;
    let came: BTreeSet<_> = rest.iter().map(number).filter(|at| *at >= 20).collect();
    same(&came, &(20..200).collect(), "after the kill")
}
