"""Routes: other names, several targets, other places."""

from proton import ConnectionException, Url
from proton.utils import BlockingConnection, LinkDetached, SendException

from api import path
from cases_messages import at
from world import ADMIN, case, lasting_port


def route(world, kind, address, to=(), **more):
    name = world.name("route")
    world.api.put(path("routes", name), {"kind": kind, "address": address, "to": list(to), **more})
    return name


@case
async def made_changed_and_removed(world):
    name = world.name("route /ä")
    target = path("routes", name)
    world.api.refused("not-found", "GET", target)
    alias, queue = world.name(), world.name()
    made = world.api.put(target, {"kind": "alias", "address": alias, "to": [queue]}).body
    assert made == {"name": name, "kind": "alias", "host": "", "address": alias, "to": [queue]}, made
    rule = {"kind": "redirect", "host": "", "address": f"{alias}/**", "to": [],
            "url": "amqps://other.example:5671"}
    assert world.api.put(target, rule).body == {"name": name, **rule}
    assert world.api.get(target).body == {"name": name, **rule}
    assert {"name": name, **rule} in world.api.get("/routes", limit=1000)["items"]
    world.api.delete(target)
    world.api.refused("not-found", "GET", target)
    world.api.refused("not-found", "DELETE", target)


@case
async def rules_that_cannot_be(world):
    target = path("routes", world.name())
    for rule in [{}, {"kind": "alias"}, {"kind": "alias", "address": "a"},
                 {"kind": "alias", "address": "a", "to": ["b", "c"]},
                 {"kind": "alias", "address": "a", "to": ["a"]},
                 {"kind": "alias", "address": "a", "to": ["b"], "url": "amqp://x/"},
                 {"kind": "alias", "address": "", "to": ["b"]},
                 {"kind": "alias", "address": "a", "to": [""]},
                 {"kind": "alias", "address": "a", "to": ["b"], "host": "x\n"},
                 {"kind": "fan-out", "address": "a", "to": []},
                 {"kind": "fan-out", "address": "a", "to": [f"t{at}" for at in range(65)]},
                 {"kind": "redirect", "address": "a"},
                 {"kind": "redirect", "address": "a", "url": "https://x/"},
                 {"kind": "redirect", "address": "a", "url": "amqp://x/", "to": ["b"]},
                 {"kind": "elsewhere", "address": "a"}]:
        world.api.refused("invalid-value", "PUT", target, rule)
    world.api.refused("not-found", "GET", target)


@case
async def a_route_is_of_a_host_that_exists(world):
    """A misspelt host would be a route that does nothing."""
    rule = {"kind": "alias", "address": "a", "to": ["b"], "host": "nowhere.example"}
    world.api.refused("invalid-value", "PUT", path("routes", world.name()), rule)


@case
async def the_url_that_the_document_gives_as_an_example(world):
    text = world.document.content["components"]["schemas"]["RouteRule"]["properties"]["url"]
    example = text["description"].split("`")[1]
    rule = {"kind": "redirect", "address": world.name(), "url": example}
    world.api.put(path("routes", world.name()), rule)


@case
async def a_route_leads_to_no_address_of_the_brokers_own(world):
    """What nobody may send to cannot be reached by another name."""
    for target in ("wharf/own", "xmpp:admin@localhost", "wharf/dynamic/gone"):
        source = world.name()
        rule = {"kind": "alias", "address": source, "to": [target]}
        made = world.api.call("PUT", path("routes", world.name()), rule)
        if made.status == 200:
            sent = world.api.call("POST", at(source), {"text": "x"})
            assert sent.status in (404, 409), (target, sent.said)
        assert made.status in (200, 409, 422), made.said


@case
async def another_name_of_a_queue(world):
    alias, queue = world.name("alias"), world.queue()
    name = route(world, "alias", alias, [queue])
    world.send(alias, "by the alias")
    assert world.texts(queue) == ["by the alias"]
    world.api.refused("not-found", "GET", path("addresses", alias))
    peer = await world.peer()
    await peer.consume(alias)
    delivery, = await peer.take(1)
    assert delivery.message.body == b"by the alias", delivery
    await peer.publish(alias, queue, body="both names")
    assert [each.message.body for each in await peer.take(1)] == [b"both names"]
    await peer.barrier(queue)
    await peer.close()
    world.api.delete(path("routes", name))
    world.send(alias, "not any more")
    assert world.texts(alias) == ["not any more"]


@case
async def senders_of_a_moment_ago_go_the_new_way(world):
    source, first, second = world.queue(), world.queue(), world.queue()
    peer = await world.peer()
    await peer.publish(source, body="direct")
    await peer.settled()
    name = route(world, "alias", source, [first])
    await peer.publish(source, body="first")
    await peer.settled()
    rule = {"kind": "alias", "address": source, "to": [second]}
    world.api.put(path("routes", name), rule)
    await peer.publish(source, body="second")
    await peer.settled()
    world.api.delete(path("routes", name))
    await peer.publish(source, body="direct again")
    await peer.settled()
    assert world.texts(source) == ["direct", "direct again"]
    assert (world.texts(first), world.texts(second)) == (["first"], ["second"])


@case
async def a_queue_that_becomes_a_name_keeps_what_it_has(world):
    queue, other = world.queue(), world.queue()
    world.send(queue, "before")
    name = route(world, "alias", queue, [other])
    world.send(queue, "after")
    assert world.ready(queue) == 1 and world.texts(other) == ["after"]
    world.api.post(at(queue, "move"), {"to": other})
    assert world.texts(other) == ["after", "before"]
    world.api.delete(path("routes", name))


@case
async def a_look_and_a_purge_are_at_the_same_queue(world):
    queue, other = world.queue(), world.queue()
    world.send(queue, "before")
    name = route(world, "alias", queue, [other])
    world.send(other, "elsewhere")
    seen = world.texts(queue)
    dropped = world.api.post(at(queue, "purge"))["messages"]
    left = (world.ready(queue), world.ready(other))
    world.api.delete(path("routes", name))
    assert (seen, dropped, left) == (["before"], 1, (0, 1)), (seen, dropped, left)


@case
async def a_name_of_a_topic(world):
    alias, topic = world.name("alias"), world.queue("topic")
    route(world, "alias", alias, [topic])
    peer = await world.peer()
    await peer.consume(alias, subscription="s")
    found = world.api.get(path("addresses", topic, "subscriptions"))["items"]
    assert [item["name"] for item in found] == ["s"], found
    world.send(alias, "x")
    assert (await peer.take(1))[0].message.body == b"x"


@case
async def to_several(world):
    source = world.name("fan")
    queues, topic = [world.queue(), world.queue()], world.queue("topic")
    fresh = world.name("made-by-fan")
    route(world, "fan-out", source, [*queues, topic, fresh, source])
    peer = await world.peer()
    await peer.consume(topic)
    world.send(source, "one", "two")
    for name in [*queues, fresh, source]:
        assert world.texts(name) == ["one", "two"], name
    assert [each.message.body for each in await peer.take(2)] == [b"one", b"two"]


@case
async def to_several_of_which_one_is_full(world):
    source, full, free = world.name("fan"), world.name("full"), world.queue()
    world.policy(full, full, messages_max=1)
    route(world, "fan-out", source, [full, free])
    world.send(source, "1")
    answer = world.api.call("POST", at(source), {"text": "2"})
    assert answer.status in (204, 409), answer.said
    # All or what has room; never half of it after a refusal.
    wanted = ["1", "2"] if answer.status == 204 else ["1"]
    assert world.texts(free) == wanted, (answer.said, world.texts(free))


@case
async def permission_is_for_the_name_that_is_used(world):
    alias, queue = world.name("alias"), world.queue()
    route(world, "alias", alias, [queue])
    _, api = world.user({"pattern": alias, "send": True})
    api.post(at(alias), {"text": "by the name"})
    api.refused("not-permitted", "POST", at(queue), {"text": "directly"})
    _, api = world.user({"pattern": queue, "send": True})
    api.refused("not-permitted", "POST", at(alias), {"text": "by the name"})
    assert world.texts(queue) == ["by the name"]


@case
async def a_target_is_no_name_of_another_way(world):
    one, two, queue = world.name("one"), world.name("two"), world.queue()
    route(world, "alias", one, [two])
    route(world, "alias", two, [queue])
    world.send(one, "to two itself")
    assert (world.ready(two), world.ready(queue)) == (1, 0)
    # Round in circles leads nowhere but to the first target.
    left, right = world.name("left"), world.name("right")
    route(world, "alias", left, [right])
    route(world, "alias", right, [left])
    world.send(left, "crossed")
    assert world.ready_of(right) == 1


@case
async def routes_of_one_host(world):
    async with world.another(['listen.hosts=["localhost", "other.example"]']) as own:
        own.api.put(path("routes", "r"), {"kind": "alias", "address": "a", "to": ["b"],
                                          "host": "other.example"})
        own.send("a", "here")
        own.api.post(at("a"), {"text": "there"}, host="other.example")
        assert own.texts("a") == ["here"] and own.texts("b", host="other.example") == ["there"]


@case
async def clients_of_amqp_are_sent_elsewhere(world):
    port = lasting_port()
    async with world.another([f"amqp.listen_address=127.0.0.1:{port}"]) as own:
        own.api.put(path("routes", "away"), {"kind": "redirect", "address": "away/**",
                                             "url": "amqp://other.example:5679"})
        url = Url(f"amqp://127.0.0.1:{port}")
        url.username, url.password = ADMIN
        connection = BlockingConnection(url, timeout=20, allowed_mechs="PLAIN",
                                        allow_insecure_mechs=True)
        for act in (connection.create_sender, connection.create_receiver):
            try:
                act("away/queue")
                raise AssertionError("the link was not refused")
            except (LinkDetached, SendException, ConnectionException) as refused:
                assert "redirect" in str(refused), refused
                info = getattr(refused, "info", None)
                assert info is None or "other.example" in str(info), info
        connection.create_sender("stays/queue").close()
        own.api.delete(path("routes", "away"))
        connection.close()
        # A redirect is for connections that come after it was made, and so is its end.
        connection = BlockingConnection(url, timeout=20, allowed_mechs="PLAIN",
                                        allow_insecure_mechs=True)
        connection.create_sender("away/queue").close()
        connection.close()
