"""The cases and what they share. A case is a coroutine with the requirements that it holds the broker to."""

import asyncio
import contextlib
import secrets
import traceback

from broker import Broker
from codec import BINARY, TEXT
from peer import Peer, basic

BOTH = (TEXT, BINARY)
CASE_MAX_S = 120


class Case:
    """One case in one kind of frame."""

    def __init__(self, function, requirements, kind, needs, more):
        self.function, self.requirements, self.kind, self.needs, self.more = function, requirements, kind, needs, more
        module = function.__module__.removeprefix("cases_")
        labels = [str(label) for label in more[:1]]
        self.name = "/".join([module, function.__name__, *labels, kind])


CASES = []


def case(requirements, *, kinds=BOTH, needs=(), rows=((),)):
    """Registers a case, once for every kind of frame and row of parameters. The first parameter of a row is a label."""

    def register(function):
        CASES.extend(
            Case(function, requirements.split(), kind, needs, tuple(row)) for row in rows for kind in kinds
        )
        return function

    return register


class World:
    """The broker under test and everything a case may ask of it."""

    def __init__(self, url, users, origins, broker=None):
        self.url, self.users, self.origins, self.broker = url, users, origins, broker
        self.run = secrets.token_hex(4)
        self.count = 0
        self.peers = []

    def has(self, need):
        return {"broker": self.broker is not None, "second user": len(self.users) > 1}[need]

    def address(self, name="queue"):
        """An address that nobody has used before."""
        self.count += 1
        return f"conformance/{self.run}/{self.count}/{name}"

    def topic(self):
        return "topic/" + self.address("topic")

    async def open(self, kind=TEXT, *, user=0, **options):
        """A WebSocket that is closed when the case ends."""
        authorization = options.pop("authorization", basic(*self.users[user]))
        peer = await Peer.open(self.url, authorization, kind, **options)
        self.peers.append(peer)
        return peer

    async def connected(self, kind=TEXT, *consume, credit=None, **options):
        """A new connection that consumes the addresses by its URL."""
        parts = [f"address={address}" for address in consume]
        parts += [f"credit={credit}"] if credit else []
        parts += [options.pop("query")] if "query" in options else []
        peer = await self.open(kind, query="&".join(parts), **options)
        if not peer.light:
            await peer.connect()
        return peer

    async def resumed(self, lost, cslr, cslw, csuw, **options):
        """A reconnect of a connection that must be accepted."""
        options.setdefault("kind", lost.kind)
        peer = await self.open(**options)
        answer = await peer.reconnect(lost.name, cslr, cslw, csuw)
        assert answer.name == lost.name, f"refused: asked for {lost.name} {cslr} {cslw} {csuw}, got {answer}"
        return peer

    async def empty(self, *addresses):
        """What is left at these addresses, by a consumer that takes all of it up to a marker of its own."""
        peer = await self.connected(TEXT, *addresses)
        marker = secrets.token_hex(8)
        found, missing = [], len(addresses)
        await peer.publish(*addresses, body=marker)
        while missing:
            delivery = (await peer.take(1))[0]
            if delivery.message.body == marker.encode():
                missing -= 1
            else:
                found.append(delivery.message)
        await peer.close()
        return found

    async def dead_letters(self, body):
        """The reason and the address of every dead letter with this body."""
        letters = [letter for letter in await self.empty("wharf/dead-letter") if letter.body == body]
        return [(letter.property("wharf-death-reason"), letter.property("wharf-death-address")) for letter in letters]

    @contextlib.asynccontextmanager
    async def another(self, settings=(), flags=(), users=None):
        """A world with a broker of its own, set otherwise."""
        broker = Broker(self.broker.binary, self.users if users is None else users, settings, flags)
        try:
            url = await asyncio.to_thread(broker.start)
            world = World(url, self.users, self.origins, broker)
            yield world
            await world.end_case()
        finally:
            await asyncio.to_thread(broker.stop)

    async def end_case(self):
        for peer in self.peers:
            if peer.websocket.transport:
                peer.websocket.transport.abort()
        self.peers.clear()


async def run_case(world, case):
    """None if it passed, otherwise why not."""
    try:
        await asyncio.wait_for(case.function(world, case.kind, *case.more[1:]), CASE_MAX_S)
        return None
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in place if "cases_" in frame.filename]
        line = f" (line {own[-1].lineno}: {own[-1].line})" if own else ""
        return f"{type(error).__name__}: {error}{line}"[:600]
    finally:
        await world.end_case()
