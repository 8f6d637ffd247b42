"""Policies: what they say is what happens."""

from api import path
from cases_messages import at
from world import case

DEFAULTS = {"kind": "queue", "priority": 0, "deliveries_max": 20,
            "dead_letter_address": "wharf/dead-letter", "ttl_ms": 0, "messages_max": 0,
            "bytes_max": 0, "overflow": "reject"}


def deaths(world, letters):
    items = world.api.get(at(letters), limit=100)["items"]
    return [(item["text"], item["death"]["reason"], item["death"]["address"]) for item in items]


@case
async def made_changed_and_removed(world):
    name = world.name("policy /ä")
    target = path("policies", name)
    world.api.refused("not-found", "GET", target)
    made = world.api.put(target, {"pattern": f"{name}/**"}).body
    assert made == {"name": name, "pattern": f"{name}/**", **DEFAULTS}, made
    rule = {"pattern": "x/*", "kind": "topic", "priority": -7, "deliveries_max": 3,
            "dead_letter_address": "", "ttl_ms": 5, "messages_max": 6, "bytes_max": 7,
            "overflow": "drop-oldest"}
    assert world.api.put(target, rule).body == {"name": name, **rule}
    assert world.api.get(target).body == {"name": name, **rule}
    assert {"name": name, **rule} in world.api.get("/policies", limit=1000)["items"]
    world.api.delete(target)
    world.api.refused("not-found", "GET", target)
    world.api.refused("not-found", "DELETE", target)


@case
async def rules_that_cannot_be(world):
    target = path("policies", world.name())
    for rule in [{}, {"pattern": ""}, {"pattern": "a\nb"}, {"pattern": "x" * 1025},
                 {"pattern": "a", "kind": "stack"}, {"pattern": "a", "ttl_ms": -1},
                 {"pattern": "a", "deliveries_max": 65_536}, {"pattern": "a", "overflow": "drop"},
                 {"pattern": "a", "dead_letter_address": "x\x00"}, {"pattern": "a", "nothing": 1},
                 {"pattern": "a", "priority": 1 << 31}, {"pattern": "a", "name": "x"},
                 {"pattern": None}, "a", 1]:
        world.api.refused("invalid-value", "PUT", target, rule)
    world.api.refused("not-found", "GET", target)
    for name in ["x" * 256, "a\nb", "file:0", "file:x"]:
        world.api.refused("invalid-value", "PUT", path("policies", name), {"pattern": "a"})


@case
async def in_the_order_in_which_they_apply(world):
    prefix = world.name("order")
    for name, priority in [("b", 0), ("a", 0), ("low", -1), ("high", 5)]:
        world.policy(f"{prefix}-{name}", f"{prefix}/**", priority=priority)
    names = [item["name"] for item in world.api.pages("/policies", limit=2)]
    own = [name.removeprefix(prefix + "-") for name in names if name.startswith(prefix)]
    assert own == ["high", "a", "b", "low"], own


@case
async def the_first_that_matches_applies(world):
    prefix = world.name("first")
    world.policy(f"{prefix}-b", f"{prefix}/**", kind="topic")
    world.policy(f"{prefix}-a", f"{prefix}/queues/**", kind="queue")
    assert world.api.put(path("addresses", f"{prefix}/queues/1"), {})["kind"] == "queue"
    assert world.api.put(path("addresses", f"{prefix}/else"), {})["kind"] == "topic"
    world.policy(f"{prefix}-c", f"{prefix}/queues/**", kind="topic", priority=1)
    assert world.api.put(path("addresses", f"{prefix}/queues/2"), {})["kind"] == "topic"


@case
async def what_waits_too_long_dies(world):
    name, letters = world.name("ttl"), world.name("letters")
    world.policy(name, name, ttl_ms=300, dead_letter_address=letters)
    world.send(name, "one", "two")
    await world.eventually(lambda: world.ready(name) == 0, "they die")
    assert deaths(world, letters) == [("one", "expired", name), ("two", "expired", name)]
    peer = await world.peer()
    await peer.consume(letters)
    letter = (await peer.delivery()).message
    assert letter.property("wharf-death-reason") == "expired", letter
    assert letter.property("wharf-death-address") == name, letter


@case
async def what_is_out_does_not_die(world):
    name = world.name("ttl")
    world.policy(name, name, ttl_ms=200, dead_letter_address="")
    peer = await world.peer()
    await peer.consume(name, credit=1)
    world.send(name, "out", "waits")
    await peer.deliveries(1)
    await world.eventually(lambda: world.ready(name) == 0, "what waits dies")
    assert world.api.get(path("addresses", name))["messages_out"] == 1
    await peer.acknowledge(1)
    await peer.barrier(world.queue())
    assert world.api.get(path("addresses", name))["messages_out"] == 0


@case
async def a_policy_applies_to_what_waits_already(world):
    name, letters = world.queue(), world.name("letters")
    world.send(name, "old")
    world.policy(name.replace("/", "-"), name, ttl_ms=100, dead_letter_address=letters)
    await world.eventually(lambda: world.ready(name) == 0, "it dies")
    assert deaths(world, letters) == [("old", "expired", name)]
    world.api.delete(path("policies", name.replace("/", "-")))
    world.send(name, "young")
    assert world.ready(name) == 1


@case
async def ttl_of_each_subscription(world):
    topic, letters = world.name("topic/ttl"), world.name("letters")
    world.policy(world.name(), topic, kind="topic", ttl_ms=300, dead_letter_address=letters)
    peer = await world.peer()
    await peer.consume(topic, subscription="slow")
    await peer.close()
    world.send(topic, "x")
    await world.eventually(lambda: world.ready(topic) == 0, "it dies")
    assert deaths(world, letters) == [("x", "expired", topic)]


@case
async def a_full_queue_refuses(world):
    name = world.name("full")
    world.policy(name, name, messages_max=2)
    world.send(name, "1", "2")
    refused = world.api.refused("conflict", "POST", at(name), {"text": "3"})
    assert "queue-full" in refused["detail"], refused.said
    assert world.texts(name) == ["1", "2"]
    world.api.post(at(name, "purge"))
    world.send(name, "4")
    assert world.texts(name) == ["4"]


@case
async def a_full_queue_and_a_sender_that_cannot_be_told(world):
    name, letters = world.name("full"), world.name("letters")
    world.policy(name, name, messages_max=1, dead_letter_address=letters)
    peer = await world.peer()
    for body in ("kept", "dead", "dead too"):
        await peer.publish(name, body=body)
    await peer.settled()
    assert world.texts(name) == ["kept"]
    wanted = [("dead", "queue-full", name), ("dead too", "queue-full", name)]
    assert deaths(world, letters) == wanted, deaths(world, letters)


@case
async def messages_that_are_out_fill_a_queue_too(world):
    name = world.name("full")
    world.policy(name, name, messages_max=2)
    peer = await world.peer()
    await peer.consume(name)
    world.send(name, "1", "2")
    await peer.deliveries(2)
    world.api.refused("conflict", "POST", at(name), {"text": "3"})
    await peer.acknowledge(2)
    await peer.barrier(world.queue())
    world.send(name, "3")


@case
async def the_oldest_makes_room(world):
    name, letters = world.name("full"), world.name("letters")
    rule = {"messages_max": 3, "overflow": "drop-oldest", "dead_letter_address": letters}
    world.policy(name, name, **rule)
    world.send(name, *"12345")
    assert world.texts(name) == ["3", "4", "5"]
    assert deaths(world, letters) == [("1", "queue-full", name), ("2", "queue-full", name)]
    # What is out is not dropped.
    peer = await world.peer()
    await peer.consume(name, credit=1)
    await peer.deliveries(1)
    world.send(name, "6")
    assert world.texts(name) == ["5", "6"]


@case
async def bytes_are_bounded(world):
    name = world.name("bytes")
    world.policy(name, name, bytes_max=1000)
    world.send(name, "x" * 600, "x" * 300)
    world.api.refused("conflict", "POST", at(name), {"text": "x" * 600})
    assert world.api.get(path("addresses", name))["messages_bytes"] <= 1000


@case
async def bytes_are_bounded_at_the_cost_of_the_oldest(world):
    name = world.name("bytes")
    world.policy(name, name, bytes_max=1000, overflow="drop-oldest", dead_letter_address="")
    world.send(name, "x" * 600, "y" * 300, "z" * 600)
    assert [text[0] for text in world.texts(name)] == ["y", "z"]
    world.send(name, "z" * 600)
    assert [text[0] for text in world.texts(name)] == ["z"]


@case
async def nowhere_to_die(world):
    name = world.name("drop")
    rule = {"messages_max": 1, "overflow": "drop-oldest", "dead_letter_address": ""}
    world.policy(name, name, **rule)
    before = world.api.get("/overview")["messages"]
    world.send(name, "1", "2")
    assert world.texts(name) == ["2"]
    assert world.api.get("/overview")["messages"] == before + 1


@case
async def so_many_deliveries(world):
    name, letters = world.name("deliveries"), world.name("letters")
    world.policy(name, name, deliveries_max=2, dead_letter_address=letters)
    world.send(name, "x")
    for count in (0, 1):
        item, = world.api.get(at(name))["items"]
        assert item["deliveries"] == count, item
        peer = await world.peer()
        await peer.consume(name)
        await peer.deliveries(1)
        await peer.close()
        await world.eventually(lambda: world.ready(name) + world.ready_of(letters) == 1, "back")
    assert deaths(world, letters) == [("x", "deliveries-max", name)]


@case
async def policies_of_the_file_come_last(world):
    file = [{"pattern": "f/**", "kind": "topic"}, {"pattern": "g/**", "ttl_ms": 7}]
    async with world.another(file={"policies": file}) as own:
        found = own.api.get("/policies")["items"]
        assert [(item["name"], item["pattern"]) for item in found] == \
            [("file:0", "f/**"), ("file:1", "g/**")], found
        assert own.api.get(path("policies", "file:1"))["ttl_ms"] == 7
        assert own.api.put(path("addresses", "f/1"), {})["kind"] == "topic"
        own.policy("last", "f/**", priority=-2_147_483_648)
        assert own.api.put(path("addresses", "f/2"), {})["kind"] == "queue"
        assert [item["name"] for item in own.api.get("/policies")["items"]][0] == "last"
        answer = own.api.call("DELETE", path("policies", "file:0"))
        assert answer.status in (404, 409, 422), answer.said
        assert own.api.get(path("policies", "file:0"))["pattern"] == "f/**"
