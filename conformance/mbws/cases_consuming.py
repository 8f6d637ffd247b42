"""MBWS-A25: how a client comes to receive, which the draft leaves to the broker (docs/protocols/mbws.md)."""

import asyncio
from collections import Counter
from urllib.parse import quote

from codec import TEXT
from suite import case

DELIVERIES_MAX = 20


@case("MBWS-A25 MBWS-076")
async def by_the_url(world, kind):
    queues = [world.address(), world.address() + "/ä b&c=d"]
    peer = await world.open(kind, query="&".join("address=" + quote(queue, safe="") for queue in queues))
    await peer.connect()
    for queue in queues:
        await peer.publish(queue, body=queue)
        assert (await peer.delivery()).message.addresses == (queue,)


@case("MBWS-A25")
async def by_a_message(world, kind):
    queues = [world.address() for _ in range(3)]
    sender = await world.connected(kind)
    for queue in queues:
        await sender.publish(queue, body="before")
    await sender.settled()
    peer = await world.connected(kind)
    await peer.consume(*queues)
    # An ordinary message: numbered and acknowledged.
    assert peer.acknowledged == 1
    assert sorted(d.message.addresses[0] for d in await peer.deliveries(3)) == sorted(queues)
    await sender.publish(queues[0], body="after")
    assert (await peer.delivery()).message.body == b"after"


@case("MBWS-A25")
async def until_cancelled(world, kind):
    kept, stopped = world.address("kept"), world.address("stopped")
    peer = await world.connected(kind)
    await peer.consume(kept, stopped)
    await peer.cancel(stopped)
    await peer.publish(kept, stopped, body="x")
    await peer.settled()
    assert (await peer.delivery()).message.addresses == (kept,)
    await peer.barrier(world.address())
    assert not peer.inbox
    assert len(await world.empty(stopped)) == 1


@case("MBWS-A25 MBWS-A15")
async def credit_may_be_changed(world, kind):
    queue = world.address()
    peer = await world.connected(kind, queue, credit=1)
    for number in range(5):
        await peer.publish(queue, body=str(number))
    await peer.settled()
    await peer.barrier(world.address())
    assert len(peer.inbox) == 1, len(peer.inbox)
    await peer.consume(queue, credit=4)
    assert [d.message.body for d in await peer.deliveries(4)] == [b"0", b"1", b"2", b"3"]
    await peer.barrier(world.address())
    assert not peer.inbox


@case("MBWS-A25 MBWS-A15")
async def consuming_again_without_a_credit_changes_nothing(world, kind):
    queue = world.address()
    peer = await world.connected(kind)
    await peer.consume(queue, credit=2)
    await peer.consume(queue)
    for number in range(5):
        await peer.publish(queue, body=str(number))
    await peer.settled()
    await peer.deliveries(2)
    await peer.barrier(world.address())
    assert not peer.inbox


UNCLEAR_QUERIES = ["credit=0", "credit=x", "credit=-1", "unit=bytes", "unit=", "&".join("address=a" for _ in range(65))]


@case("MBWS-A25", rows=[(query[:12], query) for query in UNCLEAR_QUERIES])
async def an_unclear_url_is_closed_with_1008(world, kind, query):
    peer = await world.open(kind, query=query)
    assert await peer.closed() == 1008


@case("MBWS-A25 MBWS-035", rows=[("no-address", ()), ("credit-0", (("address", "a"), ("credit", "0")))])
async def an_unclear_wish_is_closed_with_1008(world, kind, properties):
    peer = await world.connected(kind)
    await peer.publish("wharf/consume", properties=properties)
    assert await peer.closed() == 1008
    # Taken nevertheless, so that the client does not send it for ever.
    assert (await world.resumed(peer, 0, 1, 1)).sent == 1


@case("MBWS-074 MBWS-026")
async def consumers_of_a_queue_compete(world, kind):
    queue, total = world.address(), 200
    consumers = [await world.connected(kind, queue, credit=5) for _ in range(4)]
    sender = await world.connected(kind)
    for number in range(total):
        await sender.publish(queue, body=str(number))
    await sender.settled()
    got, complete = Counter(), asyncio.Event()

    async def consume(consumer):
        while True:
            delivery = (await consumer.take(1))[0]
            got[delivery.message.body] += 1
            if got.total() >= total:
                complete.set()

    workers = [asyncio.create_task(consume(consumer)) for consumer in consumers]
    await asyncio.wait_for(complete.wait(), 30)
    for worker in workers:
        worker.cancel()
    assert set(got.values()) == {1} and len(got) == total, got.most_common(3)
    assert all(consumer.received > 0 for consumer in consumers), [consumer.received for consumer in consumers]


@case("MBWS-A25")
async def what_a_slow_consumer_cannot_take_goes_to_another(world, kind):
    queue = world.address()
    slow = await world.connected(kind, queue, credit=1)
    sender = await world.connected(kind)
    await sender.publish(queue, body="0")
    await slow.delivery()
    fast = await world.connected(kind, queue)
    for number in range(1, 50):
        await sender.publish(queue, body=str(number))
    assert [d.message.body for d in await fast.take(49)] == [b"%d" % number for number in range(1, 50)]


@case("MBWS-A25 MBWS-A10")
async def what_a_consumer_leaves_comes_first(world, kind):
    queue = world.address()
    first = await world.connected(kind, queue, credit=3)
    for number in range(6):
        await first.publish(queue, body=str(number))
    await first.settled()
    await first.deliveries(3)
    await first.close()
    assert [m.body for m in await world.empty(queue)] == [b"%d" % number for number in range(6)]


@case("MBWS-074")
async def a_topic_goes_to_every_subscription(world, kind):
    topic = world.topic()
    peers = [await world.connected(kind, topic) for _ in range(3)]
    for peer in peers:
        # The subscription exists before the message is sent.
        await peer.barrier(world.address())
    await peers[0].publish(topic, body="x")
    for peer in peers:
        got = await peer.delivery()
        assert (got.message.addresses, got.message.body) == ((topic,), b"x")


@case("MBWS-077")
async def a_topic_without_subscriptions_keeps_nothing(world, kind):
    topic = world.topic()
    peer = await world.connected(kind)
    await peer.publish(topic, body="lost")
    await peer.settled()
    await peer.consume(topic)
    await peer.publish(topic, body="seen")
    assert (await peer.delivery()).message.body == b"seen"


@case("MBWS-A25")
async def a_named_subscription_outlives_its_connection(world, kind):
    topic = world.topic()
    first = await world.connected(kind)
    await first.consume(topic, subscription="durable")
    await first.close()
    sender = await world.connected(kind)
    for number in range(3):
        await sender.publish(topic, body=str(number))
    await sender.settled()
    second = await world.connected(kind)
    await second.consume(topic, subscription="durable")
    assert [d.message.body for d in await second.take(3)] == [b"0", b"1", b"2"]


@case("MBWS-A25")
async def an_unnamed_subscription_ends_with_its_connection(world, kind):
    topic = world.topic()
    first = await world.connected(kind)
    await first.consume(topic)
    await first.close()
    second = await world.connected(kind)
    await second.publish(topic, body="lost")
    await second.settled()
    await second.consume(topic)
    await second.publish(topic, body="seen")
    assert (await second.delivery()).message.body == b"seen"


@case("MBWS-A25 MBWS-020")
async def an_unnamed_subscription_survives_a_cut(world, kind):
    topic = world.topic()
    lost = await world.connected(kind)
    await lost.consume(topic)
    await lost.cut()
    sender = await world.connected(kind)
    await sender.publish(topic, body="kept")
    await sender.settled()
    again = await world.resumed(lost, 0, 2, 1)
    assert (await again.delivery()).message.body == b"kept"


@case("MBWS-A25 MBWS-026")
async def consumers_of_one_subscription_compete(world, kind):
    topic = world.topic()
    peers = [await world.connected(kind) for _ in range(2)]
    for peer in peers:
        await peer.consume(topic, subscription="shared", credit=5)
    sender = await world.connected(kind)
    for number in range(10):
        await sender.publish(topic, body=str(number))
    await sender.settled()
    got = [d.message.body for peer in peers for d in await peer.deliveries(5)]
    assert sorted(got) == [b"%d" % number for number in range(10)]


@case("MBWS-077 MBWS-035 MBWS-A19")
async def a_reserved_address_is_a_dead_letter_and_the_others_are_served(world, kind):
    queue = world.address()
    body = world.address("body").encode()
    peer = await world.connected(kind, queue)
    await peer.publish("wharf/nonsense", queue, body=body)
    await peer.settled()
    assert (await peer.delivery()).message.body == body
    found = await world.dead_letters(body)
    assert [address for _, address in found] == ["wharf/nonsense"], found
    assert found[0][0] in ("not-permitted", "invalid-address"), found


@case("MBWS-077 MBWS-035", rows=[("control", "a\0b"), ("newline", "a\nb")])
async def an_invalid_address_is_a_dead_letter(world, kind, address):
    body = world.address("body").encode()
    peer = await world.connected(kind)
    await peer.publish(address, body=body)
    await peer.settled()
    assert await world.dead_letters(body) == [("invalid-address", address)]


@case("MBWS-077")
async def a_dead_letter_keeps_what_it_brought(world, kind):
    peer = await world.connected(kind)
    body = world.address("body").encode()
    properties = (("b", "1"), ("a", "2"), ("b", "1"), ("é", "😀"))
    await peer.publish(content_type="text/plain", properties=properties, body=body)
    await peer.settled()
    letter = next(letter for letter in await world.empty("wharf/dead-letter") if letter.body == body)
    # The sender's own properties come first and unchanged.
    assert letter.properties[:4] == properties, letter.properties
    assert letter.content_type == "text/plain"
    assert set(dict(letter.properties[4:])) <= {"wharf-death-reason", "wharf-death-address"}, letter.properties


@case("MBWS-077", kinds=(TEXT,))
async def too_many_deliveries_make_a_dead_letter(world, kind):
    queue = world.address()
    body = world.address("body").encode()
    sender = await world.connected(kind)
    await sender.publish(queue, body=body)
    await sender.settled()
    for delivery in range(DELIVERIES_MAX):
        peer = await world.connected(kind, queue)
        assert (await peer.delivery()).message.body == body, f"delivery {delivery + 1}"
        # Closed without an acknowledgement.
        await peer.close()
    assert await world.empty(queue) == []
    assert await world.dead_letters(body) == [("deliveries-max", queue)]


@case("MBWS-077", kinds=(TEXT,))
async def a_cut_is_no_delivery_more(world, kind):
    queue = world.address()
    peer = await world.connected(kind, queue)
    await peer.publish(queue, body="patient")
    await peer.settled()
    for _ in range(DELIVERIES_MAX + 5):
        await peer.deliveries(1)
        await peer.cut()
        peer = await world.resumed(peer, 0, 2, 1)
    assert (await peer.take(1))[0].message.body == b"patient"
