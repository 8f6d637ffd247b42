"""Messages: sending, looking, purging, moving, redriving."""

import base64

from api import path
from codec import BINARY, TEXT
from world import case


def at(address, last="messages"):
    return path("addresses", address, last)


@case
async def sent_and_received(world):
    name = world.queue()
    peer = await world.peer()
    await peer.consume(name)
    octets = bytes(range(256))
    world.api.post(at(name), {"text": "grüße 💥", "content_type": "text/plain",
                              "properties": {"b": "2", "a": "1", "": ""}}, status=204)
    world.api.post(at(name), {"base64": base64.b64encode(octets).decode()}, status=204)
    world.api.post(at(name), {}, status=204)
    text, binary, empty = await peer.take(3)
    assert (text.kind, text.message.body.decode()) == (TEXT, "grüße 💥"), text
    assert text.message.content_type == "text/plain", text
    assert sorted(text.message.properties) == [("", ""), ("a", "1"), ("b", "2")], text
    assert (binary.kind, binary.message.body) == (BINARY, octets), binary
    assert (empty.kind, empty.message.body) == (TEXT, b""), empty


@case
async def bodies_that_cannot_be(world):
    name = world.queue()
    for body in [{"text": "a", "base64": "YQ=="}, {"base64": "?"}, {"base64": "YQ"},
                 {"base64": "YR=="}, {"base64": "YQ==\n"}, {"text": 1}, {"properties": {"a": 1}},
                 {"unknown": 1}, [], "text", 1, None]:
        if body is None:
            answer = world.api.raw("POST", "/api/v1" + at(name), b"null",
                                   {"Content-Type": "application/json"})
            assert answer.status == 422, answer.said
            continue
        world.api.refused("invalid-value", "POST", at(name), body)
    assert world.ready(name) == 0


@case
async def a_content_type_is_as_long_as_the_document_says(world):
    name = world.queue()
    world.api.post(at(name), {"content_type": "x" * 255})
    world.api.refused("invalid-value", "POST", at(name), {"content_type": "x" * 256})


@case
async def where_nothing_can_be_sent(world):
    gone = "wharf/dynamic/" + world.name()
    for name in ["wharf/own", "wharf/dead-letter", gone, "a\nb", "x" * 1025]:
        answer = world.api.call("POST", at(name), {"text": "x"})
        assert answer.status in (404, 409, 422), answer.said
    before = world.api.get("/overview")["messages_dead_lettered_total"]
    world.api.refused("conflict", "POST", at("wharf/own"), {"text": "x"})
    # Who is told need not find it among the dead letters.
    assert world.api.get("/overview")["messages_dead_lettered_total"] == before


@case
async def a_topic_without_subscriptions_keeps_nothing(world):
    topic = world.queue("topic")
    world.send(topic, "nobody hears")
    assert world.ready(topic) == 0


@case
async def an_address_is_made_by_its_first_message(world):
    name = world.name()
    world.send(name, "x")
    assert world.api.get(path("addresses", name))["messages_ready"] == 1


@case
async def a_look_leaves_messages_where_they_are(world):
    name = world.queue()
    octets = b"\xff\x00"
    world.send(name, "first")
    world.api.post(at(name), {"base64": base64.b64encode(octets).decode(), "content_type": "x/y",
                              "properties": {"k": "v", "subject": "s"}})
    wanted = [{"text": "first", "content_type": "", "properties": {}, "deliveries": 0},
              {"base64": "/wA=", "content_type": "x/y", "properties": {"k": "v", "subject": "s"},
               "deliveries": 0}]
    for _ in range(3):
        items = world.api.get(at(name))["items"]
        assert all(item.pop("len_bytes") > 0 for item in items)
        assert items == wanted, items
    found = world.api.get(path("addresses", name)).body
    assert (found["messages_ready"], found["messages_out"], found["consumers"]) == (2, 0, 0), found
    peer = await world.peer()
    await peer.consume(name)
    assert [each.message.body for each in await peer.take(2)] == [b"first", octets]


@case
async def a_look_at_some(world):
    name = world.queue()
    world.send(name, *map(str, range(120)))
    assert world.texts(name, limit=3) == ["0", "1", "2"]
    assert world.texts(name, limit=100) == [str(at) for at in range(100)]
    assert len(world.api.get(at(name))["items"]) == 20
    for limit in (0, 101, -1, "x", "1.0", "%2B1"):
        world.api.refused("invalid-request", "GET", at(name), limit=limit)


@case
async def a_look_passes_over_what_is_out(world):
    name = world.queue()
    world.send(name, "out", "ready")
    peer = await world.peer()
    await peer.consume(name, credit=1)
    await peer.deliveries(1)
    assert world.texts(name) == ["ready"]
    await peer.close()
    # A normal close gives back, which counts as a delivery that failed.
    await world.eventually(lambda: world.ready(name) == 2, "the message comes back")
    items = world.api.get(at(name))["items"]
    assert [(item["text"], item["deliveries"]) for item in items] == [("out", 1), ("ready", 0)], items


@case
async def a_look_at_large_messages(world):
    name = world.queue()
    large = "x" * 700_000
    for number in range(8):
        world.send(name, f"{number}{large}")
    texts = world.texts(name)
    assert texts and [text[0] for text in texts] == [str(at) for at in range(len(texts))], len(texts)
    assert world.ready(name) == 8


@case
async def what_other_protocols_have_sent(world):
    name = world.queue()
    peer = await world.peer()
    await peer.publish(name, body="one", content_type="text/x", properties=[("a", "1"), ("a", "2")])
    await peer.publish(name, body=b"\x80", kind=BINARY)
    await peer.settled()
    text, octets = world.api.get(at(name))["items"]
    assert text["text"] == "one" and text["content_type"] == "text/x", text
    assert text["properties"]["a"] in ("1", "2"), text
    assert octets["base64"] == "gA==" and "text" not in octets, octets


@case
async def purged_is_what_is_not_out(world):
    name = world.queue()
    world.send(name, *map(str, range(50)))
    peer = await world.peer()
    await peer.consume(name, credit=3)
    await peer.deliveries(3)
    assert world.api.post(at(name, "purge"))["messages"] == 47
    assert world.api.post(at(name, "purge"))["messages"] == 0
    found = world.api.get(path("addresses", name)).body
    assert (found["messages_ready"], found["messages_out"]) == (0, 3), found
    world.send(name, "later")
    await peer.acknowledge(3)
    assert (await peer.take(1))[0].message.body == b"later"
    world.api.refused("not-found", "POST", at(world.name(), "purge"))


@case
async def moved_in_order(world):
    source, target = world.queue(), world.queue()
    world.send(source, *map(str, range(10)))
    world.send(target, "there before")
    moved = world.api.post(at(source, "move"), {"to": target, "messages_max": 4}).body
    assert moved == {"messages": 4, "remaining": 6}, moved
    assert world.texts(target) == ["there before", "0", "1", "2", "3"]
    assert world.texts(source) == ["4", "5", "6", "7", "8", "9"]
    moved = world.api.post(at(source, "move"), {"to": target}).body
    assert moved == {"messages": 6, "remaining": 0}, moved
    assert world.api.post(at(source, "move"), {"to": target}).body == {"messages": 0, "remaining": 0}


@case
async def moved_to_a_consumer_and_not_what_is_out(world):
    source, target = world.queue(), world.queue()
    world.send(source, "out", "ready")
    holder, taker = await world.peer(), await world.peer()
    await holder.consume(source, credit=1)
    await holder.deliveries(1)
    await taker.consume(target)
    moved = world.api.post(at(source, "move"), {"to": target}).body
    assert moved == {"messages": 1, "remaining": 1}, moved
    assert (await taker.take(1))[0].message.body == b"ready"


@case
async def moved_to_a_topic(world):
    source, topic = world.queue(), world.queue("topic")
    world.send(source, "x")
    world.api.refused("conflict", "POST", at(source, "move"), {"to": topic})
    peer = await world.peer()
    await peer.consume(topic, subscription="one")
    await peer.consume(topic)
    assert world.api.post(at(source, "move"), {"to": topic})["messages"] == 1
    assert [each.message.body for each in await peer.take(2)] == [b"x", b"x"]
    # And out of a subscription again.
    await peer.close()
    world.send(topic, "y")
    back = world.api.post(at(topic, "move"), {"to": source}, subscription="one").body
    assert back == {"messages": 1, "remaining": 0} and world.texts(source) == ["y"], back


@case
async def where_nothing_can_be_moved(world):
    source = world.queue()
    world.send(source, "stays")
    for body in [{"to": source}, {"to": world.name()}, {"to": ""}, {"to": "wharf/own"}]:
        world.api.refused("conflict", "POST", at(source, "move"), body)
    for body in [{}, {"to": 1}, {"to": source, "messages_max": 0}, {"to": source, "more": 1},
                 {"to": source, "messages_max": 1_000_001}, {"to": source, "messages_max": -1}]:
        world.api.refused("invalid-value", "POST", at(source, "move"), body)
    world.api.refused("not-found", "POST", at(world.name(), "move"), {"to": source})
    assert world.texts(source) == ["stays"]


@case
async def moving_takes_send_on_the_target(world):
    source, target = world.queue(), world.queue()
    world.send(source, "x")
    _, api = world.user({"pattern": source, "manage": True})
    api.refused("not-permitted", "POST", at(source, "move"), {"to": target})
    _, api = world.user({"pattern": source, "manage": True}, {"pattern": target, "send": True})
    assert api.post(at(source, "move"), {"to": target})["messages"] == 1
    _, api = world.user({"pattern": target, "send": True, "receive": True})
    api.refused("not-permitted", "POST", at(target, "move"), {"to": source})


@case
async def many_are_moved_and_purged(world):
    source, target = world.queue(), world.queue()
    peer = await world.peer()
    for number in range(3500):
        await peer.publish(source, body=str(number))
    await peer.settled()
    moved = world.api.post(at(source, "move"), {"to": target, "messages_max": 3200}).body
    assert moved == {"messages": 3200, "remaining": 300}, moved
    assert world.texts(target, limit=2) == ["0", "1"] and world.texts(source, limit=1) == ["3200"]
    assert world.api.post(at(target, "purge"))["messages"] == 3200


async def dead(world, *bodies):
    """A queue some of whose messages have died, and the queue where they are."""
    home, letters = world.name("home"), world.name("letters")
    world.policy(home, home, deliveries_max=1, dead_letter_address=letters)
    world.send(home, *bodies)
    for _ in bodies:
        peer = await world.peer()
        await peer.consume(home, credit=1)
        await peer.deliveries(1)
        await peer.close()
    await world.eventually(lambda: world.ready(letters) == len(bodies), "all are dead")
    return home, letters


@case
async def dead_letters_go_back_home(world):
    home, letters = await dead(world, "one", "two", "three")
    items = world.api.get(at(letters))["items"]
    deaths = [(item["text"], item["death"]) for item in items]
    death = {"reason": "deliveries-max", "address": home}
    assert deaths == [(text, death) for text in ("one", "two", "three")], deaths
    moved = world.api.post(at(letters, "redrive"), {"messages_max": 2}).body
    assert moved == {"messages": 2, "remaining": 1}, moved
    items = world.api.get(at(home))["items"]
    assert [item["text"] for item in items] == ["one", "two"], items
    assert all(item["deliveries"] == 0 for item in items), items
    assert world.api.post(at(letters, "redrive"), {}).body == {"messages": 1, "remaining": 0}
    assert world.texts(home) == ["one", "two", "three"]
    peer = await world.peer()
    await peer.consume(home)
    assert [each.message.body for each in await peer.take(3)] == [b"one", b"two", b"three"]


@case
async def dead_letters_without_a_home_stay(world):
    home, letters = await dead(world, "one", "two")
    world.api.delete(path("addresses", home))
    assert world.api.post(at(letters, "redrive"), {}).body == {"messages": 0, "remaining": 2}
    assert world.texts(letters) == ["one", "two"]
    # A message that never died has none.
    world.send(letters, "alive")
    world.api.put(path("addresses", home), {})
    assert world.api.post(at(letters, "redrive"), {}).body == {"messages": 2, "remaining": 1}
    assert (world.texts(home), world.texts(letters)) == (["one", "two"], ["alive"])


@case
async def what_is_back_home_is_no_dead_letter(world):
    home, letters = await dead(world, "one")
    world.api.post(at(letters, "redrive"), {})
    item, = world.api.get(at(home))["items"]
    peer = await world.peer()
    await peer.consume(home)
    delivery = await peer.delivery()
    assert "death" not in item, item
    assert delivery.message.property("wharf-death-reason") is None, delivery


@case
async def a_redriven_message_may_die_again(world):
    home, letters = await dead(world, "one")
    world.api.post(at(letters, "redrive"), {})
    assert world.texts(letters) == []
    peer = await world.peer()
    await peer.consume(home, credit=1)
    await peer.deliveries(1)
    await peer.close()
    await world.eventually(lambda: world.ready(letters) == 1, "it is dead again")
    assert world.api.get(at(letters))["items"][0]["death"]["address"] == home


@case
async def a_subscription_can_be_redriven(world):
    """Dead letters that a topic was given are found under its subscription."""
    home, letters = await dead(world, "one")
    topic = world.queue("topic")
    peer = await world.peer()
    await peer.consume(topic, subscription="kept")
    await peer.close()
    world.api.post(at(letters, "move"), {"to": topic})
    moved = world.api.post(at(topic, "redrive"), {}, subscription="kept").body
    assert moved == {"messages": 1, "remaining": 0} and world.texts(home) == ["one"], moved
