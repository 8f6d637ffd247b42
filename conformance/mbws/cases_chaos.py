"""Clients that do at random what the network and people do to them, on a seed, while the broker may be killed. Whatever
happens, every message that was sent is taken exactly once."""

import asyncio
import random
from collections import Counter

from websockets.exceptions import WebSocketException

from codec import BINARY, TEXT, Connect, Message, encode
from suite import case

ROBOTS, QUEUES, QUOTA = 6, 4, 60
PATIENCE_S = 0.05


class Robot:
    """A client that survives everything: its state is what section 2.1.1 asks for, and no more."""

    def __init__(self, world, dice, queues, label):
        self.world, self.dice, self.queues, self.label = world, dice, queues, label
        self.name, self.received, self.sent, self.window = "", 0, 0, []
        self.published, self.taken = Counter(), Counter()
        self.losses = 0

    def is_settled(self):
        return len(self.window) == 0 and self.sent == QUOTA + len(self.queues)

    def next_message(self):
        """First the wish to consume each queue, then messages to one or two of them."""
        if self.sent < len(self.queues):
            credit = str(self.dice.randint(1, 20))
            return Message(("wharf/consume",), "", (("address", self.queues[self.sent]), ("credit", credit)), b"")
        addresses = tuple(self.dice.sample(self.queues, self.dice.choice((1, 1, 2))))
        body = f"{self.label} {self.sent}".encode() + b" " * self.dice.choice((0, 100, 70_000))
        self.published.update((address, body) for address in addresses)
        return Message(addresses, "", (), body)

    async def run(self, is_over):
        while not is_over():
            try:
                await self.session(is_over)
            except (WebSocketException, OSError, TimeoutError, EOFError):
                self.losses += 1
                await asyncio.sleep(0.01)

    async def session(self, is_over):
        peer = await self.world.open(self.dice.choice((TEXT, BINARY)), compression=self.dice.choice(("deflate", None)))
        await self.begin(peer)
        for _ in range(self.dice.randint(1, 60)):
            if is_over():
                return
            await self.step(peer)
        await self.end(peer)

    async def begin(self, peer):
        claim = (self.received, self.sent - len(self.window) + 1, self.sent) if self.name else ()
        await peer.send(Connect(self.name, claim))
        answer = await peer.answer()
        if self.name:
            assert answer.name == self.name and len(answer.numbers) == 1, f"refused {self.name} {claim}: {answer}"
            self.drop(answer.numbers[0])
        self.name = answer.name
        peer.sent, peer.acknowledged, peer.received = self.sent, self.sent - len(self.window), self.received
        for message in self.window:
            await peer.send(message)

    def drop(self, number):
        kept = self.sent - number
        assert 0 <= kept <= len(self.window), f"SSLR or acknowledgement {number} with {len(self.window)} of {self.sent} left"
        self.window = self.window[len(self.window) - kept :]

    async def step(self, peer):
        if self.sent < QUOTA + len(self.queues) and self.dice.random() < 0.6:
            message = self.next_message()
            self.window.append(message)
            self.sent = peer.sent = self.sent + 1
            await peer.send(message)
        try:
            await asyncio.wait_for(peer.pump(), PATIENCE_S)
        except asyncio.TimeoutError:
            return
        self.drop(peer.acknowledged)
        while peer.inbox:
            delivery = peer.inbox.popleft()
            self.received += 1
            assert delivery.seq == self.received
            self.taken[delivery.message.addresses[0], delivery.message.body] += 1
        if self.dice.random() < 0.5:
            await peer.acknowledge(self.received)

    async def end(self, peer):
        how = self.dice.choice(("fin", "reset", "leave", "mid-frame", "1001", "4000"))
        if how in ("fin", "reset"):
            await peer.cut(reset=how == "reset")
        elif how == "mid-frame":
            half = encode(Message(("never",), "", (), b"x" * 500), BINARY)[:300]
            peer.websocket.transport.write(b"\x82\xfe\x01\xff\0\0\0\0" + half)
            await peer.cut()
        elif how != "leave":
            await peer.close(int(how))
        # "leave": the socket stays open, and the next session takes over.
        self.losses += 1


    async def finish(self):
        """The last CSLR acknowledges all, so that a normal close gives nothing back."""
        peer = await self.world.open()
        await self.begin(peer)
        await peer.close()


async def play(world, seed, kills):
    dice = random.Random(seed)
    queues = [world.address() for _ in range(QUEUES)]
    robots = [Robot(world, random.Random(seed * 100 + n), queues, f"robot {n}") for n in range(ROBOTS)]

    def is_over():
        taken = sum(robot.taken.total() for robot in robots)
        return all(robot.is_settled() for robot in robots) and taken >= sum(r.published.total() for r in robots)

    running = [asyncio.create_task(robot.run(is_over)) for robot in robots]
    for _ in range(kills):
        await asyncio.sleep(dice.uniform(0.1, 0.8))
        await asyncio.to_thread(world.broker.kill)
        await asyncio.to_thread(world.broker.start)
    await asyncio.gather(*running)
    published, taken = sum((r.published for r in robots), Counter()), sum((r.taken for r in robots), Counter())
    twice = [key for key, count in (taken - published).items()]
    lost = [key for key, count in (published - taken).items()]
    assert not twice and not lost, f"seed {seed}: twice {twice[:3]}, lost {lost[:3]}"
    assert sum(robot.losses for robot in robots) > ROBOTS, "nothing happened"
    for robot in robots:
        await robot.finish()
    for queue in queues:
        assert await world.empty(queue) == []


@case("MBWS-020 MBWS-022 MBWS-026 MBWS-031 MBWS-047 MBWS-048 MBWS-A14 MBWS-A23", kinds=(TEXT,), rows=[(f"seed-{n}", n) for n in range(1, 6)])
async def wires_that_break(world, kind, seed):
    await play(world, seed, 0)


@case("MBWS-020 MBWS-022 MBWS-026 MBWS-033 MBWS-A11", kinds=(TEXT,), needs=("broker",), rows=[(f"seed-{n}", n) for n in range(11, 16)])
async def wires_that_break_and_a_broker_that_is_killed(world, kind, seed):
    await play(world, seed, 6)
