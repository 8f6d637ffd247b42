"""The cases, and what they need: brokers, users, clients of the broker's protocols."""

import asyncio
import contextlib
import json
import secrets
import sys
import traceback
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(1, str(HERE.parent / "mbws"))
from broker import Broker, lasting_port  # noqa: E402
from peer import Peer  # noqa: E402

from api import Api, Document, basic, bearer, path  # noqa: E402

ADMIN = ("admin", "secret of the admin")
CASE_MAX_S = 60
CASES = []


def case(function):
    """Registers a case."""
    module = function.__module__.removeprefix("cases_")
    CASES.append((f"{module}/{function.__name__}", function))
    return function


class World:
    """One broker and everything a case may ask of it."""

    def __init__(self, broker, url, done):
        self.broker, self.url, self.done = broker, url, done
        self.address = url.split("://")[1].split("/")[0]
        with urllib.request.urlopen(f"http://{self.address}/api/openapi.json") as response:
            self.document = Document(json.load(response))
        self.api = Api(self.address, basic(*ADMIN), self.document, done)
        self.run, self.count, self.peers = secrets.token_hex(3), 0, []

    def name(self, kind="a"):
        """A name that nobody has used before."""
        self.count += 1
        return f"{kind}-{self.run}-{self.count}"

    def user(self, *permissions, password="a password", **more):
        """A new user with these rules; says its name and a client that is logged in as it."""
        name = self.name("user")
        body = {"password": password, "permissions": list(permissions), **more}
        self.api.put(path("users", name), body)
        return name, self.api.of(name, password)

    def queue(self, kind="queue"):
        """A new address that is declared."""
        name = self.name("topic/t" if kind == "topic" else "q/q")
        self.api.put(path("addresses", name), {"kind": kind})
        return name

    def send(self, address, *texts, api=None):
        for text in texts:
            (api or self.api).post(path("addresses", address, "messages"), {"text": text})

    def texts(self, address, **query):
        """What is in a queue, by a look that leaves it there."""
        query.setdefault("limit", 100)
        items = self.api.get(path("addresses", address, "messages"), **query)["items"]
        return [item.get("text") for item in items]

    def ready(self, address):
        return self.api.get(path("addresses", address))["messages_ready"]

    def ready_of(self, address):
        """The same, also if there is no such address yet."""
        answer = self.api.call("GET", path("addresses", address), status=(200, 404))
        return answer.body.get("messages_ready", 0)

    def policy(self, name, pattern, **rule):
        self.api.put(path("policies", name), {"pattern": pattern, **rule})

    async def peer(self, login=ADMIN, *consume, query="", token=None, connect=True, **options):
        """A client of MBWS; it is closed when the case ends."""
        parts = [f"address={address}" for address in consume] + ([query] if query else [])
        authorization = bearer(token) if token else basic(*login) if login else None
        peer = await Peer.open(self.url, authorization, query="&".join(parts), **options)
        self.peers.append(peer)
        if connect:
            await peer.connect()
        return peer

    async def eventually(self, holds, what, within_s=20):
        """Waits until something is so; what it was at last is in the failure."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within_s
        while True:
            found = holds()
            if found:
                return found
            assert loop.time() < deadline, f"never so: {what}"
            await asyncio.sleep(0.02)

    @contextlib.asynccontextmanager
    async def another(self, settings=(), file=None):
        """A broker of the case's own; `file` is what its configuration file says."""
        async with served(self.broker.binary, self.done, settings, file) as world:
            yield world

    async def again(self, abrupt=True):
        """Kills the broker, or stops it, and starts it again on the same data."""
        await asyncio.to_thread(self.broker.kill if abrupt else self.broker.terminate)
        await asyncio.to_thread(self.broker.start)

    async def end_case(self):
        for peer in self.peers:
            if peer.websocket.transport:
                peer.websocket.transport.abort()
        self.peers.clear()


@contextlib.asynccontextmanager
async def served(binary, done, settings=(), file=None):
    broker = Broker(binary, [ADMIN], list(settings))
    try:
        if file is not None:
            broker.flags = ["--config", str(configured(broker, file))]
        url = await asyncio.to_thread(broker.start)
        world = World(broker, url, done)
        yield world
        await world.end_case()
    finally:
        await asyncio.to_thread(broker.stop)


def configured(broker, file):
    """Writes the configuration file of a broker."""
    written = Path(broker.directory.name, "wharf.toml")
    written.write_text("".join(toml(key, value) for key, value in file.items()))
    return written


def toml(key, value):
    """A section, or an array of them. JSON's scalars and arrays of these are those of TOML."""
    if isinstance(value, list):
        return "".join(toml(f"[{key}]", each) for each in value)
    lines = [f"{name} = {json.dumps(scalar)}\n" for name, scalar in value.items()]
    return f"[{key}]\n" + "".join(lines) + "\n"


async def run_case(world, function):
    """None if it passed, otherwise why not."""
    try:
        await asyncio.wait_for(function(world), CASE_MAX_S)
        return None
    except Exception as error:
        own = [frame for frame in traceback.extract_tb(error.__traceback__)
               if "cases_" in frame.filename]
        line = f" (line {own[-1].lineno}: {own[-1].line})" if own else ""
        return f"{type(error).__name__}: {error}{line}"[:900]
    finally:
        await world.end_case()


def panics(broker):
    """What of the log says that code of the broker has failed."""
    return [line for line in broker.log().splitlines() if "panicked" in line or "RUST_BACKTRACE" in line]
