"""Sends each line of stdin by MBWS: stored once, over lost connections and a broker that is killed.
All that a sender does for it is here. Usage: send.py ADDRESS"""

import asyncio
import base64
import os
import sys

from websockets import ConnectionClosed, InvalidHandshake, connect

LOGIN = f"{os.environ['WHARF_USER']}:{os.environ['WHARF_PASSWORD']}"
HEADERS = {"Authorization": "Basic " + base64.b64encode(LOGIN.encode()).decode()}
OPTIONS = {"subprotocols": ["MBWS.huawei.com"], "additional_headers": HEADERS}


class Sender:
    def __init__(self, address):
        self.to, self.name, self.lines = f"{len(address)} {address}", "", []
        self.stored, self.ended, self.more = 0, False, asyncio.Event()

    async def read_lines(self):
        while line := await asyncio.to_thread(sys.stdin.readline):
            self.lines.append(line.rstrip("\n"))
            self.more.set()
        self.ended = True
        self.more.set()

    async def run(self, url):
        reading = asyncio.create_task(self.read_lines())
        while not reading.done() or self.stored < len(self.lines):
            try:
                async with connect(url, **OPTIONS) as socket:
                    await self.talk(socket)
            except (OSError, ConnectionClosed, InvalidHandshake):
                await asyncio.sleep(0.5)

    async def talk(self, socket):
        # Received nothing; of what was sent, numbers from here to there are still at hand.
        window = f"3 0 {self.stored + 1} {len(self.lines)} " if self.name else "0 "
        await socket.send(f"1 {len(self.name)} {self.name}{window}")
        length, rest = (await socket.recv())[2:].split(" ", 1)
        name, more = rest[: int(length)], rest[int(length) :].split()
        if self.name not in ("", name):
            sys.exit(f"the broker has forgotten us: ask it about {self.lines[self.stored:]}")
        # What it has not, it gets now: everything after the number that it says.
        self.name, sent = name, int(more[1]) if more[0] == "1" else 0
        self.stored = max(self.stored, sent)
        while not self.ended or self.stored < len(self.lines):
            if sent < len(self.lines):
                await socket.send(f"3 1 {self.to}0 0 {self.lines[sent]}")
                sent += 1
            elif self.stored < sent:
                self.stored = int((await socket.recv()).split()[1])
            else:
                self.more.clear()
                await self.more.wait()


asyncio.run(Sender(sys.argv[1]).run(os.environ["WHARF_URL"]))
