"""The broker is killed and started again; clients go on with their numbers. Needs a broker that the runner started."""

import asyncio

from websockets.exceptions import ConnectionClosed

from codec import TEXT
from suite import case


async def restart(world, how="kill"):
    """Kills or terminates the broker and starts it on the same port with the same data."""
    await asyncio.to_thread(world.broker.kill if how == "kill" else world.broker.terminate)
    await asyncio.to_thread(world.broker.start)


@case("MBWS-020 MBWS-021 MBWS-022 MBWS-026 MBWS-031", needs=("broker",))
async def numbers_go_on_after_a_kill(world, kind):
    queue = world.address()
    peer = await world.connected(kind, queue)
    for number in range(1, 11):
        await peer.publish(queue, body=str(number))
    await peer.settled()
    await peer.deliveries(10)
    await peer.acknowledge(4)
    await peer.barrier(world.address("sink"))
    await restart(world)
    again = await world.resumed(peer, 6, 12, 11)
    assert again.sent == 11
    assert [(d.seq, d.message.body) for d in await again.deliveries(4)] == [(n, b"%d" % n) for n in range(7, 11)]
    await again.publish(queue, body="11")
    got = await again.delivery()
    assert (got.seq, got.message.body) == (11, b"11")
    await again.settled()
    assert again.acknowledged == 12
    await again.acknowledge(11)
    await again.barrier(world.address("sink"))
    await again.close()
    assert await world.empty(queue) == []


@case("MBWS-044 MBWS-049", needs=("broker",))
async def the_criteria_hold_after_a_kill(world, kind):
    queue = world.address()
    peer = await world.connected(kind, queue)
    for number in range(1, 6):
        await peer.publish(queue, body=str(number))
    await peer.settled()
    await peer.deliveries(5)
    await peer.acknowledge(3)
    await peer.barrier(world.address("sink"))
    await restart(world)
    refused = await world.open(kind, query=f"address={queue}")
    assert (await refused.reconnect(peer.name, 2, 7, 6)).name != peer.name
    assert [d.message.body for d in await refused.deliveries(2)] == [b"4", b"5"]


@case("MBWS-033 MBWS-A11", needs=("broker",))
async def what_was_acknowledged_is_there_after_a_kill(world, kind):
    for turn in range(3):
        queue = world.address()
        peer = await world.connected(kind)
        for number in range(500):
            await peer.publish(queue, body=str(number))
        while peer.acknowledged < 50 * turn + 1:
            await peer.pump()
        await restart(world)
        promised = peer.acknowledged
        again = await world.open(kind)
        answer = await again.reconnect(peer.name, 0, promised + 1, 500)
        assert answer.name == peer.name, f"acknowledged {promised}, answered {answer}"
        assert again.sent >= promised, f"acknowledged {promised}, after the kill {again.sent}"
        for number in range(again.sent, 500):
            await again.publish(queue, body=str(number))
        await again.settled()
        assert [m.body for m in await world.empty(queue)] == [b"%d" % number for number in range(500)]


@case("MBWS-026 MBWS-A09", needs=("broker",), rows=[("kill", "kill"), ("terminate", "terminate")])
async def nothing_is_lost_or_doubled_while_the_broker_comes_and_goes(world, kind, how):
    queue, total = world.address(), 400
    peer = await world.connected(kind, queue, credit=30)
    got, restarts = [], 0
    while len(got) < total or peer.acknowledged < total:
        try:
            for number in range(peer.sent, min(peer.sent + 60, total)):
                await peer.publish(queue, body=str(number))
            goal = min(len(got) + 40, peer.sent)
            while len(got) < goal or (goal == total and peer.acknowledged < total):
                await peer.pump()
                while peer.inbox:
                    delivery = peer.inbox.popleft()
                    got.append(delivery.message.body)
                    assert delivery.seq == len(got)
                    if delivery.seq % 5 == 0:
                        await peer.acknowledge(delivery.seq)
        except ConnectionClosed as end:
            raise AssertionError(f"closed by the broker: {end}") from end
        if len(got) >= total and peer.acknowledged >= total:
            break
        sent, acknowledged = peer.sent, peer.acknowledged
        await restart(world, how)
        restarts += 1
        peer = await world.resumed(peer, len(got), acknowledged + 1, sent)
    assert restarts > 2
    assert got == [b"%d" % number for number in range(total)], f"{len(got)} received, {len(set(got))} different"


@case("MBWS-A09 MBWS-020", needs=("broker",), kinds=(TEXT,))
async def a_restart_closes_with_a_code_that_leaves_the_connection(world, kind):
    peer = await world.connected(kind)
    await peer.publish(world.address())
    await peer.settled()
    closing = asyncio.create_task(peer.closed())
    assert await asyncio.to_thread(world.broker.terminate) == 0
    code = await closing
    await asyncio.to_thread(world.broker.start)
    assert code in (1001, 1012), code
    assert (await world.resumed(peer, 0, 2, 1)).sent == 1


@case("MBWS-015 MBWS-A09", needs=("broker",), kinds=(TEXT,))
async def an_ended_connection_stays_ended(world, kind):
    peer = await world.connected(kind)
    await peer.barrier(world.address())
    await peer.close()
    await restart(world)
    again = await world.open(kind)
    assert (await again.reconnect(peer.name, 0, 2, 1)).name != peer.name


@case("MBWS-079 MBWS-A18 MBWS-A03", needs=("broker",))
async def messages_are_unchanged_after_a_kill(world, kind):
    queue = world.address() + "é😀"
    peer = await world.connected(kind)
    properties = (("b", "1"), ("a", "😀"), ("b", "1"))
    await peer.publish(queue, content_type="text/plain", properties=properties, body="grüße")
    await peer.publish(queue, body=b"m" * 3_000_000)
    await peer.settled()
    await restart(world)
    reader = await world.connected(kind)
    await reader.consume(queue)
    first, second = await reader.take(2)
    assert first.kind == kind and first.message.addresses == (queue,)
    assert (first.message.content_type, first.message.properties) == ("text/plain", properties)
    assert first.message.body == "grüße".encode() and second.message.body == b"m" * 3_000_000


@case("MBWS-A25 MBWS-020", needs=("broker",), kinds=(TEXT,))
async def subscriptions_survive_a_kill(world, kind):
    topic = world.topic()
    named, unnamed = await world.connected(kind), await world.connected(kind)
    await named.consume(topic, subscription="durable")
    await unnamed.consume(topic)
    await restart(world)
    sender = await world.connected(kind)
    await sender.publish(topic, body="x")
    await sender.settled()
    for lost in (named, unnamed):
        again = await world.resumed(lost, 0, 2, 1)
        assert (await again.delivery()).message.body == b"x"
