"""Users, tokens, connections, sessions, definitions, and the broker itself."""

import asyncio
import json

from api import bearer, path
from world import HERE, case

ALL = {"pattern": "**", "send": True, "receive": True}


@case
async def users_come_change_and_go(world):
    name, own = world.user(ALL)
    assert own.get("/whoami")["user"] == name
    shown = world.api.get(path("users", name))
    assert shown["has_password"] and "SCRAM-SHA-256" in shown["scram"], shown
    assert name in [user["name"] for user in world.api.get("/users", limit=1000)["items"]]
    rules = [rule for rule in world.api.get("/permissions", limit=1000)["items"]
             if rule["user"] == name]
    assert len(rules) == 1 and rules[0]["pattern"] == "**", rules
    # Without a password in it a change keeps the one that there is.
    world.api.put(path("users", name), {"permissions": []})
    assert own.get("/whoami")["permissions"] == []
    peer = await world.peer((name, "a password"))
    await world.eventually(
        lambda: world.api.get("/connections", user=name)["items"], "a connection of the user")
    world.api.delete(path("users", name))
    await asyncio.wait_for(peer.websocket.wait_closed(), 20)
    own.refused("not-authenticated", "GET", "/whoami")
    world.api.refused("not-found", "GET", path("users", name))
    world.api.refused("not-found", "DELETE", path("users", name))


@case
async def tokens_let_in_and_are_over(world):
    name, _ = world.user(ALL)
    minted = world.api.post("/tokens", {"user": name, "valid_s": 2, "note": "short"})
    own = world.api.by(bearer(minted["secret"]))
    assert own.get("/whoami")["user"] == name
    assert minted["token"]["id"] in [it["id"] for it in world.api.get("/tokens")["items"]]
    peer = await world.peer(token=minted["secret"])
    await asyncio.wait_for(peer.websocket.wait_closed(), 20)
    assert peer.websocket.close_code == 3000, peer.websocket.close_code
    own.refused("not-authenticated", "GET", "/whoami")
    longer = world.api.post("/tokens", {"user": name})
    world.api.delete(path("tokens", longer["token"]["id"]))
    world.api.by(bearer(longer["secret"])).refused("not-authenticated", "GET", "/whoami")
    world.api.refused("not-found", "DELETE", path("tokens", longer["token"]["id"]))


@case
async def a_login_is_renewed(world):
    name, _ = world.user(ALL)
    first = world.api.post("/tokens", {"user": name, "valid_s": 3})
    second = world.api.post("/tokens", {"user": name, "valid_s": 600})
    peer = await world.peer(token=first["secret"])
    own = world.api.by(bearer(second["secret"]))
    known, = own.get("/connections", user="me")["items"]
    renewed = own.post(path("connections", known["id"], "renew"))
    assert renewed["login_expires_at_ms"] > known["login_expires_at_ms"] + 100_000
    await asyncio.sleep(4)
    assert peer.websocket.close_code is None, "it goes on"
    world.api.refused("not-permitted", "POST", path("connections", known["id"], "renew"))


@case
async def connections_and_sessions_are_seen_and_ended(world):
    name, own = world.user(ALL)
    peer = await world.peer((name, "a password"), query="tag=mine")
    known, = own.get("/connections", user="me")["items"]
    assert (known["tag"], known["protocol"], known["user"]) == ("mine", "mbws", name)
    assert own.get(path("connections", known["id"]))["id"] == known["id"]
    session = world.api.get(path("sessions", known["session"]))
    assert session["connection"] == known["id"] and session["recoverable"], session
    _, stranger = world.user(ALL)
    stranger.refused("not-permitted", "DELETE", path("connections", known["id"]))
    own.delete(path("connections", known["id"]), abrupt=True)
    await asyncio.wait_for(peer.websocket.wait_closed(), 20)
    assert peer.websocket.close_code == 1006, "without a word"
    waiting = await world.eventually(
        lambda: [it for it in world.api.get("/sessions", user=name)["items"]
                 if "resumable_until_ms" in it], "a session that waits")
    assert len(waiting) == 1
    world.api.delete(path("sessions", known["session"]))
    world.api.refused("not-found", "GET", path("sessions", known["session"]))


@case
async def definitions_are_carried(world):
    world.user(ALL)
    before = world.api.get("/definitions").body
    async with world.another() as other:
        applied = other.api.put("/definitions", before)
        assert applied["created"] and not applied["removed"], applied
        after = other.api.get("/definitions").body
        for kind in ("policies", "routes", "addresses"):
            assert after[kind] == before[kind], kind
        other.api.refused("changed", "PUT", "/definitions", before, headers={"If-Match": '"0"'})


@case
async def what_rabbitmq_has_exported(world):
    exported = json.loads((HERE / "rabbitmq-3.10.8.json").read_text())
    async with world.another() as own:
        dry = own.api.post("/definitions/rabbitmq", exported, dry_run=True)
        applied = own.api.post("/definitions/rabbitmq", exported)
        assert dry["created"] == applied["created"] and applied["created"], applied
        names = [user["name"] for user in own.api.get("/users")["items"]]
        assert all(user["name"] in names for user in exported["users"]), names
        assert applied["skipped"], "exchanges have no counterpart"


@case
async def the_broker_says_how_it_is(world):
    assert world.api.get("/health")["ready"]
    assert "retention_ms" in world.api.get("/configuration")["toml"]
    assert world.api.post("/reload").body == {"changed": [], "needs_restart": []}
    operations = [entry["operation"] for entry in world.api.get("/audit", limit=1000)["items"]]
    assert "reload" in operations
    lines = world.api.get("/logs", limit=1000)["items"]
    numbers = [line["number"] for line in lines]
    assert numbers == sorted(numbers, reverse=True) and len(set(numbers)) == len(numbers)
    assert {"audit", "ready"} <= {line.get("event") for line in lines}
    [audited] = world.api.get("/logs", event="audit", limit=1)["items"]
    assert audited["level"] == "info" and audited["fields"]["operation"], audited
    assert all(line["level"] in ("warn", "error") for line in world.api.get("/logs", level="warn")["items"])
    world.api.refused("invalid-request", "GET", "/logs", level="loud")
    log = "".join(json.dumps(line) for line in lines)
    assert "a password" not in log and "argon2" not in log
    page = world.api.by(None).raw("GET", "/readyz?verbose")
    assert page.status == 200 and json.loads(page.octets)["ready"]


@case
async def a_drain_sends_everybody_away(world):
    async with world.another() as own:
        peers = [await own.peer() for _ in range(5)]
        own.api.post("/drain", {"over_ms": 500, "close_code": 1012, "stop": False})
        assert own.api.raw("GET", "/readyz").status == 503
        for peer in peers:
            await asyncio.wait_for(peer.websocket.wait_closed(), 20)
            assert peer.websocket.close_code == 1012
        assert len(own.api.get("/sessions", attached=False)["items"]) == 5
