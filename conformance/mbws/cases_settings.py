"""Brokers that are set otherwise, each started for its case."""

import ssl
import subprocess
import tempfile
from pathlib import Path

from websockets.exceptions import InvalidStatus

from codec import BINARY, TEXT
from suite import case

ONE_SECOND = ["session.retention_ms=1000"]


@case("MBWS-022 MBWS-A06 MBWS-A10", needs=("broker",), kinds=(TEXT,))
async def a_session_that_nobody_claims_expires(world, kind):
    """Then what it had not acknowledged goes to others, and its name is unknown."""
    async with world.another(ONE_SECOND) as other:
        queue = other.address()
        lost = await other.connected(kind, queue)
        for number in range(3):
            await lost.publish(queue, body=str(number))
        await lost.settled()
        await lost.deliveries(3)
        await lost.acknowledge(1)
        await lost.barrier(other.address())
        await lost.cut()
        heir = await other.connected(kind, queue)
        assert [d.message.body for d in await heir.deliveries(2)] == [b"1", b"2"]
        again = await other.open(kind)
        assert (await again.reconnect(lost.name, 1, 5, 4)).name != lost.name


@case("MBWS-020 MBWS-022", needs=("broker",), kinds=(TEXT,))
async def a_session_in_use_does_not_expire(world, kind):
    async with world.another(ONE_SECOND) as other:
        kept = await other.connected(kind)
        lost = await other.connected(kind, "expiring")
        await lost.publish("expiring", body="clock")
        await lost.settled()
        await lost.deliveries(1)
        await lost.cut()
        # When this comes, more than the retention has passed.
        await (await other.connected(kind, "expiring")).deliveries(1)
        await kept.barrier(other.address())
        await kept.cut()
        await other.resumed(kept, 0, 2, 1)


@case("MBWS-022 MBWS-A06", needs=("broker",), kinds=(TEXT,))
async def a_session_that_nobody_claims_after_a_kill_expires(world, kind):
    async with world.another(ONE_SECOND) as other:
        lost = await other.connected(kind, "orders")
        await lost.publish("orders", body="x")
        await lost.settled()
        await lost.deliveries(1)
        other.broker.kill()
        other.broker.start()
        heir = await other.connected(kind, "orders")
        assert (await heir.delivery()).message.body == b"x"


@case("MBWS-006 MBWS-009 MBWS-026", needs=("broker",))
async def over_tls(world, kind):
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = Path(folder, "certificate.pem"), Path(folder, "key.pem")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
            + ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
            + ["-keyout", str(key), "-out", str(certificate)],
            check=True,
            capture_output=True,
        )
        trust = ssl.create_default_context(cafile=certificate)
        flags = ["--tls-cert", str(certificate), "--tls-key", str(key)]
        async with world.another(flags=flags) as other:
            assert other.url.startswith("wss://"), other.url
            queue = other.address()
            peer = await other.connected(kind, queue, ssl=trust)
            for number in range(50):
                await peer.publish(queue, body=str(number) * 1000)
            await peer.settled()
            assert len(await peer.deliveries(50)) == 50
            await peer.cut()
            again = await other.resumed(peer, 20, 51, 50, ssl=trust)
            assert [d.seq for d in await again.deliveries(30)] == list(range(21, 51))


@case("MBWS-008", needs=("broker",), kinds=(TEXT,))
async def an_anonymous_user(world, kind):
    async with world.another(["auth.anonymous_user=" + world.users[1][0]]) as other:
        peer = await other.connected(kind, authorization=None)
        await peer.cut()
        # The same user by name is the same user.
        await other.resumed(peer, 0, 1, 0, user=1)


LIMITED = """
[[users]]
name = "limited"
password_verifier = "{verifier}"
permissions = [
    {{ pattern = "in/*", send = true, manage = true }},
    {{ pattern = "out/**", receive = true, manage = true }},
]
"""


@case("MBWS-077 MBWS-035 MBWS-A19 MBWS-076", needs=("broker",))
async def permissions(world, kind):
    """What is not permitted is acknowledged and a dead letter; consuming without permission closes with 1008."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "wharf.toml")
        file.write_text(LIMITED.format(verifier=world.broker.verifier("a secret")))
        async with world.another(flags=["--config", str(file)]) as other:
            other.users.append(("limited", "a secret"))
            limited = len(other.users) - 1
            try:
                await allowed_and_forbidden(other, kind, limited)
            finally:
                other.users.pop()


async def allowed_and_forbidden(world, kind, limited):
    peer = await world.connected(kind, user=limited)
    await peer.publish("in/a", "in/a/b", "elsewhere", body="x")
    await peer.settled()
    assert len(await world.empty("in/a")) == 1
    letters = await world.dead_letters(b"x")
    assert sorted(letters) == [("not-permitted", "elsewhere"), ("not-permitted", "in/a/b")], letters
    await peer.consume("out/x/y")
    sender = await world.connected(kind)
    await sender.publish("out/x/y", body="z")
    assert (await peer.delivery()).message.body == b"z"
    await peer.publish("wharf/consume", properties=(("address", "in/a"),))
    assert await peer.closed() == 1008
    by_url = await world.open(kind, user=limited, query="address=in/a")
    try:
        await by_url.connect()
    except Exception:
        pass  # The Close may come in place of the answer.
    assert await by_url.closed() == 1008


POLICIES = """
[[policies]]
pattern = "twice/**"
kind = "queue"
deliveries_max = 2
dead_letter_address = "morgue"

[[policies]]
pattern = "news/*"
kind = "topic"
"""


@case("MBWS-076 MBWS-077", needs=("broker",), kinds=(TEXT,))
async def policies(world, kind):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "wharf.toml")
        file.write_text(POLICIES)
        async with world.another(flags=["--config", str(file)]) as other:
            await dead_after_two_deliveries(other, kind)
            await a_topic_by_another_name(other, kind)


async def dead_after_two_deliveries(world, kind):
    sender = await world.connected(kind)
    await sender.publish("twice/a", body="x", properties=(("k", "v"),))
    await sender.settled()
    for _ in range(2):
        peer = await world.connected(kind, "twice/a")
        await peer.delivery()
        await peer.close()
    morgue = await world.empty("morgue")
    properties = (("k", "v"), ("wharf-death-reason", "deliveries-max"), ("wharf-death-address", "twice/a"))
    assert [(letter.body, letter.properties) for letter in morgue] == [(b"x", properties)], morgue


async def a_topic_by_another_name(world, kind):
    readers = [await world.connected(kind) for _ in range(2)]
    for reader in readers:
        await reader.consume("news/today")
    await readers[0].publish("news/today", body="y")
    assert [(await reader.delivery()).message.body for reader in readers] == [b"y", b"y"]


@case("MBWS-120 WS-FR-10", needs=("broker",))
async def a_smaller_limit(world, kind):
    async with world.another(["websocket.message_size_max_bytes=1000"]) as other:
        peer = await other.connected(kind)
        await peer.publish("a", body="x" * 900)
        await peer.settled()
        await peer.publish("a", body="x" * 1000)
        assert await peer.closed() == 1009


@case("WS-HS-11 MBWS-005", needs=("broker",), kinds=(TEXT,))
async def the_origins_that_may_connect(world, kind):
    async def status(other, origin):
        try:
            await other.open(kind, origin=origin)
        except InvalidStatus as refusal:
            return refusal.response.status_code
        return 101

    async with world.another(['websocket.origins=["https://app.example"]']) as other:
        own = "http://" + other.broker.listen
        origins = ["https://app.example", "https://APP.example:443", None, "http://app.example", "https://app.example.evil", own]
        assert [await status(other, origin) for origin in origins] == [101, 101, 101, 403, 403, 403]
    async with world.another() as other:
        own = "http://" + other.broker.listen
        origins = [own, None, "https://app.example", "http://127.0.0.1:1", "null"]
        assert [await status(other, origin) for origin in origins] == [101, 101, 403, 403, 403]
    async with world.another(['websocket.origins=["*"]']) as other:
        assert [await status(other, origin) for origin in ["http://any.example", "null"]] == [101, 101]


@case("MBWS-120", needs=("broker",), kinds=(BINARY,))
async def compression_switched_off(world, kind):
    async with world.another(["websocket.compression=false"]) as other:
        peer = await other.connected(kind)
        assert "Sec-WebSocket-Extensions" not in peer.websocket.response.headers
        await peer.barrier("a")


@case("MBWS-A09 MBWS-020", needs=("broker",), kinds=(TEXT,))
async def the_close_code_of_a_restart(world, kind):
    async with world.another(["shutdown.close_code=1012"]) as other:
        peer = await other.connected(kind)
        await peer.barrier("a")
        other.broker.process.terminate()
        assert await peer.closed() == 1012
        other.broker.process.wait(60)
        other.broker.start()
        await other.resumed(peer, 0, 2, 1)
