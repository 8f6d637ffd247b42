"""MBLWS: the same messages, without Connect, Acknowledge and recovery."""

from codec import BINARY, TEXT, Acknowledge, Connect
from suite import case


@case("MBWS-063 MBWS-062 MBWS-A20")
async def messages_flow_at_once(world, kind):
    queue = world.address()
    peer = await world.connected(kind, queue, light=True)
    for number in range(20):
        await peer.publish(queue, body=str(number))
    # `pump` fails on any frame but a Message.
    got = await peer.deliveries(20)
    assert [d.message.body for d in got] == [b"%d" % number for number in range(20)]
    assert {d.kind for d in got} == {kind}


@case("MBWS-063")
async def the_server_sends_without_being_asked(world, kind):
    queue = world.address()
    sender = await world.connected(kind)
    await sender.publish(queue, body="waiting")
    await sender.settled()
    peer = await world.connected(kind, queue, light=True)
    assert (await peer.delivery()).message.body == b"waiting"


@case("MBWS-060 MBWS-061 MBWS-062 MBWS-A21")
async def connect_and_acknowledge_are_ignored(world, kind):
    queue = world.address()
    peer = await world.connected(kind, queue, light=True)
    ignored = [Connect(), Connect("urn:mb:7", (0, 1, 0)), Connect(), Acknowledge(0), Acknowledge(99)]
    for number, frame in enumerate(ignored):
        await peer.send(frame)
        await peer.publish(queue, body=str(number))
        assert (await peer.delivery()).message.body == b"%d" % number
    assert not peer.inbox


@case("MBWS-A21 MBWS-120")
async def malformed_frames_are_still_errors(world, kind):
    frames = (b"1 ", b"2 x ", b"9 ") if kind == TEXT else (b"\1", b"\2", b"\2\0\0")
    for octets in frames:
        peer = await world.connected(kind, light=True)
        await peer.send_octets(octets)
        assert await peer.closed() == 1002


@case("MBWS-064")
async def what_was_delivered_does_not_come_again(world, kind):
    queue = world.address()
    peer = await world.connected(kind, queue, light=True)
    for number in range(5):
        await peer.publish(queue, body=str(number))
    await peer.deliveries(5)
    await peer.cut()
    assert await world.empty(queue) == []


@case("MBWS-064", rows=[("cut", None), ("1000", 1000), ("1001", 1001)])
async def the_connection_ends_with_its_session(world, kind, code):
    queue = world.address()
    peer = await world.connected(kind, queue, light=True)
    await peer.barrier_light(queue)
    if code is None:
        await peer.cut()
    else:
        await peer.close(code)
    # Nobody consumes there any more: what comes now waits for the next.
    sender = await world.connected(kind)
    await sender.publish(queue, body="later")
    await sender.settled()
    assert [m.body for m in await world.empty(queue)] == [b"later"]


@case("MBWS-001 MBWS-003 MBWS-A03")
async def both_subprotocols_meet_at_an_address(world, kind):
    there, back = world.address("there"), world.address("back")
    light = await world.connected(kind, there, light=True)
    full = await world.connected(BINARY if kind == TEXT else TEXT, back)
    await full.publish(there, body="ping", properties=(("k", "v"),))
    got = await light.delivery()
    assert got.message.body == b"ping" and got.kind == full.kind
    await light.publish(back, body=got.message.body + b" pong")
    got = await full.delivery()
    assert got.message.body == b"ping pong" and got.kind == kind


@case("MBWS-063 MBWS-A25")
async def a_light_client_may_ask_by_message(world, kind):
    queue = world.address()
    peer = await world.connected(kind, light=True)
    await peer.publish("wharf/consume", properties=(("address", queue),))
    await peer.publish(queue, body="x")
    assert (await peer.delivery()).message.body == b"x"


@case("MBWS-064 MBWS-026")
async def a_burst_for_a_light_consumer_is_complete(world, kind):
    queue = world.address()
    peer = await world.connected(kind, queue, light=True, credit=10)
    sender = await world.connected(kind)
    for number in range(3000):
        await sender.publish(queue, body=str(number))
    await sender.settled()
    assert [d.message.body for d in await peer.deliveries(3000)] == [b"%d" % number for number in range(3000)]
