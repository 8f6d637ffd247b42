"""Cuts of the TCP connection, and a broker that is killed: the harness does it when it is asked."""

import time

from proton import Delivery

from cases import case
from peer import STEP_S, Skip, bodies, same

SENT, CUTS = 300, 3


def body(at):
    return f"{at}:" + "y" * 1000


def number(message):
    return int(message.body.split(":")[0])


def again(world):
    """A connection through the wire, as soon as there is one."""
    end = time.monotonic() + STEP_S
    while True:
        try:
            return world.peer(world.given.proxy)
        except Exception:
            if time.monotonic() > end:
                raise


def send_some(world, open_, times):
    """Sends what is open and takes out what was accepted, until the wire breaks or nothing is left."""
    waiting = {}
    try:
        sender = again(world).sender(world.queue)
        for at in sorted(open_):
            waiting[at] = sender.send(body(at))
            times[at] = times.get(at, 0) + 1
        sender.peer.wait(lambda: all(each.settled for each in waiting.values()), "outcomes")
    except Exception:
        pass
    open_ -= {at for at, each in waiting.items() if each.remote_state == Delivery.ACCEPTED}


def take_some(world, seen, fresh):
    """Takes and accepts until the wire breaks or everything has been seen."""
    try:
        receiver = again(world).receiver(world.queue, credit=10)
        while len(seen) < SENT:
            message, delivery = receiver.one()
            count_fresh(message, fresh)
            seen.add(number(message))
            receiver.settle(delivery)
            receiver.link.flow(1)
    except Exception:
        pass


def count_fresh(message, fresh):
    if not message.delivery_count:
        fresh[number(message)] = fresh.get(number(message), 0) + 1


@case
def cut(world):
    if not world.given.proxy:
        raise Skip("needs --proxy and --control")
    open_, seen, times, fresh = set(range(SENT)), set(), {}, {}
    before, end = int(world.ask("cuts")), time.monotonic() + 30
    for turn in range(1000):
        if not open_ or time.monotonic() > end:
            break
        if turn < CUTS:
            world.ask("cut?after=60000")
        send_some(world, open_, times)
    same(open_, set(), "never accepted")
    for turn in range(1000):
        if len(seen) == SENT or time.monotonic() > end:
            break
        if turn < CUTS:
            world.ask("cut?after=40000")
        take_some(world, seen, fresh)
    same(set(range(SENT)) - seen, set(), "never came")
    assert int(world.ask("cuts")) > before, "nothing was cut"
    for message, _ in world.peer().receiver(world.queue, credit=0).rest():
        count_fresh(message, fresh)
    doubled = [at for at, came in fresh.items() if came > times[at]]
    same(doubled, [], "came more often than they were sent, without a delivery-count")


@case
def kill(world):
    if not world.given.killable:
        raise Skip("needs --killable")
    peer = world.peer()
    peer.sender(world.queue).deliver(*map(body, range(200)))
    receiver = peer.receiver(world.queue, credit=50)
    held = receiver.take(50)
    same([number(message) for message, _ in held], list(range(50)), "before the kill")
    for _, delivery in held[:20]:
        receiver.settle(delivery)
    world.ask("kill")
    world.ask("start")
    rest = world.peer().receiver(world.queue, credit=0).rest()
    unflagged = [number(message) for message, _ in rest if not message.delivery_count]
    same([at for at in unflagged if at < 50], [], "redelivered without a delivery-count")
    same(unflagged, sorted(unflagged), "order of what was not delivered before")
    same(sorted(number(message) for message, _ in rest if number(message) >= 20), list(range(20, 200)), "after the kill")
    same(len(bodies(rest)), len(set(bodies(rest))), "twice")
