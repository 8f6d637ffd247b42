"""One end of an MBWS or MBLWS connection, on the `websockets` client. It counts both sequences as section 2.1.3 says
and holds every frame of the broker against the grammar, the shortest form and the rules for acknowledgements."""

import asyncio
import base64
import socket
import struct
from collections import deque
from dataclasses import dataclass

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from codec import BINARY, CODE_POINTS, TEXT, Acknowledge, Connect, Message, decode, encode

MBWS, MBLWS = "MBWS.huawei.com", "MBLWS.huawei.com"
WAIT_S = 30
MESSAGE_SIZE_MAX_BYTES = 64 << 20


@dataclass(frozen=True)
class Delivery:
    """A message from the broker, its implicit number and the kind of frame it came in."""

    seq: int
    kind: str
    message: Message


def basic(user, password):
    """The value of Authorization."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class Peer:
    """A client that does as it is told, whether or not the protocol allows it."""

    def __init__(self, websocket, kind, unit, light):
        self.websocket, self.kind, self.unit, self.light = websocket, kind, unit, light
        self.name = None
        self.restart()

    def restart(self):
        """MBWS-052: numbers begin at 1, windows are empty."""
        self.sent = self.acknowledged = self.received = 0
        self.acknowledgement_kinds = []
        self.inbox = deque()

    @classmethod
    async def open(cls, url, authorization, kind=TEXT, *, light=False, query="", origin=None, unit=CODE_POINTS, **options):
        """Opens a WebSocket; the Connect exchange is still to come."""
        options.setdefault("subprotocols", [MBLWS if light else MBWS])
        headers = {"Authorization": authorization} if authorization else {}
        # Read without end, so that a Close is seen behind messages that no case has taken yet.
        bounds = {"max_size": MESSAGE_SIZE_MAX_BYTES, "max_queue": None}
        options = {"ping_interval": None, "proxy": None, **bounds, **options}
        target = url + ("?" + query if query else "")
        websocket = await connect(target, origin=origin, additional_headers=headers, **options)
        return cls(websocket, kind, unit, light)

    # Sending

    async def send(self, frame, kind=None):
        await self.send_octets(encode(frame, kind or self.kind, self.unit), kind)

    async def send_octets(self, octets, kind=None):
        await self.websocket.send(octets, text=(kind or self.kind) == TEXT)

    async def send_at_once(self, *frames):
        """Several frames in one write, so that they come in one burst."""
        for frame in frames:
            octets = frame if isinstance(frame, bytes) else encode(frame, self.kind, self.unit)
            protocol = self.websocket.protocol
            (protocol.send_text if self.kind == TEXT else protocol.send_binary)(octets)
        data = b"".join(self.websocket.protocol.data_to_send())
        self.websocket.transport.write(data)

    async def publish(self, *addresses, body=b"", content_type="", properties=(), kind=None):
        """Sends a message and says its number."""
        body = body.encode() if isinstance(body, str) else body
        await self.send(Message(addresses, content_type, tuple(properties), body), kind)
        self.sent += 1
        return self.sent

    async def consume(self, *addresses, **properties):
        """MBWS-A25: asks for messages, and waits until the wish is taken."""
        await self.wish("wharf/consume", *addresses, **properties)

    async def cancel(self, *addresses, **properties):
        await self.wish("wharf/cancel", *addresses, **properties)

    async def wish(self, to, *addresses, **properties):
        named = [("address", address) for address in addresses]
        await self.publish(to, properties=named + [(name, str(value)) for name, value in properties.items()])
        await self.settled()

    async def acknowledge(self, number):
        await self.send(Acknowledge(number))

    # Receiving

    async def frame(self):
        """The next frame and its kind. MBWS-A16: the broker never sends but the shortest form."""
        payload = await asyncio.wait_for(self.websocket.recv(), WAIT_S)
        kind = TEXT if isinstance(payload, str) else BINARY
        octets = payload.encode() if kind == TEXT else payload
        frame = decode(octets, kind, self.unit)
        assert encode(frame, kind, self.unit) == octets, f"not the shortest form: {octets[:200]!r}"
        return kind, frame

    async def pump(self):
        """Takes one frame as a client does after the Connect exchange."""
        kind, frame = await self.frame()
        if isinstance(frame, Message):
            # MBWS-073: exactly one address.
            assert len(frame.addresses) == 1, f"a delivery with addresses {frame.addresses}"
            self.received += 1
            self.inbox.append(Delivery(self.received, kind, frame))
            return
        # MBWS-062: an MBLWS server sends neither Connect nor Acknowledge.
        assert isinstance(frame, Acknowledge) and not self.light, f"unexpected {frame}"
        # MBWS-033: cumulative, so it neither goes back nor ahead of what was sent.
        assert self.acknowledged <= frame.number <= self.sent, (
            f"acknowledged {frame.number} after {self.acknowledged} with {self.sent} sent"
        )
        self.acknowledged = frame.number
        self.acknowledgement_kinds.append(kind)

    async def settled(self):
        """MBWS-035: waits until everything sent is acknowledged."""
        while self.acknowledged < self.sent:
            await self.pump()

    async def deliveries(self, count):
        """The next `count` deliveries."""
        while len(self.inbox) < count:
            await self.pump()
        return [self.inbox.popleft() for _ in range(count)]

    async def delivery(self):
        return (await self.deliveries(1))[0]

    async def take(self, count):
        """The next deliveries, acknowledged."""
        taken = await self.deliveries(count)
        if not self.light and taken:
            await self.acknowledge(taken[-1].seq)
        return taken

    async def barrier(self, address):
        """Everything the broker did before is here when this returns: a message goes there and back."""
        await self.publish(address, body="barrier")
        await self.settled()

    async def barrier_light(self, address):
        """The same for MBLWS: a message to an address that this peer alone consumes comes back."""
        await self.publish(address, body="barrier")
        assert (await self.delivery()).message.body == b"barrier"

    # Connections

    async def connect(self):
        """MBWS-010, MBWS-011: a new connection. Says its name."""
        await self.send(Connect())
        answer = await self.answer()
        assert answer.name and answer.numbers == (), f"an answer that is none: {answer}"
        self.name = answer.name
        return self.name

    async def answer(self):
        kind, answer = await self.frame()
        assert isinstance(answer, Connect), f"expected a Connect, got {answer}"
        # MBWS-A02: in the kind of the request.
        assert kind == self.kind, f"asked in {self.kind}, answered in {kind}"
        return answer

    async def reconnect(self, name, cslr, cslw, csuw):
        """MBWS-040: asks to go on with a connection. Says the answer."""
        await self.send(Connect(name, (cslr, cslw, csuw)))
        answer = await self.answer()
        self.restart()
        if answer.name == name:
            # MBWS-046: exactly one number. MBWS-A23: it acknowledges as well.
            assert len(answer.numbers) == 1, f"accepted with {answer.numbers}"
            self.sent = self.acknowledged = answer.numbers[0]
            self.received = cslr
        else:
            # MBWS-049, MBWS-051
            assert answer.name and answer.numbers == (), f"refused with {answer}"
        self.name = answer.name
        return answer

    # Ends

    async def cut(self, reset=False):
        """The loss of the TCP connection, without a word of WebSocket."""
        transport = self.websocket.transport
        if reset:
            linger = struct.pack("ii", 1, 0)
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()
        await self.websocket.wait_closed()

    async def close(self, code=1000):
        """A closing handshake; None is a Close without a code."""
        if code is None:
            self.websocket.protocol.send_close()
            self.websocket.send_data()
            await asyncio.wait_for(self.websocket.wait_closed(), WAIT_S)
        else:
            await self.websocket.close(code)

    async def closed(self):
        """Waits for the broker's Close and says its code; what comes before it is passed over."""
        try:
            while True:
                await asyncio.wait_for(self.websocket.recv(), WAIT_S)
        except ConnectionClosed as end:
            return end.rcvd.code if end.rcvd else 1006
