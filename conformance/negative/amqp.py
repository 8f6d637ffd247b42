"""AMQP 1.0 by hand: octets as AMQP parts 1, 2 and 5.3 spell them, right or wrong."""

import struct

from raw import BINARY, CLOSE, Gone, frame

SASL_HEADER = b"AMQP\x03\x01\x00\x00"
AMQP_HEADER = b"AMQP\x00\x01\x00\x00"
TLS_HEADER = b"AMQP\x02\x01\x00\x00"

OPEN, BEGIN, ATTACH, FLOW, TRANSFER, DISPOSITION, DETACH, END, CLOSE_ = range(0x10, 0x19)
MECHANISMS, INIT, CHALLENGE, RESPONSE, OUTCOME = range(0x40, 0x45)
ERROR, SOURCE, TARGET, ACCEPTED = 0x1D, 0x28, 0x29, 0x24

NULL, TRUE, FALSE = b"\x40", b"\x41", b"\x42"


def uint(number):
    return b"\x70" + struct.pack("!I", number)


def ushort(number):
    return b"\x60" + struct.pack("!H", number)


def ulong(number):
    return b"\x80" + struct.pack("!Q", number)


def string(text):
    octets = text if isinstance(text, bytes) else text.encode()
    return b"\xb1" + struct.pack("!I", len(octets)) + octets


def symbol(text):
    octets = text if isinstance(text, bytes) else text.encode()
    return b"\xb3" + struct.pack("!I", len(octets)) + octets


def binary(octets):
    return b"\xb0" + struct.pack("!I", len(octets)) + octets


def list_(*items, count=None, size=None):
    """A list32; count and size may lie."""
    body = b"".join(items)
    count = len(items) if count is None else count
    return b"\xd0" + struct.pack("!II", len(body) + 4 if size is None else size, count) + body


def described(code, value):
    return b"\x00\x53" + bytes([code]) + value


def composite(code, *fields, **lies):
    return described(code, list_(*fields, **lies))


def amqp_frame(body, channel=0, kind=0, doff=2, size=None):
    whole = len(body) + 8 if size is None else size
    return struct.pack("!IBBH", whole, doff, kind, channel) + body


def source(address):
    return composite(SOURCE, string(address))


def target(address):
    return composite(TARGET, string(address))


def data(octets):
    return b"\x00\x53\x75" + binary(octets)


def opened(container="negative", max_frame=NULL, channel_max=NULL, idle=NULL, hostname=NULL):
    return composite(OPEN, string(container), hostname, max_frame, channel_max, idle)


def begun(window=2048, next_id=0, remote=NULL):
    return composite(BEGIN, remote, uint(next_id), uint(window), uint(window))


def attached(name, handle, role, source=NULL, target=NULL, count=None, modes=(NULL, NULL)):
    """role: TRUE receives."""
    count = (uint(0) if role == FALSE else NULL) if count is None else count
    fields = [string(name), uint(handle), role, *modes, source, target, NULL, NULL, count]
    return composite(ATTACH, *fields)


def flowed(handle=NULL, credit=NULL, count=NULL, next_in=0, window=2048, next_out=0, drain=FALSE, echo=FALSE):
    return composite(
        FLOW, uint(next_in), uint(window), uint(next_out), uint(window), handle, count, credit, NULL, drain, echo
    )


def transferred(handle, delivery_id, more=FALSE, settled=NULL, aborted=NULL, tag=None, payload=b""):
    tag = struct.pack("!I", delivery_id) if tag is None else tag
    head = [uint(handle), uint(delivery_id), binary(tag), uint(0), settled, more, NULL, NULL, NULL, aborted]
    return composite(TRANSFER, *head) + payload


def read(octets, at=0):
    """One value and where it ends: numbers, text and lists as Python has them, described values as (code, value)."""
    code = octets[at]
    at += 1
    fixed = {0x40: None, 0x41: True, 0x42: False, 0x43: 0, 0x44: 0, 0x45: []}
    if code in fixed:
        return fixed[code], at
    if code == 0:
        descriptor, at = read(octets, at)
        value, at = read(octets, at)
        return (descriptor, value), at
    width = {5: 1, 6: 2, 7: 4, 8: 8, 9: 16}.get(code >> 4)
    if width:
        octet = octets[at : at + width]
        return (octet if width == 16 else int.from_bytes(octet, "big")), at + width
    width = 1 if code >> 4 in (0xA, 0xC, 0xE) else 4
    size = int.from_bytes(octets[at : at + width], "big")
    body, at = octets[at + width : at + width + size], at + width + size
    if code >> 4 in (0xA, 0xB):
        return body if code & 15 == 0 else body.decode(), at
    count, within = int.from_bytes(body[:width], "big"), width
    if code >> 4 in (0xE, 0xF):
        constructor, within = body[within : within + 1], within + 1
        items = []
        for _ in range(count):
            value, end = read(constructor + body[within:], 0)
            within += end - 1
            items.append(value)
        return items, at
    items = []
    for _ in range(count):
        value, within = read(body, within)
        items.append(value)
    return items, at


class Peer:
    """AMQP on a socket, with a WebSocket or without one."""

    def __init__(self, raw, websocket=True):
        self.raw, self.websocket, self.octets = raw, websocket, b""

    def send(self, octets):
        self.raw.send(frame(BINARY, octets) if self.websocket else octets)

    def say(self, *bodies, channel=0, kind=0):
        """Frames, all in one message."""
        self.send(b"".join(amqp_frame(body, channel, kind) for body in bodies))

    def fill(self):
        self.octets += self.raw.until(BINARY) if self.websocket else self.raw.exactly(1)

    def exactly(self, count):
        while len(self.octets) < count:
            self.fill()
        taken, self.octets = self.octets[:count], self.octets[count:]
        return taken

    def header(self):
        if self.websocket:
            # WSB-023, WSB-031
            message = self.raw.until(BINARY)
            assert len(message) == 8, f"a header in a message of {len(message)} octets"
            return message
        return self.exactly(8)

    def heard(self):
        """The next frame that is not empty: channel, performative, fields."""
        while True:
            size, doff, _, channel = struct.unpack("!IBBH", self.exactly(8))
            body = self.exactly(size - 8)[doff * 4 - 8 :]
            if body:
                (code, fields), _ = read(body)
                return channel, code, fields

    def until(self, *codes):
        """The fields of the next of these performatives; a close that is not among them is an end."""
        while True:
            _, code, fields = self.heard()
            if code in codes:
                return fields
            if code == CLOSE_:
                raise Gone(f"closed: {condition(fields)}")

    def login(self, user, password):
        self.send(SASL_HEADER)
        assert self.header() == SASL_HEADER
        self.until(MECHANISMS)
        response = b"\0" + user.encode() + b"\0" + password.encode()
        self.say(composite(INIT, symbol("PLAIN"), binary(response)), kind=1)
        assert self.until(OUTCOME)[0] == 0
        return self

    def open(self, *more, **options):
        """Header and open, and a session on channel 0."""
        self.send(AMQP_HEADER)
        self.say(opened(**options), begun(), *more)
        assert self.header() == AMQP_HEADER
        self.until(OPEN)
        self.until(BEGIN)
        return self

    def sender(self, address, handle=0, name="sender"):
        self.say(attached(name, handle, FALSE, source("here"), target(address)))
        self.until(ATTACH)
        return self.until(FLOW)

    def close_condition(self):
        return condition(self.until(CLOSE_))

    def end_condition(self):
        return condition(self.until(END))

    def detach_condition(self):
        return condition(self.until(DETACH), at=2)

    def close_code(self):
        """The code of the WebSocket's Close."""
        return self.raw.close_code()


def condition(fields, at=0):
    """The error condition in the fields of a close, an end or a detach."""
    error = fields[at] if len(fields) > at else None
    return error and error[1][0]
