#!/usr/bin/env python3
"""What a stream refuses, frame by frame, without any library of XMPP or WebSockets.

    probes.py --serve BINARY

Starts a broker of its own. Each probe says what it sends and what RFC 7395, RFC 6120 or the limits want for it; ids like
XWS-019 are those of the list of requirements (here above all XWS-005 and XWS-095). After each the broker must still serve; at the end its memory is looked at.
The last line is `N passed, N failed`.
"""

import argparse
import base64
import os
import re
import socket
import struct
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "mbws")]
from broker import Broker  # noqa: E402

USER, PASSWORD = "alice", "a password"
FRAMING = "urn:ietf:params:xml:ns:xmpp-framing"
OPEN = f"<open xmlns='{FRAMING}' to='localhost' version='1.0'/>"
CLOSE = f"<close xmlns='{FRAMING}'/>"
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
WAIT_S = 10
# What a thousand half-open streams and everything before them may have cost.
GROWTH_MAX_KIB = 64 * 1024


class Closed(Exception):
    """The peer closed the WebSocket, with this code; None if it just went."""


class Stream:
    """A WebSocket with subprotocol xmpp."""

    def __init__(self, address, protocol="xmpp", origin=None):
        self.socket = socket.create_connection(address, timeout=WAIT_S)
        key = base64.b64encode(os.urandom(16)).decode()
        lines = ["GET /ws HTTP/1.1", f"Host: localhost:{address[1]}", "Upgrade: websocket", "Connection: Upgrade"]
        lines += [f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13"]
        lines += [f"Sec-WebSocket-Protocol: {protocol}"] if protocol else []
        lines += [f"Origin: {origin}"] if origin else []
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        self.held = b""
        while b"\r\n\r\n" not in self.held:
            chunk = self.socket.recv(4096)
            if not chunk:
                break
            self.held += chunk
        head, _, self.held = self.held.partition(b"\r\n\r\n")
        self.status = int(head.split()[1]) if head else 0
        self.protocol = next((line.split(b": ")[1].decode() for line in head.splitlines() if line.lower().startswith(b"sec-websocket-protocol")), None)

    def frame(self, opcode, payload):
        head = bytes([0x80 | opcode])
        if len(payload) < 126:
            head += bytes([0x80 | len(payload)])
        elif len(payload) < 65_536:
            head += bytes([0x80 | 126]) + struct.pack(">H", len(payload))
        else:
            head += bytes([0x80 | 127]) + struct.pack(">Q", len(payload))
        # A mask of zeros is a mask.
        self.socket.sendall(head + bytes(4) + payload)

    def say(self, text):
        self.frame(1, text.encode() if isinstance(text, str) else text)

    def octets(self, count):
        while len(self.held) < count:
            chunk = self.socket.recv(65_536)
            if not chunk:
                raise Closed(None)
            self.held += chunk
        found, self.held = self.held[:count], self.held[count:]
        return found

    def hear(self):
        """The next text message."""
        while True:
            first, second = self.octets(2)
            length = second & 127
            if length == 126:
                (length,) = struct.unpack(">H", self.octets(2))
            elif length == 127:
                (length,) = struct.unpack(">Q", self.octets(8))
            payload = self.octets(length)
            opcode = first & 15
            if opcode == 8:
                raise Closed(struct.unpack(">H", payload[:2])[0] if payload else None)
            if opcode == 9:
                self.frame(10, payload)
            if opcode == 1:
                return payload.decode()

    def rest(self):
        """Everything until the end, and the code of the close; a `<close/>` is answered."""
        heard = []
        while True:
            try:
                heard.append(self.hear())
            except Closed as closed:
                return heard, closed.args[0]
            except OSError:
                return heard, None
            if heard[-1].startswith("<close"):
                try:
                    self.say(CLOSE)
                except OSError:
                    pass

    def open(self):
        self.say(OPEN)
        return [self.hear(), self.hear()]

    def login(self):
        self.open()
        token = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()
        self.say(f"<auth xmlns='{SASL}' mechanism='PLAIN'>{token}</auth>")
        answer = self.hear()
        assert answer.startswith("<success"), answer
        self.open()
        self.say("<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
        answer = self.hear()
        assert "<jid>" in answer, answer
        return self


PROBES = []


def probe(function):
    PROBES.append(function)
    return function


def check(holds, found):
    if not holds:
        raise AssertionError(str(found)[:400])


def ends_with_error(stream, condition, codes=(1000, 1002, 1003, 1007, 1008, 1009)):
    """A stream error in a message of its own, then `<close/>`, then the WebSocket's (XWS-040, XWS-042)."""
    heard, code = stream.rest()
    errors = [at for at, text in enumerate(heard) if "streams'" in text and f"<{condition} " in text]
    check(errors and heard[-1].startswith("<close") and code in codes, (heard, code))
    return heard


def ping(stream):
    stream.say("<iq xmlns='jabber:client' type='get' id='p' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>")
    answer = stream.hear()
    check("type='result'" in answer and "id='p'" in answer, answer)


@probe
def without_subprotocol_XWS_A08(address):
    check(Stream(address, protocol=None).status in (400, 401), "upgraded")


@probe
def wrong_subprotocol_XWS_002(address):
    stream = Stream(address, protocol="mqtt")
    check(stream.status in (400, 401) and stream.protocol is None, stream.status)


@probe
def foreign_origin(address):
    check(Stream(address, origin="https://evil.example").status == 403, "let in")


@probe
def opening_and_features_XWS_031_033_084(address):
    header, features = Stream(address).open()
    check(header.startswith("<open") and "id='" in header and "from='localhost'" in header and "version='1.0'" in header, header)
    check(features.startswith("<stream:features") and "xmlns:stream=" in features and "starttls" not in features, features)


@probe
def ids_are_new_XWS_034(address):
    ids = {re.search(r" id='([^']+)", Stream(address).open()[0]).group(1) for _ in range(20)}
    check(len(ids) == 20, ids)


@probe
def closing_XWS_052(address):
    stream = Stream(address)
    stream.open()
    stream.say(CLOSE)
    heard, code = stream.rest()
    check(len(heard) == 1 and heard[0].startswith("<close") and FRAMING in heard[0] and code == 1000, (heard, code))


@probe
def unknown_host_XWS_041(address):
    stream = Stream(address)
    stream.say(OPEN.replace("localhost", "elsewhere.example"))
    heard = ends_with_error(stream, "host-unknown")
    check(heard[0].startswith("<open"), heard)


@probe
def wrong_namespace_of_the_header_XWS_019_A04(address):
    stream = Stream(address)
    stream.say(OPEN.replace(FRAMING, "jabber:client"))
    heard = ends_with_error(stream, "invalid-namespace")
    check(heard[0].startswith("<open"), heard)


@probe
def classic_header_XWS_016(address):
    stream = Stream(address)
    stream.say("<?xml version='1.0'?><stream:stream to='localhost' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>")
    heard, _ = stream.rest()
    check(any("streams'" in text and "error" in text for text in heard), heard)


@probe
def binary_message_XWS_010_A01(address):
    stream = Stream(address)
    stream.open()
    stream.frame(2, OPEN.encode())
    _, code = stream.rest()
    check(code == 1003, code)


@probe
def white_space_XWS_080_A03(address):
    for said in (" ", "", " " + OPEN):
        stream = Stream(address).login()
        stream.say(said)
        ends_with_error(stream, "not-well-formed")


@probe
def not_utf8_XWS_010(address):
    stream = Stream(address)
    stream.open()
    stream.say(b"<a>\xff</a>")
    check(stream.rest()[1] == 1007, "accepted")


REFUSED = {
    "missing_namespace_XWS_020": ("<message to='bob@localhost'/>", "invalid-namespace|unsupported-stanza-type|invalid-xml|not-authorized"),
    "two_stanzas_XWS_014": ("<message xmlns='jabber:client'/><message xmlns='jabber:client'/>", "not-well-formed"),
    "half_a_stanza_XWS_014": ("<message xmlns='jabber:client'>", "not-well-formed"),
    "doctype_XWS_021": ("<!DOCTYPE a><message xmlns='jabber:client'/>", "restricted-xml"),
    "entity_bomb_XWS_021": ("<!DOCTYPE a [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><message xmlns='jabber:client'>&b;</message>", "restricted-xml"),
    "undeclared_entity_XWS_021": ("<message xmlns='jabber:client'>&bomb;</message>", "restricted-xml|not-well-formed"),
    "comment_XWS_021": ("<message xmlns='jabber:client'><!-- c --></message>", "restricted-xml"),
    "processing_instruction_XWS_021": ("<message xmlns='jabber:client'><?php x?></message>", "restricted-xml"),
    "undeclared_prefix_XWS_011": ("<message xmlns='jabber:client'><x:y/></message>", "not-well-formed|bad-namespace-prefix"),
    "bad_tag": ("<message xmlns='jabber:client'></iq>", "not-well-formed"),
    "duplicate_attribute": ("<message xmlns='jabber:client' id='1' id='2'/>", "not-well-formed"),
    "unknown_element": ("<nonsense xmlns='jabber:client'/>", "unsupported-stanza-type"),
    "300_KB_body": ("<message xmlns='jabber:client' to='bob@localhost'><body>" + "x" * 300_000 + "</body></message>", "policy-violation"),
    "200000_deep": ("<message xmlns='jabber:client'>" + "<a>" * 60_000, "policy-violation|not-well-formed"),
    "1_M_attributes": ("<message xmlns='jabber:client' " + " ".join(f"a{at}=''" for at in range(30_000)) + "/>", "policy-violation"),
    "many_namespaces": ("<message xmlns='jabber:client'><a " + " ".join(f"xmlns:n{at}='u:{at}'" for at in range(60)) + "/></message>", "policy-violation"),
    "deep_but_small": ("<message xmlns='jabber:client'>" + "<a>" * 100 + "</a>" * 100 + "</message>", "policy-violation"),
}


@probe
def over_the_websocket_limit(address):
    for stanza in ("<m xmlns='jabber:client'>" + "<a>" * 200_000, "<m xmlns='jabber:client' " + " ".join(f"a{at}=''" for at in range(1_000_000)) + "/>"):
        stream = Stream(address).login()
        try:
            stream.say(stanza)
        except OSError:
            continue
        heard, code = stream.rest()
        check(code in (1008, 1009, None), (heard, code))


@probe
def stanzas_before_the_login(address):
    stream = Stream(address)
    stream.open()
    stream.say("<message xmlns='jabber:client' to='bob@localhost'><body>x</body></message>")
    ends_with_error(stream, "not-authorized")


@probe
def large_before_the_login(address):
    stream = Stream(address)
    stream.say("<open xmlns='" + FRAMING + "' to='localhost' version='1.0' x='" + "x" * 50_000 + "'/>")
    heard, code = stream.rest()
    check(any("policy-violation" in text for text in heard) or code in (1008, 1009), (heard, code))


@probe
def declaration_and_trailing_space_are_legal_XWS_012_A02(address):
    stream = Stream(address)
    stream.say("<?xml version='1.0' encoding='UTF-8'?>" + OPEN + "  \n")
    check(stream.hear().startswith("<open"), "refused")


@probe
def a_client_speaks_for_itself(address):
    stream = Stream(address).login()
    stream.say("<message xmlns='jabber:client' from='bob@localhost' to='bob@localhost' id='f'><body>x</body></message>")
    check("bad-request" in stream.hear(), "forged")
    ping(stream)


def refused(name):
    stanza, conditions = REFUSED[name]

    def run(address):
        stream = Stream(address).login()
        try:
            stream.say(stanza)
        except OSError:
            return
        heard, code = stream.rest()
        found = [condition for condition in conditions.split("|") for text in heard if f"<{condition} " in text]
        check(found and heard[-1].startswith("<close"), (heard, code))

    run.__name__ = name
    return run


def half_open(address):
    """A thousand streams that say nothing, or half of it."""
    streams = []
    for at in range(1000):
        stream = Stream(address)
        if at % 2:
            stream.socket.sendall(b"\x81\xfe\x40\x00\0\0\0\0<open")
        streams.append(stream)
    return streams


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", required=True)
    given = parser.parse_args()
    broker = Broker(given.serve, [(USER, PASSWORD), ("bob", PASSWORD)], ["listen.connections_per_ip_max=4096"])
    url = broker.start()
    host, port = url.split("://")[1].split("/")[0].rsplit(":", 1)
    address = (host, int(port))
    passed = failed = 0
    try:
        ping(Stream(address).login())
        before = broker.status("VmRSS")
        for run in [*PROBES, *map(refused, REFUSED)]:
            try:
                run(address)
                ping(Stream(address).login())
                passed += 1
            except Exception as error:
                failed += 1
                print(f"FAILED {run.__name__}\n    {type(error).__name__}: {error}", flush=True)
        streams = half_open(address)
        ping(Stream(address).login())
        grown = broker.status("VmRSS") - before
        print(f"after all of it, with {len(streams)} half-open streams: {grown} KiB more than at the start")
        passed, failed = passed + (grown < GROWTH_MAX_KIB), failed + (grown >= GROWTH_MAX_KIB)
        del streams
    finally:
        broker.stop()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
