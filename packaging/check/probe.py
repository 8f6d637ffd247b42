#!/usr/bin/env python3
"""One question to a broker, asked as its clients would ask: over TCP or TLS, through whatever
proxy is in between.

    probe.py WHAT --connect HOST:PORT [--name NAME] [--ca FILE] [--user NAME] [--password WORD]

`--ca`: speak TLS, and trust this certificate alone. `--name`: whom to ask for, in TLS and in the
field Host. Exits 0 if the answer is right, and says what came otherwise. WHAT is the name of a
function below. Standard library only.
"""

import argparse
import base64
import hashlib
import json
import os
import socket
import ssl
import struct
import sys

WAIT_S = 20
ACCEPT_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
FRAMING = "urn:ietf:params:xml:ns:xmpp-framing"
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"


class Connection:
    """A socket, with TLS if it is to be, and what has come on it."""

    def __init__(self, options, source=None):
        host, _, port = options.connect.rpartition(":")
        self.socket = socket.create_connection((host, int(port)), WAIT_S, source)
        if options.introduce:
            self.socket.sendall(b"PROXY TCP4 192.0.2.1 192.0.2.2 4660 443\r\n")
        self.authority = f"{options.name}:{port}"
        if options.ca:
            context = ssl.create_default_context(cafile=options.ca)
            self.socket = context.wrap_socket(self.socket, server_hostname=options.name)
        self.held = b""

    def fill(self):
        chunk = self.socket.recv(65_536)
        if not chunk:
            raise EOFError("the peer closed the connection")
        self.held += chunk

    def take(self, count):
        while len(self.held) < count:
            self.fill()
        taken, self.held = self.held[:count], self.held[count:]
        return taken

    def ask(self, path, fields=()):
        """Sends a GET; says the status and the fields of the answer."""
        lines = [f"GET {path} HTTP/1.1", f"Host: {self.authority}", *fields]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        while b"\r\n\r\n" not in self.held:
            self.fill()
        head, _, self.held = self.held.partition(b"\r\n\r\n")
        status, *rest = head.decode("latin-1").split("\r\n")
        answer = {}
        for line in rest:
            name, _, value = line.partition(":")
            answer[name.lower()] = value.strip()
        return int(status.split()[1]), answer

    def upgrade(self, subprotocol, path="/ws", credentials=None, fields=()):
        """Asks for a WebSocket; says the status. One that is granted must be granted right."""
        key = base64.b64encode(os.urandom(16)).decode()
        asked = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
        asked += [f"Sec-WebSocket-Key: {key}", f"Sec-WebSocket-Protocol: {subprotocol}"]
        if credentials:
            token = base64.b64encode(":".join(credentials).encode()).decode()
            asked.append(f"Authorization: Basic {token}")
        status, answer = self.ask(path, [*asked, *fields])
        if status == 101:
            digest = hashlib.sha1((key + ACCEPT_GUID).encode()).digest()
            expected = base64.b64encode(digest).decode()
            equal("Sec-WebSocket-Accept", answer.get("sec-websocket-accept"), expected)
            equal("Sec-WebSocket-Protocol", answer.get("sec-websocket-protocol"), subprotocol)
        return status, answer

    def say(self, text):
        payload = text.encode()
        if len(payload) < 126:
            head = bytes([0x81, 0x80 | len(payload)])
        elif len(payload) < 65_536:
            head = bytes([0x81, 0x80 | 126]) + struct.pack(">H", len(payload))
        else:
            head = bytes([0x81, 0x80 | 127]) + struct.pack(">Q", len(payload))
        # A mask of zeros is a mask.
        self.socket.sendall(head + bytes(4) + payload)

    def hear(self):
        """The next text message; nothing here asks for fragments, and pings are not due yet."""
        first, second = self.take(2)
        length = second & 127
        if length == 126:
            (length,) = struct.unpack(">H", self.take(2))
        elif length == 127:
            (length,) = struct.unpack(">Q", self.take(8))
        payload = self.take(length)
        equal("first octet of a frame", first, 0x81)
        return payload.decode()


def equal(what, found, expected):
    if found != expected:
        found, expected = str(found)[:300], str(expected)[:300]
        raise AssertionError(f"{what}: {found!r}, expected {expected!r}")


def right(options):
    return options.user, options.password


def login(options):
    """A login, a small and a large message, each acknowledged and delivered as it was sent."""
    connection = Connection(options)
    queue = f"probe-{os.getpid():010}"
    status, _ = connection.upgrade("MBWS.huawei.com", f"/ws?address={queue}", right(options))
    equal("status", status, 101)
    connection.say("1 0 0 ")
    name = connection.hear()
    equal("answer to Connect", name[:2], "1 ")
    for number, body in enumerate(["hello", "x" * 1_000_000], 1):
        message = f"3 1 {len(queue)} {queue}0 0 {body}"
        connection.say(message)
        heard = [connection.hear(), connection.hear()]
        equal("acknowledgement and delivery", sorted(heard), [f"2 {number} ", message])
        connection.say(f"2 {number} ")


def strangers(options):
    """Nobody comes in without a password, or with a wrong one."""
    for credentials in [None, (options.user, options.password + "x"), ("nobody", options.password)]:
        status, answer = Connection(options).upgrade("MBWS.huawei.com", credentials=credentials)
        equal("status", status, 401)
        equal("challenge", answer.get("www-authenticate", "")[:5], "Basic")


def origins(options):
    """Pages of the host that was asked for may connect, pages of others may not."""
    scheme = "https" if options.ca else "http"
    for page, expected in [(None, 101), ("https://evil.example", 403)]:
        connection = Connection(options)
        own = f"{scheme}://{connection.authority}"
        field = f"Origin: {page or own}"
        asked = {"credentials": right(options), "fields": [field]}
        status, _ = connection.upgrade("MBWS.huawei.com", **asked)
        equal(field, status, expected)


def place(options):
    """XMPP clients are told the URL as this client sees it, and forged fields change nothing."""
    scheme = "wss" if options.ca else "ws"
    forged = [
        ["Forwarded: for=1.2.3.4;proto=http;host=evil.example"],
        ["X-Forwarded-Host: evil.example", "X-Forwarded-Proto: gopher"],
    ]
    for fields in [[], *forged]:
        connection = Connection(options)
        status, answer = connection.ask("/.well-known/host-meta.json", fields)
        equal("status", status, 200)
        document = json.loads(connection.take(int(answer["content-length"])))
        equal("url", document["links"][0]["href"], f"{scheme}://{connection.authority}/ws")


def mechanisms(options, fields=()):
    """What XMPP offers for a login."""
    connection = Connection(options)
    status, _ = connection.upgrade("xmpp", fields=fields)
    equal("status", status, 101)
    connection.say(f"<open xmlns='{FRAMING}' to='{options.name}' version='1.0'/>")
    features = connection.hear() + connection.hear()
    equal("an offer", SASL in features, True)
    return features


def encrypted(options):
    """XMPP takes a password as it is, which it does on encrypted ways alone."""
    equal("PLAIN is offered", "PLAIN" in mechanisms(options), True)


def unencrypted(options):
    """The other case, asked of the broker itself as a proxy that had not encrypted would ask."""
    features = mechanisms(options, ["X-Forwarded-For: 192.0.2.1"])
    equal("SCRAM-SHA-256 is offered", "SCRAM-SHA-256" in features, True)
    equal("PLAIN is offered", "PLAIN" in features, False)


def closed_counters(options):
    """The counters stay inside, readiness may be asked for."""
    equal("status of /metrics", Connection(options).ask("/metrics")[0], 404)
    equal("status of /readyz", Connection(options).ask("/readyz")[0], 200)


def redirect(options):
    """Who comes without TLS is sent to where it is."""
    status, answer = Connection(options).ask("/somewhere")
    equal("status", status, 301)
    where = "https://" + options.name
    equal("location", answer.get("location", "")[: len(where)], where)


def counters(options):
    """The other case: the broker itself shows them."""
    equal("status of /metrics", Connection(options).ask("/metrics")[0], 200)


def crowd(options):
    """One address may have so many WebSockets and no more; another is not touched by that."""
    def status(source):
        connection = Connection(options, (source, 0))
        kept.append(connection)
        return connection.upgrade("MBWS.huawei.com", credentials=right(options))[0]

    kept = []
    for number in range(options.limit):
        equal(f"connection {number + 1}", status("127.0.0.1"), 101)
    equal("one more", status("127.0.0.1"), 429)
    equal("another address", status("127.0.0.2"), 101)


QUESTIONS = [login, strangers, origins, place, encrypted, unencrypted]
QUESTIONS += [closed_counters, counters, redirect, crowd]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=[question.__name__ for question in QUESTIONS])
    parser.add_argument("--connect", required=True)
    parser.add_argument("--name", default="chat.example.com")
    parser.add_argument("--ca")
    parser.add_argument("--introduce", action="store_true", help="as a proxy does, by the PROXY protocol")
    parser.add_argument("--user", default="admin")
    parser.add_argument("--password", default="")
    parser.add_argument("--limit", type=int, default=0)
    options = parser.parse_args()
    try:
        globals()[options.what](options)
    except (AssertionError, EOFError, OSError) as problem:
        sys.exit(f"{options.what}: {problem}")


if __name__ == "__main__":
    main()
