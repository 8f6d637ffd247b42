"""What every role may do, in every protocol: twenty lines that say what the rules mean, and the broker beside them."""

import asyncio
import base64
import json
import sys

from proton import Message
from proton.utils import BlockingConnection, LinkDetached, SendException

from api import bearer, path
from world import HERE, case

sys.path.insert(1, str(HERE.parent / "xmpp"))
from probes import OPEN, SASL, Stream  # noqa: E402

ROLES = {
    "nothing": [],
    "sender": [{"pattern": "in/**", "send": True}],
    "receiver": [{"pattern": "out/*", "receive": True}],
    "manager": [{"pattern": "m/**", "manage": True}],
    "elsewhere": [{"host": "other.example", "pattern": "**", "send": True, "receive": True, "manage": True}],
    "monitor": [{"pattern": "wharf/**", "receive": True}],
    "two": [{"pattern": "in/**", "receive": True}, {"pattern": "*/a", "send": True}],
    "everything": [{"pattern": "**", "send": True, "receive": True, "manage": True}],
}
ADDRESSES = ["in/a", "in/b/c", "out/a", "out/b/c", "m/a", "x"]


def matches(pattern, address):
    """`*` is one level, `**` any number of them."""
    if not pattern:
        return not address
    if pattern.startswith("**"):
        return any(matches(pattern[2:], address[at:]) for at in range(len(address) + 1))
    if pattern[0] == "*":
        rest = range(len(address.split("/")[0]) + 1)
        return any(matches(pattern[1:], address[at:]) for at in rest)
    return bool(address) and pattern[0] == address[0] and matches(pattern[1:], address[1:])


def may(role, right, address, host="localhost"):
    return any(rule.get(right) and rule.get("host", host) == host and matches(rule["pattern"], address)
               for rule in ROLES[role])


class Role:
    """A user of a role, and its clients."""

    def __init__(self, world, name):
        self.name = name
        self.user, self.api = world.user(*ROLES[name])
        self.world = world

    def holds(self, what, right, address, found):
        wanted = may(self.name, right, address)
        assert found == wanted, f"{self.name}: {what} {address}: {found}, by the rules {wanted}"


async def everything_by(world, way, right):
    """Calls `way(role, address, text)` for all of them; true if it came about."""
    for name in ROLES:
        role = Role(world, name)
        for address in ADDRESSES:
            found = await way(world, role, address)
            role.holds(way.__name__, right, address, found)


def came(world, address, text):
    """Whether a message stands at an address; it is taken away."""
    if world.api.call("GET", path("addresses", address), status=(200, 404)).status == 404:
        return False
    found = text in world.texts(address)
    world.api.post(path("addresses", address, "purge"))
    return found


async def publish_by_http(world, role, address):
    text = world.name()
    sent = role.api.call("POST", path("addresses", address, "messages"), {"text": text})
    assert sent.status in (204, 403), sent.said
    assert (sent.status == 204) == came(world, address, text)
    return sent.status == 204


async def publish_by_mbws(world, role, address):
    text, peer = world.name(), await world.peer((role.user, "a password"))
    await peer.publish(address, body=text)
    await peer.settled()
    return came(world, address, text)


async def publish_by_amqp(world, role, address):
    text = world.name()

    def send():
        connection = connected(world, role)
        try:
            connection.create_sender(address).send(Message(body=text))
            return True
        except (LinkDetached, SendException):
            return False
        finally:
            connection.close()

    sent = await asyncio.to_thread(send)
    assert sent == came(world, address, text)
    return sent


def connected(world, role, **options):
    options = {"allowed_mechs": "PLAIN", "allow_insecure_mechs": True, "timeout": 20, **options}
    return BlockingConnection(f"amqp://{world.amqp}", user=role.user, password="a password", **options)


async def publish_by_xmpp(world, role, address):
    text = world.name()

    def send():
        stream = stream_of(world, role.user, "a password")
        name = address.replace("/", "\\2f")
        stream.say(f"<message xmlns='jabber:client' to='{name}@mq.localhost' id='m'><body>{text}</body></message>")
        stream.say("<iq xmlns='jabber:client' type='get' id='after' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>")
        while "after" not in stream.hear():
            pass
        stream.socket.close()

    await asyncio.to_thread(send)
    return came(world, address, text)


def stream_of(world, user, password, mechanism="PLAIN", token=None):
    host, port = world.address.split(":")
    stream = Stream((host, int(port)))
    stream.open()
    said = f"n,,\x01auth=Bearer {token}\x01\x01" if token else f"\0{user}\0{password}"
    said = base64.b64encode(said.encode()).decode()
    stream.say(f"<auth xmlns='{SASL}' mechanism='{mechanism}'>{said}</auth>")
    answer = stream.hear()
    assert answer.startswith("<success"), answer
    stream.say(OPEN)
    stream.hear(), stream.hear()
    stream.say("<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
    assert "<jid>" in stream.hear()
    return stream


async def peek(world, role, address):
    world.send(address, "one")
    found = role.api.call("GET", path("addresses", address, "messages"))
    assert found.status in (200, 403), found.said
    return found.status == 200


async def consume_by_mbws(world, role, address):
    world.api.put(path("addresses", address), {})
    peer = await world.peer((role.user, "a password"))
    try:
        await peer.consume(address)
    except Exception:
        return False
    return world.api.get(path("addresses", address))["consumers"] > 0


async def consume_by_amqp(world, role, address):
    world.api.put(path("addresses", address), {})

    def receive():
        connection = connected(world, role)
        try:
            connection.create_receiver(address, credit=1)
            return True
        except LinkDetached:
            return False
        finally:
            connection.close()

    return await asyncio.to_thread(receive)


async def manage(world, role, address):
    done = role.api.call("PUT", path("addresses", address), {})
    purged = role.api.call("POST", path("addresses", address, "purge")).status
    assert done.status in (200, 403) and (purged == 200) == (done.status == 200) or purged == 404
    return done.status == 200


def register(way, right):
    async def run(world):
        async with world.another(AMQP) as own:
            own.amqp = await asyncio.to_thread(amqp_of, own)
            await everything_by(own, way, right)
    run.__name__, run.__module__ = way.__name__, __name__
    case(run)


AMQP = ["amqp.listen_address=127.0.0.1:0", "auth.failures_per_minute_max=1000000"]


def amqp_of(world):
    """Where AMQP is spoken without a WebSocket: the log says it."""
    for line in world.broker.log().splitlines():
        if '"protocol":"amqp"' in line:
            return json.loads(line)["address"]
    raise AssertionError("no listener for AMQP")


for each, needed in [
        (publish_by_http, "send"), (publish_by_mbws, "send"), (publish_by_amqp, "send"),
        (publish_by_xmpp, "send"), (peek, "receive"), (consume_by_mbws, "receive"),
        (consume_by_amqp, "receive"), (manage, "manage")]:
    register(each, needed)


@case
async def the_brokers_own_topics_are_for_those_who_may_look_into_the_area(world):
    async with world.another(AMQP) as own:
        own.amqp = await asyncio.to_thread(amqp_of, own)
        for pattern, hears in [("**", False), ("wharf/audit", False), ("wharf/**", True), ("$wharf/overview", True)]:
            ROLES["told"] = [{"pattern": pattern, "send": True, "receive": True}]
            role = Role(own, "told")
            del ROLES["told"]
            peer = await own.peer((role.user, "a password"))
            try:
                await peer.consume("$wharf/overview")
                [heard] = await peer.take(1)
                assert json.loads(heard.message.body)["phase"] == "ready", heard
                found = True
            except Exception:
                found = False
            assert found == hears, f"MBWS: {pattern}"
            assert await asyncio.to_thread(hears_by_amqp, own, role) == hears, f"AMQP: {pattern}"
            forged = role.api.call("POST", path("addresses", "$wharf/overview", "messages"), {"text": "forged"})
            assert forged.status in (403, 409, 422), forged.said


def hears_by_amqp(world, role):
    connection = connected(world, role)
    try:
        received = connection.create_receiver("$wharf/overview", credit=1).receive(timeout=20)
        return json.loads(received.body)["phase"] == "ready"
    except LinkDetached:
        return False
    finally:
        connection.close()


@case
async def a_person_is_an_address_too(world):
    """MBWS to a person: `xmpp:NAME@HOST` needs `send`, as an address of any other kind."""
    target, _ = world.user({"pattern": "**", "receive": True})
    jid = f"xmpp:{target}@localhost"
    stream = await asyncio.to_thread(stream_of, world, target, "a password")
    stream.say("<presence xmlns='jabber:client'/>")
    for rules, allowed in [([{"pattern": "in/**", "send": True}], False), ([{"pattern": "xmpp:**", "send": True}], True)]:
        user, _ = world.user(*rules)
        peer = await world.peer((user, "a password"))
        text = world.name()
        await peer.publish(jid, body=text)
        await peer.settled()
        # Answered by who delivers, and so after it; a ping is answered before anybody is asked.
        stream.say("<iq xmlns='jabber:client' type='get' id='after' to='localhost'>"
                   "<query xmlns='http://jabber.org/protocol/disco#info'/></iq>")
        heard = []
        while not heard or "after" not in heard[-1]:
            heard.append(await asyncio.to_thread(stream.hear))
        assert any(text in each for each in heard) == allowed, heard
    stream.socket.close()


@case
async def a_rule_that_goes_ends_what_it_allowed(world):
    rule = {"pattern": "q/**", "receive": True}
    user, _ = world.user(rule)
    name = world.queue()
    peer = await world.peer((user, "a password"))
    await peer.consume(name)
    world.send(name, "first")
    assert (await peer.take(1))[0].message.body == b"first"
    world.api.put(path("users", user), {"permissions": []})
    assert world.api.get(path("addresses", name))["consumers"] == 0
    world.send(name, "second")
    assert world.texts(name) == ["second"]


@case
async def tokens_are_for_every_protocol(world):
    user, _ = world.user({"pattern": "**", "send": True, "receive": True})
    secret = world.api.post("/tokens", {"user": user})["secret"]
    stream = await asyncio.to_thread(stream_of, world, None, None, "OAUTHBEARER", secret)
    stream.socket.close()
    assert world.api.by(bearer(secret)).get("/whoami")["user"] == user
    peer = await world.peer(token=secret)
    await peer.publish("q/by-token", body="x")
    await peer.settled()
    from websockets.asyncio.client import connect
    offered = ["MBWS.huawei.com", f"wharf.bearer.{secret}"]
    async with connect(world.url, subprotocols=offered, proxy=None) as websocket:
        assert websocket.subprotocol == "MBWS.huawei.com"
