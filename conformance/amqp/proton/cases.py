"""What an AMQP client can rely on."""

import time

from proton import Condition, Delivery, Message
from proton.reactor import AtMostOnce, Copy, DurableSubscription

from peer import SettleSecond, Skip, bodies, same

CASES = {}


def case(function):
    CASES[function.__name__.replace("_", "-")] = function
    return function


def pair(world, **options):
    peer = world.peer()
    return peer, peer.sender(world.queue), peer.receiver(world.queue, **options)


def first(world):
    """One message, sent and taken."""
    peer, sender, receiver = pair(world)
    sender.deliver("one")
    message, delivery = receiver.one()
    same((message.body, message.delivery_count), ("one", 0), "first delivery")
    return peer, sender, receiver, delivery


def left(peer, world):
    return bodies(peer.receiver(world.queue, credit=0).rest())


def refused(act, *words):
    try:
        act()
    except Exception as error:
        assert any(word in str(error) for word in words), f"refused with: {error}"
        return
    raise AssertionError("it was not refused")


@case
def connect(world):
    peer = world.peer()
    assert peer.connection.conn.remote_container, "the open has no container-id"
    peer.close()


@case
def wrong_password(world):
    refused(lambda: world.peer(password=f"not {world.given.password}"), "Authentication failed")
    refused(lambda: world.peer(user="nobody-of-this-name"), "Authentication failed")


@case
def scram(world):
    raise Skip("the wheel of Proton is built without Cyrus SASL: no SCRAM")


@case
def anonymous(world):
    if not world.given.anonymous:
        raise Skip("needs --anonymous")
    world.peer(mechanisms="ANONYMOUS").close()


@case
def thousand(world):
    peer, sender, receiver = pair(world, credit=50)
    wanted = [f"{at}:" + "x" * (at % 300) for at in range(world.given.messages)]
    deliveries, found = [], []
    for body in wanted:
        deliveries.append(sender.send(body))
        while receiver.got:
            message, delivery = receiver.got.pop(0)
            found.append(message.body)
            receiver.settle(delivery)
            receiver.link.flow(1)
    while len(found) < len(wanted):
        message, delivery = receiver.one()
        found.append(message.body)
        receiver.settle(delivery)
        receiver.link.flow(1)
    peer.wait(lambda: all(each.settled for each in deliveries), "outcomes")
    same({each.remote_state for each in deliveries}, {Delivery.ACCEPTED}, "outcomes")
    same(found, wanted, "bodies")
    same(bodies(receiver.rest()), [], "left over")


@case
def accepted(world):
    peer, _, receiver, delivery = first(world)
    receiver.settle(delivery)
    receiver.close()
    same(left(peer, world), [], "after accepting")


@case
def released(world):
    _, _, receiver, delivery = first(world)
    receiver.settle(delivery, Delivery.RELEASED)
    message, delivery = receiver.one()
    same((message.body, message.delivery_count), ("one", 0), "second delivery (released is no failure)")
    receiver.settle(delivery)


@case
def rejected(world):
    if not world.given.dead_letter:
        raise Skip("needs --dead-letter")
    peer, sender, receiver = pair(world)
    body = world.unique("rejected")
    sender.deliver(body)
    _, delivery = receiver.one()
    delivery.local.condition = Condition("amqp:internal-error", "no good")
    receiver.settle(delivery, Delivery.REJECTED)
    letters = peer.receiver(world.given.dead_letter)
    found = None
    while found != body:
        message, delivery = letters.one()
        found = message.body
        letters.settle(delivery)
        letters.link.flow(1)
    same(bodies(receiver.rest()), [], "the rejected one comes again")


@case
def modified_failed(world):
    _, _, receiver, delivery = first(world)
    for count in (1, 2):
        delivery.local.failed = True
        receiver.settle(delivery, Delivery.MODIFIED)
        message, delivery = receiver.one()
        same((message.body, message.delivery_count), ("one", count), "delivery-count")
    receiver.settle(delivery)


@case
def modified_undeliverable(world):
    peer, sender, receiver, delivery = first(world)
    delivery.local.undeliverable = True
    receiver.settle(delivery, Delivery.MODIFIED)
    sender.deliver("two")
    same(bodies(receiver.take()), ["two"], "what the link that cannot have it gets")
    same(bodies(receiver.rest()), [], "on the link that cannot have it")
    same(bodies(peer.receiver(world.queue).take()), ["one"], "what another link gets")


@case
def presettled_send(world):
    peer = world.peer()
    sender, receiver = peer.sender(world.queue, options=AtMostOnce()), peer.receiver(world.queue)
    for at in range(50):
        sender.send(str(at))
    same(bodies(receiver.take(50)), [str(at) for at in range(50)], "bodies")


@case
def presettled_receive(world):
    peer, sender, receiver = pair(world, credit=10, options=AtMostOnce())
    sender.deliver("one", "two")
    taken = receiver.take(2)
    same([(message.body, delivery.settled) for message, delivery in taken], [("one", True), ("two", True)], "settled")
    receiver.close()
    same(left(peer, world), [], "what was sent settled is gone")


@case
def settle_second(world):
    peer, sender, receiver = pair(world, options=SettleSecond())
    sender.deliver("one")
    _, delivery = receiver.one()
    delivery.update(Delivery.ACCEPTED)
    peer.wait(lambda: delivery.settled, "the broker settles second")
    delivery.settle()
    receiver.close()
    same(left(peer, world), [], "after settling")


@case
def credit(world):
    _, sender, receiver = pair(world, credit=0)
    sender.deliver(*"abcdefghij")
    receiver.link.flow(3)
    same(bodies(receiver.take(3)), [*"abc"], "with a credit of 3")
    # A round trip later nothing more may have come.
    sender.deliver("k")
    same(bodies(receiver.got), [], "without credit")
    receiver.link.flow(2)
    same(bodies(receiver.take(2)), [*"de"], "with a credit of 2")


@case
def drain(world):
    _, sender, receiver = pair(world, credit=0)
    same(bodies(receiver.rest(10)), [], "an empty queue, drained")
    sender.deliver(*"abc")
    same(bodies(receiver.rest(10)), [*"abc"], "three, drained with a credit of 10")
    sender.deliver(*"def")
    same(bodies(receiver.got), [], "drained credit is gone")
    same(bodies(receiver.rest(2)), [*"de"], "drained with a credit of 2")


@case
def browse(world):
    peer = world.peer()
    peer.sender(world.queue).deliver(*"abc")
    for time_ in ("once", "twice"):
        browser = peer.receiver(world.queue, credit=0, options=Copy())
        seen = browser.rest()
        same(bodies(seen), [*"abc"], f"browsed {time_}")
        for _, delivery in seen:
            browser.settle(delivery)
        browser.close()
    same(left(peer, world), [*"abc"], "taken after browsing")


@case
def topic(world):
    peers = world.peer(), world.peer()
    receivers = [peer.receiver(world.topic) for peer in peers]
    peers[0].sender(world.topic).deliver(*"abc")
    for receiver in receivers:
        same(bodies(receiver.take(3)), [*"abc"], "each subscriber")


@case
def topic_durable(world):
    container = world.unique("container")
    how = {"name": "kept", "options": DurableSubscription()}
    sender = world.peer().sender(world.topic)
    peer = world.peer(container_id=container)
    receiver = peer.receiver(world.topic, **how)
    sender.deliver("a")
    message, delivery = receiver.one()
    same(message.body, "a", "while attached")
    receiver.settle(delivery)
    receiver.detach()
    peer.close()
    sender.deliver(*"bc")
    peer = world.peer(container_id=container)
    receiver = peer.receiver(world.topic, **how)
    taken = receiver.take(2)
    same(bodies(taken), [*"bc"], "kept while detached")
    for _, delivery in taken:
        receiver.settle(delivery)
    # Closing, unlike detaching, ends the subscription.
    receiver.close()
    sender.deliver("d")
    same(bodies(peer.receiver(world.topic, credit=0, **how).rest()), [], "after it was closed")


@case
def dynamic_node(world):
    asking, answering = world.peer(), world.peer()
    replies = asking.receiver(dynamic=True)
    address = replies.link.remote_source.address
    assert address, "the dynamic node has no address"
    asking.sender(world.queue).deliver(Message(body="ping", reply_to=address, correlation_id="7"))
    request, _ = answering.receiver(world.queue).one()
    same(request.reply_to, address, "reply-to")
    answering.sender(request.reply_to).deliver(Message(body="pong", correlation_id=request.correlation_id))
    reply, _ = replies.one()
    same((reply.body, reply.correlation_id), ("pong", "7"), "reply")


@case
def anonymous_terminus(world):
    peer = world.peer()
    sender = peer.sender(None)
    for part in "ab":
        queue = f"{world.queue}-{part}"
        receiver = peer.receiver(queue)
        sender.deliver(Message(body=f"to {part}", address=queue))
        message, _ = receiver.one()
        same((message.body, message.address), (f"to {part}", queue), "by the message's to")


def large_message(world, size):
    peer, sender, receiver = pair(world, credit=1)
    body = bytes((at * 31 + (at >> 13)) & 255 for at in range(1 << 20)) * (size >> 20)
    sender.deliver(Message(body=body, inferred=True))
    message, delivery = receiver.one()
    assert message.body == body, f"{len(message.body)} octets, not the {size} that were sent"
    receiver.settle(delivery)


CASES["large-1mib"] = lambda world: large_message(world, 1 << 20)
CASES["large"] = lambda world: large_message(world, world.given.large)


@case
def forbidden(world):
    if not world.given.limited:
        raise Skip("needs --limited")
    name, password = world.given.limited.split(":", 1)
    peer = world.peer(user=name, password=password)
    refused(lambda: peer.receiver(world.queue), "unauthorized-access")
    refused(lambda: peer.sender(world.queue), "unauthorized-access")
    allowed = f"{world.given.limited_address}/{world.unique('open')}"
    peer.sender(allowed).deliver("x")
    same(bodies(peer.receiver(allowed).take()), ["x"], "the connection lives on, and what is permitted works")


@case
def heartbeat(world):
    # Half of it is what Proton tells the broker.
    peer = world.peer(heartbeat=2)
    end = time.monotonic() + 3
    peer.wait(lambda: time.monotonic() > end, "a silence")
    assert not peer.connection.disconnected, "the connection was lost while idle"
    peer.sender(world.queue).deliver("x")
    same(bodies(peer.receiver(world.queue).take()), ["x"], "after a silence")
