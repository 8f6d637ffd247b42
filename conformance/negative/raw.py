"""A WebSocket client on a plain socket that says exactly what it is told, right or wrong."""

import base64
import hashlib
import os
import socket
import struct
import zlib

WAIT_S = 30
GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10
KEY = base64.b64encode(bytes(range(16))).decode()


class Gone(Exception):
    """The server has ended the connection."""


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def fields(authorization, host="127.0.0.1", protocol="MBWS.huawei.com"):
    """The header fields of a handshake that is right."""
    return [
        ("Host", host),
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key", KEY),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Protocol", protocol),
        ("Authorization", authorization),
    ]


def request(fields, target="/ws", method="GET", version="HTTP/1.1"):
    lines = [f"{method} {target} {version}"] + [f"{name}: {value}" for name, value in fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def frame(opcode, payload=b"", fin=True, rsv=0, masked=True, size=None):
    """One frame; `size` is the payload length that is announced and how wide: (width, length)."""
    length = len(payload)
    width, length = size or ((7, length) if length < 126 else (16, length) if length < 65536 else (64, length))
    head = bytes([fin << 7 | rsv << 4 | opcode])
    mask = masked << 7
    if width == 7:
        head += bytes([mask | length])
    elif width == 16:
        head += bytes([mask | 126]) + struct.pack("!H", length)
    else:
        head += bytes([mask | 127]) + struct.pack("!Q", length)
    # A key of zeros leaves the payload readable; masking with it is masking all the same.
    return head + (b"\0\0\0\0" if masked else b"") + payload


def close_body(code, reason=b""):
    return struct.pack("!H", code) + reason


def deflated(payload):
    """RFC 7692 section 7.2.1."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]


class Raw:
    """One socket."""

    def __init__(self, address, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(WAIT_S)
        self.socket.connect(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def send(self, octets):
        """Sends what the server is willing to take."""
        try:
            self.socket.sendall(octets)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise Gone(str(error)) from error

    def fill(self):
        try:
            chunk = self.socket.recv(1 << 16)
        except ConnectionResetError as error:
            raise Gone("reset") from error
        if not chunk:
            raise Gone("end")
        self.buffer += chunk

    def exactly(self, count):
        while len(self.buffer) < count:
            self.fill()
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def response(self):
        """Status and header fields of the next response; its body is read and dropped."""
        while b"\r\n\r\n" not in self.buffer:
            self.fill()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        found = [tuple(part.strip() for part in line.split(":", 1)) for line in lines]
        found = [(name.lower(), value) for name, value in found]
        self.exactly(int(dict(found).get("content-length", 0)))
        return int(status.split()[1]), found

    def upgrade(self, fields, target="/ws"):
        self.send(request(fields, target))
        status, found = self.response()
        assert status == 101, f"no upgrade: {status}"
        accept = base64.b64encode(hashlib.sha1((KEY + GUID).encode()).digest()).decode()
        assert dict(found)["sec-websocket-accept"] == accept
        return dict(found)

    def frame(self):
        """The next frame: its opcode and payload. Nothing that the server sends may be masked or reserved."""
        first, second = self.exactly(2)
        # WS-MK-03, WS-EX-05
        assert second < 128 and first & 0x30 == 0, f"a frame that begins {first:02x} {second:02x}"
        length = second
        if second == 126:
            (length,) = struct.unpack("!H", self.exactly(2))
        elif second == 127:
            (length,) = struct.unpack("!Q", self.exactly(8))
        return first & 15, self.exactly(length)

    def until(self, opcode):
        """The payload of the next frame of a kind; others are passed over."""
        while True:
            found, payload = self.frame()
            if found == opcode:
                return payload
            if found == CLOSE:
                raise Gone(f"closed with {struct.unpack('!H', payload[:2])[0] if payload else 1005}")

    def close_code(self):
        """The code of the server's Close, or 1006 where the connection ends without one."""
        try:
            while True:
                opcode, payload = self.frame()
                if opcode == CLOSE:
                    return struct.unpack("!H", payload[:2])[0] if payload else 1005
        except Gone:
            return 1006

    def ended(self):
        """Waits until the server has ended the TCP connection."""
        try:
            while True:
                self.buffer = b""
                self.fill()
        except Gone:
            return True

    def connect(self):
        """The Connect exchange of MBWS."""
        self.send(frame(TEXT, b"1 0 0 "))
        return self.until(TEXT)

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self):
        self.socket.close()


def message(address, body):
    """A binary MBWS Message: an address of fewer than 128 characters, no type, no properties."""
    return b"\x03\x01" + bytes([len(address)]) + address.encode() + b"\0\0" + body


def noise(count):
    return os.urandom(count)
