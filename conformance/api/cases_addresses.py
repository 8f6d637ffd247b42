"""Addresses: declaring, finding, deleting; subscriptions."""

from api import path
from world import case

ODD = ["a b", "ä/ö/日本", "50%", "a+b", "a?b#c&d=e", "..", "a//b", "/", "'\"\\<>", "%2F", "💥", "-"]


@case
async def declared(world):
    name = world.name()
    found = world.api.put(path("addresses", name), {"kind": "queue"}).body
    wanted = {"host": "localhost", "name": name, "kind": "queue", "dynamic": False,
              "subscriptions": 0, "messages_ready": 0, "messages_out": 0, "messages_bytes": 0,
              "consumers": 0}
    assert found == wanted, found
    assert world.api.get(path("addresses", name)).body == wanted


@case
async def declared_again_stays(world):
    name = world.queue()
    world.send(name, "kept")
    assert world.api.put(path("addresses", name), {"kind": "queue"})["messages_ready"] == 1
    assert world.api.put(path("addresses", name), {})["kind"] == "queue"
    world.api.refused("conflict", "PUT", path("addresses", name), {"kind": "topic"})
    assert world.texts(name) == ["kept"]


@case
async def kind_of_its_policy(world):
    assert world.api.put(path("addresses", world.name("topic/a")), {})["kind"] == "topic"
    assert world.api.put(path("addresses", world.name("a")), {"kind": None})["kind"] == "queue"
    prefix = world.name("by-policy")
    world.policy(prefix, f"{prefix}/*", kind="topic")
    assert world.api.put(path("addresses", f"{prefix}/x"), {})["kind"] == "topic"
    assert world.api.put(path("addresses", f"{prefix}/x/y"), {})["kind"] == "queue"
    assert world.api.put(path("addresses", f"{prefix}/z"), {"kind": "queue"})["kind"] == "queue"


@case
async def any_name_that_can_be_said(world):
    for odd in ODD:
        name = odd if odd == ".." else world.name(odd)
        world.api.put(path("addresses", name), {})
        assert world.api.get(path("addresses", name))["name"] == name, name
        world.send(name, name)
        assert world.texts(name) == [name], name
        world.api.delete(path("addresses", name))


@case
async def names_that_cannot_be(world):
    for name in ["wharf/own", "wharf/dead-letter2", "xmpp:a@localhost", "a\x00b", "a\nb", "a\x7f",
                 "x" * 1025, "ä" * 513]:
        answer = world.api.call("PUT", path("addresses", name), {})
        assert answer.status in (404, 422), answer.said
        world.api.refused("not-found", "GET", path("addresses", name))
    world.api.put(path("addresses", "y" * 1024), {})
    world.api.delete(path("addresses", "y" * 1024))


@case
async def dynamic_names_are_made_by_clients_alone(world):
    name = "wharf/dynamic/" + world.name()
    answer = world.api.call("PUT", path("addresses", name), {})
    assert answer.status in (404, 409, 422), answer.said


@case
async def deleted_with_its_messages(world):
    name = world.queue()
    world.send(name, "one", "two")
    before = world.api.get("/overview")["messages"]
    world.api.delete(path("addresses", name))
    world.api.refused("not-found", "GET", path("addresses", name))
    world.api.refused("not-found", "DELETE", path("addresses", name))
    world.api.refused("not-found", "GET", path("addresses", name, "messages"))
    assert world.api.get("/overview")["messages"] == before - 2
    # What is made anew is empty.
    world.api.put(path("addresses", name), {})
    assert world.texts(name) == []


@case
async def deleted_under_a_consumer(world):
    name = world.queue()
    peer = await world.peer()
    await peer.consume(name)
    assert world.api.get(path("addresses", name))["consumers"] == 1
    world.api.delete(path("addresses", name))
    # The connection goes on, and may ask for another address of that name.
    await peer.consume(name)
    world.send(name, "anew")
    assert (await peer.delivery()).message.body == b"anew"


@case
async def hosts_are_apart(world):
    async with world.another(['listen.hosts=["localhost", "other.example"]']) as own:
        own.api.put(path("addresses", "a"), {}, host="other.example")
        own.api.refused("not-found", "GET", path("addresses", "a"))
        assert own.api.get(path("addresses", "a"), host="other.example")["host"] == "other.example"
        own.api.post(path("addresses", "a", "messages"), {"text": "x"}, host="other.example")
        names = [item["name"] for item in own.api.get("/addresses", host="other.example")["items"]]
        assert names == ["a"], names
        assert own.api.get("/addresses")["items"] == []
        own.api.refused("invalid-value", "PUT", path("addresses", "a"), {}, host="nowhere.example")
        own.api.refused("invalid-value", "POST", path("addresses", "a", "messages"), {"text": "x"},
                        host="nowhere.example")
        found = own.api.get("/hosts")["items"]
        assert found == [{"name": "localhost", "default": True, "configured": True},
                         {"name": "other.example", "default": False, "configured": True}], found


@case
async def listed_by_pattern_kind_and_order(world):
    prefix = world.name("list")
    queues = [f"{prefix}/{letter}" for letter in "cab"]
    for at, name in enumerate(queues):
        world.api.put(path("addresses", name), {})
        world.send(name, *(["x" * (10 - at)] * (at + 1)))
    world.api.put(path("addresses", f"{prefix}/deep/t"), {"kind": "topic"})

    def names(**query):
        items = world.api.get("/addresses", pattern=f"{prefix}/**", **query)["items"]
        return [item["name"].removeprefix(prefix + "/") for item in items]

    assert names() == ["a", "b", "c", "deep/t"], names()
    assert names(order="desc") == ["deep/t", "c", "b", "a"], names(order="desc")
    assert names(sort="name", order="asc") == names()
    assert names(kind="topic") == ["deep/t"] and names(kind="queue") == ["a", "b", "c"]
    assert names(sort="messages_ready") == ["deep/t", "c", "a", "b"]
    assert names(sort="messages_ready", order="desc") == ["b", "a", "c", "deep/t"]
    assert names(sort="messages_bytes", order="desc")[0] == "b"
    one_level = world.api.get("/addresses", pattern=f"{prefix}/*")["items"]
    assert len(one_level) == 3, one_level
    peer = await world.peer()
    await peer.consume(f"{prefix}/c")
    await peer.deliveries(1)
    assert names(sort="consumers", order="desc")[0] == "c"
    assert names(sort="messages_out", order="desc")[0] == "c"


@case
async def listed_are_those_one_may_look_into(world):
    prefix = world.name("see")
    for name in ("mine", "managed", "sendable", "other"):
        world.api.put(path("addresses", f"{prefix}/{name}"), {})
    _, api = world.user({"pattern": f"{prefix}/mine", "receive": True},
                        {"pattern": f"{prefix}/managed", "manage": True},
                        {"pattern": f"{prefix}/sendable", "send": True})
    found = [item["name"] for item in api.pages("/addresses")]
    assert found == [f"{prefix}/managed", f"{prefix}/mine"], found
    assert [item["name"] for item in api.pages("/addresses", sort="messages_ready")] == found


@case
async def counts_while_messages_are_out(world):
    name = world.queue()
    world.send(name, "1", "22", "333")
    peer = await world.peer()
    await peer.consume(name, credit=2)
    await peer.deliveries(2)
    found = world.api.get(path("addresses", name)).body
    seen = [found[key] for key in ("messages_ready", "messages_out", "consumers")]
    assert seen == [1, 2, 1] and found["messages_bytes"] >= 6, found
    queue, = world.api.get(path("addresses", name, "subscriptions"))["items"]
    assert (queue["messages_ready"], queue["messages_out"]) == (1, 2) and "name" not in queue, queue
    assert queue["oldest_age_ms"] < 60_000, queue


@case
async def subscriptions_of_a_topic(world):
    topic = world.queue("topic")
    assert world.api.get(path("addresses", topic, "subscriptions"))["items"] == []
    durable, fleeting = await world.peer(), await world.peer()
    await durable.consume(topic, subscription="billing")
    await fleeting.consume(topic)
    assert world.api.get(path("addresses", topic))["subscriptions"] == 2
    await durable.close()
    world.send(topic, "one", "two")
    found = world.api.get(path("addresses", topic, "subscriptions"))["items"]
    named, unnamed = found
    assert named["name"] == "billing" and named["messages_ready"] == 2, named
    assert "name" not in unnamed and unnamed["session"], unnamed
    session = world.api.get(path("sessions", unnamed["session"])).body
    assert session["user"] == "admin" and session["consumers"] == 1, session
    assert world.texts(topic, subscription="billing") == ["one", "two"]
    purge = path("addresses", topic, "purge")
    assert world.api.post(purge, subscription="billing")["messages"] == 2
    await fleeting.deliveries(2)


@case
async def a_topic_has_to_be_told_which_subscription(world):
    topic, queue = world.queue("topic"), world.queue()
    for method, last in [("GET", "messages"), ("POST", "purge")]:
        world.api.refused("conflict", method, path("addresses", topic, last))
        world.api.refused("not-found", method, path("addresses", topic, last), subscription="none")
        world.api.refused("conflict", method, path("addresses", queue, last), subscription="none")
    for body, last in [({"to": queue}, "move"), ({}, "redrive")]:
        world.api.refused("conflict", "POST", path("addresses", topic, last), body)


@case
async def a_subscription_is_ended(world):
    topic = world.queue("topic")
    peer = await world.peer()
    await peer.consume(topic, subscription="a b/c")
    target = path("addresses", topic, "subscriptions", "a b/c")
    world.api.delete(target)
    world.api.refused("not-found", "DELETE", target)
    assert world.api.get(path("addresses", topic))["subscriptions"] == 0
    queue = world.queue()
    world.api.refused("not-found", "DELETE", path("addresses", queue, "subscriptions", "x"))
    await peer.consume(topic, subscription="a b/c")
    world.send(topic, "anew")
    assert (await peer.delivery()).message.body == b"anew"
