"""MBWS frames, written from the ABNF of draft-hapner-hybi-messagebroker-subprotocol-02 section 4 and nothing else.

Both kinds are handled as octets; a text frame is the UTF-8 of its characters. `encode` writes the shortest form of
every number, `decode` reads any form that the ABNF allows.
"""

from dataclasses import dataclass

TEXT, BINARY = "text", "binary"
CODE_POINTS, OCTETS, UTF16 = "code-points", "octets", "utf16"
NUMBER_MAX = 2**56 - 1


class Malformed(Exception):
    """The octets are no MBWS frame."""


@dataclass(frozen=True)
class Connect:
    name: str = ""
    numbers: tuple = ()


@dataclass(frozen=True)
class Acknowledge:
    number: int


@dataclass(frozen=True)
class Message:
    addresses: tuple = ()
    content_type: str = ""
    properties: tuple = ()
    body: bytes = b""

    def property(self, name):
        """The last value of a property, or None."""
        return dict(self.properties).get(name)


def varint(number):
    """MBWS-105: seven bits an octet, least significant group first."""
    octets = bytearray()
    while number > 0x7F:
        octets.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(octets) + bytes([number])


def text_int(number):
    """MBWS-111: digits, then one space that belongs to the number."""
    return b"%d " % number


def length_of(string, unit):
    """MBWS-A01: what the length of a string counts."""
    if unit == OCTETS:
        return len(string.encode())
    if unit == UTF16:
        return len(string.encode("utf-16-le")) // 2
    return len(string)


def encode(frame, kind, unit=CODE_POINTS):
    """The octets of a frame."""
    number = varint if kind == BINARY else text_int

    def string(value):
        return number(length_of(value, unit)) + value.encode()

    def head(digit):
        return bytes([digit]) if kind == BINARY else b"%d " % digit

    if isinstance(frame, Connect):
        return head(1) + string(frame.name) + number(len(frame.numbers)) + b"".join(map(number, frame.numbers))
    if isinstance(frame, Acknowledge):
        return head(2) + number(frame.number)
    pairs = [string(name) + string(value) for name, value in frame.properties]
    return b"".join(
        [head(3), number(len(frame.addresses)), *map(string, frame.addresses), string(frame.content_type)]
        + [number(len(pairs)), *pairs, frame.body]
    )


def decode(octets, kind, unit=CODE_POINTS):
    """The frame of these octets."""
    reader = Reader(octets, kind, unit)
    digit = reader.head()
    if digit == 1:
        frame = Connect(reader.string(), reader.list(reader.number))
    elif digit == 2:
        frame = Acknowledge(reader.number())
    elif digit == 3:
        addresses, content_type = reader.list(reader.string), reader.string()
        properties = reader.list(lambda: (reader.string(), reader.string()))
        return Message(addresses, content_type, properties, reader.rest())
    else:
        raise Malformed(f"unknown frame id {digit}")
    if reader.rest():
        raise Malformed("octets after the end")
    return frame


class Reader:
    """Reads one frame from its beginning."""

    def __init__(self, octets, kind, unit):
        self.octets, self.at, self.unit = octets, 0, unit
        self.number = self.varint if kind == BINARY else self.text_int
        self.kind = kind

    def octet(self):
        if self.at >= len(self.octets):
            raise Malformed("the frame ends early")
        self.at += 1
        return self.octets[self.at - 1]

    def head(self):
        if self.kind == BINARY:
            return self.octet()
        digit = self.octet() - ord("0")
        if self.octet() != ord(" "):
            raise Malformed("no space after the frame id")
        return digit

    def varint(self):
        number = 0
        for group in range(8):
            octet = self.octet()
            number |= (octet & 0x7F) << 7 * group
            if octet < 0x80:
                return number
        raise Malformed("a varint of more than eight octets")

    def text_int(self):
        digits = bytearray()
        while (octet := self.octet()) != ord(" "):
            digits.append(octet)
        if not digits.isdigit():
            raise Malformed(f"no number: {bytes(digits)!r}")
        return int(digits)

    def string(self):
        left, begin = self.number(), self.at
        while left > 0:
            octet = self.octet()
            size = 1 if octet < 0x80 else 2 if octet < 0xE0 else 3 if octet < 0xF0 else 4
            self.at += size - 1
            left -= size if self.unit == OCTETS else 2 if self.unit == UTF16 and size == 4 else 1
        if left < 0 or self.at > len(self.octets):
            raise Malformed("a length that cuts a character")
        return self.octets[begin : self.at].decode()

    def list(self, entry):
        return tuple(entry() for _ in range(self.number()))

    def rest(self):
        return self.octets[self.at :]
