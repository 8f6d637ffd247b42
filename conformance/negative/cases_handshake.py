"""Requests that are no handshake, or a wrong one."""

import threading
import time

from raw import KEY, PONG, PING, TEXT, Gone, Raw, basic, frame, request
from suite import case

BAD = (400,)


def without(fields, name):
    return [field for field in fields if field[0].lower() != name.lower()]


def replaced(fields, name, value):
    return [(n, value if n.lower() == name.lower() else v) for n, v in fields]


def status_of(world, octets):
    raw = world.socket()
    try:
        raw.send(octets)
    except Gone:
        pass  # What it has to say may be there all the same.
    try:
        return raw.response()
    except Gone:
        return 0, []


def answered(world, octets, statuses):
    status, found = status_of(world, octets)
    assert status in statuses, f"answered {status}, expected one of {statuses}"
    return dict(found)


ADDED = [
    ("key-twice", ("Sec-WebSocket-Key", KEY), BAD),
    ("version-twice", ("Sec-WebSocket-Version", "13"), BAD),
    ("host-twice", ("Host", "example.com"), BAD),
    ("origin-twice", None, BAD),
    ("authorization-twice", ("Authorization", "Basic x"), BAD),
    ("body-by-length", ("Content-Length", "5"), BAD),
    ("body-by-chunks", ("Transfer-Encoding", "chunked"), BAD),
    ("foreign-origin", ("Origin", "http://evil.example"), (403,)),
    ("origin-of-another-port", ("Origin", "http://127.0.0.1:1"), (403,)),
    ("origin-null", ("Origin", "null"), (403,)),
    ("origin-no-url", ("Origin", "nonsense"), (403,)),
    ("extension-without-name", ("Sec-WebSocket-Extensions", "; a=b"), BAD),
    ("extension-quoted-no-token", ("Sec-WebSocket-Extensions", 'x; a="b c"'), BAD),
    ("extension-unclosed-quote", ("Sec-WebSocket-Extensions", 'x; a="b'), BAD),
    ("protocol-malformed", ("Sec-WebSocket-Protocol", "a b"), BAD),
]


@case("WS-HS-01 WS-HS-05 WS-HS-06 WS-HS-11 WS-HS-20 WS-EX-01 WS-HS-21", rows=ADDED)
def one_field_too_many(world, field, statuses):
    more = [field] if field else [("Origin", f"http://{world.host}")] * 2
    answered(world, request(world.fields(*more)), statuses)


CHANGED = [
    ("key-empty", "Sec-WebSocket-Key", "", BAD),
    ("key-of-15-octets", "Sec-WebSocket-Key", "AAECAwQFBgcICQoLDA0O", BAD),
    ("key-of-17-octets", "Sec-WebSocket-Key", "AAECAwQFBgcICQoLDA0ODxA=", BAD),
    ("key-no-base64", "Sec-WebSocket-Key", "!!!!!!!!!!!!!!!!!!!!!!==", BAD),
    ("key-of-8-kilobytes", "Sec-WebSocket-Key", "A" * 8192, BAD),
    ("version-12", "Sec-WebSocket-Version", "12", (426, 400)),
    ("version-0", "Sec-WebSocket-Version", "0", (426, 400)),
    ("version-13-13", "Sec-WebSocket-Version", "13, 13", BAD),
    ("version-leading-zero", "Sec-WebSocket-Version", "013", BAD),
    ("version-256", "Sec-WebSocket-Version", "256", BAD),
    ("version-word", "Sec-WebSocket-Version", "x", BAD),
    ("upgrade-h2c", "Upgrade", "h2c", (426, 400)),
    ("connection-close", "Connection", "close", (426, 400)),
    ("host-empty-label", "Host", "a b", BAD),
    ("no-protocol-known", "Sec-WebSocket-Protocol", "chat", BAD),
]


@case("WS-HS-01 WS-HS-04 WS-HS-05 WS-HS-06 WS-HS-12 WS-HS-14", rows=CHANGED)
def one_field_wrong(world, name, value, statuses):
    answered(world, request(replaced(world.fields(), name, value)), statuses)


MISSING = [
    ("host", "Host", BAD),
    ("upgrade", "Upgrade", (426, 400)),
    ("connection", "Connection", (426, 400)),
    ("key", "Sec-WebSocket-Key", BAD),
    ("version", "Sec-WebSocket-Version", BAD),
    ("protocol", "Sec-WebSocket-Protocol", BAD),
    ("authorization", "Authorization", (401,)),
]


@case("WS-HS-01 WS-HS-03 WS-HS-04 WS-HS-05 WS-HS-06 WS-HS-10", rows=MISSING)
def one_field_missing(world, name, statuses):
    answered(world, request(without(world.fields(), name)), statuses)


@case("WS-HS-12")
def an_unknown_version_is_told_the_known_ones(world):
    found = answered(world, request(replaced(world.fields(), "Sec-WebSocket-Version", "14")), (426,))
    assert "13" in found.get("sec-websocket-version", "").split(", "), found


LINES = [
    ("post", {"method": "POST"}, (405, 400, 426)),
    ("connect", {"method": "CONNECT"}, (405, 400, 404)),
    ("http-1.0", {"version": "HTTP/1.0"}, (400, 426, 505)),
    ("http-2.0", {"version": "HTTP/2.0"}, (400, 505, 0)),
    ("http-9.9", {"version": "HTTP/9.9"}, (400, 505, 0)),
    ("no-version", {"version": ""}, (400, 0)),
    ("unknown-path", {"target": "/nowhere"}, (404,)),
    ("path-in-other-case", {"target": "/WS"}, (404,)),
    ("fragment", {"target": "/ws#x"}, (400, 404)),
    ("space-in-the-target", {"target": "/ws /x"}, (400,)),
    ("long-target", {"target": "/ws?" + "a" * 12_000}, (414, 431, 400)),
    ("longer-target", {"target": "/ws?" + "a" * 100_000}, (414, 431, 400)),
]


@case("WS-HS-01 WS-HS-02 WS-HS-13 WS-HS-21", rows=LINES)
def a_wrong_request_line(world, line, statuses):
    answered(world, request(world.fields(), **line), statuses)


@case("WS-HS-02")
def an_absolute_target_is_fine(world):
    world.socket().upgrade(world.fields(), f"http://{world.host}/ws")


@case("WS-HS-08 WS-HS-04")
def order_case_and_unknown_fields_do_not_matter(world):
    fields = [(name.upper(), value) for name, value in reversed(world.fields(("X-Unknown", "x")))]
    fields = replaced(replaced(fields, "Upgrade", "h2c, WebSocket"), "Connection", "keep-alive, uPGRADE")
    world.socket().upgrade(fields)


MANGLED = [
    ("space-before-the-colon", b"X-Odd : 1\r\n"),
    ("folded", b"X-Odd: 1\r\n folded\r\n"),
    ("no-colon", b"X-Odd\r\n"),
    ("empty-name", b": 1\r\n"),
    ("nul", b"X-Odd: a\0b\r\n"),
    ("bare-cr", b"X-Odd: a\rb\r\n"),
    ("control-in-the-name", b"X\x01Odd: 1\r\n"),
]


@case("WS-HS-01 WS-HS-21", rows=MANGLED)
def a_mangled_field(world, line):
    octets = request(world.fields())
    answered(world, octets[:-2] + line + b"\r\n", BAD)


SMUGGLED = [
    ("length-twice-same", (("Content-Length", "0"), ("Content-Length", "0")), (400, 426)),
    ("length-twice-different", (("Content-Length", "0"), ("Content-Length", "5")), BAD),
    ("length-list", (("Content-Length", "0, 5"),), BAD),
    ("length-negative", (("Content-Length", "-1"),), BAD),
    ("length-plus", (("Content-Length", "+5"),), BAD),
    ("length-of-30-digits", (("Content-Length", "9" * 30),), BAD),
    ("length-and-chunks", (("Content-Length", "5"), ("Transfer-Encoding", "chunked")), (400, 426)),
    ("chunks-twice", (("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")), (400, 426)),
    ("chunks-not-last", (("Transfer-Encoding", "chunked, identity"),), BAD),
    ("chunks-unknown", (("Transfer-Encoding", "gzip"),), BAD),
]


@case("WS-HS-21", rows=SMUGGLED)
def a_body_that_two_readers_would_read_differently(world, more, statuses):
    """On a plain request and on a handshake; what follows must not be taken for a second request."""
    behind = request([("Host", world.host)], "/livez")
    raw = world.socket()
    raw.send(request([("Host", world.host), *more], "/ws") + behind)
    status, _ = raw.response()
    assert status in statuses, f"plain: {status}"
    status, _ = status_of(world, request(world.fields(*more)) + behind)
    assert status in statuses + (101,) if more[0][1] == "0" and len(set(more)) == 1 else status == 400, f"upgrade: {status}"


NOISE = [
    ("empty-lines", b"\r\n" * 5000),
    ("http-2-preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ("tls-hello", bytes.fromhex("16030100a5010000a10303") + b"\x5a" * 160),
    ("binary", bytes(range(256)) * 40),
    ("amqp-header", b"AMQP\0\1\0\0"),
    ("long-line", b"A" * 200_000),
]


@case("WS-HS-01", rows=NOISE)
def what_is_no_http(world, octets):
    """An error or the end of the connection, at the latest when the time for a request is over."""
    raw = world.socket()
    try:
        raw.send(octets)
    except Gone:
        pass
    try:
        status, _ = raw.response()
        assert status >= 400, status
    except Gone:
        pass
    assert raw.ended()


@case("WS-HS-21")
def too_many_fields(world):
    answered(world, request(world.fields(*[(f"X-{n}", "x") for n in range(200)])), (431,))


@case("WS-HS-21")
def too_large_a_head(world):
    answered(world, request(world.fields(("X-Large", "x" * 20_000))), (431,))


@case("WS-HS-21")
def a_head_without_end(world):
    """Many connections that never stop sending header fields: cut off, with nothing kept."""
    refused = 0
    for _ in range(50):
        raw = world.socket()
        raw.send(b"GET /ws HTTP/1.1\r\n")
        try:
            for number in range(2000):
                raw.send(b"X-%d: %s\r\n" % (number, b"x" * 1000))
        except Gone:
            pass
        try:
            refused += raw.response()[0] == 431
        except Gone:
            refused += 1
    assert refused == 50, refused


@case("WS-HS-21")
def slow_heads(world):
    """200 requests that trickle in: all are cut off in time, while others are served."""
    sockets = [world.socket() for _ in range(200)]
    head = request(world.fields())
    stop = threading.Event()

    def trickle():
        for at in range(len(head) - 1):
            for raw in sockets:
                try:
                    raw.socket.send(head[at : at + 1])
                except OSError:
                    pass
            if stop.wait(0.1):
                return

    trickling = threading.Thread(target=trickle)
    trickling.start()
    world.still_serves()
    for raw in sockets:
        assert raw.ended()
    stop.set()
    trickling.join()


@case()
def silent_sockets(world):
    """1,000 sockets without a word are closed when the time for a request is over."""
    sockets = [world.socket() for _ in range(1000)]
    world.still_serves()
    assert all(raw.ended() for raw in sockets)


@case("WS-HS-19")
def frames_right_behind_the_request(world):
    raw = world.socket()
    raw.send(request(world.fields()) + frame(TEXT, b"1 0 0 ") + frame(PING, b"early"))
    assert raw.response()[0] == 101
    assert {raw.frame()[0], raw.frame()[0]} == {TEXT, PONG}


@case("WS-HS-19")
def a_request_octet_by_octet(world):
    raw = world.socket()
    for octet in request(world.fields()) + frame(TEXT, b"1 0 0 "):
        raw.send(bytes([octet]))
    assert raw.response()[0] == 101
    assert raw.until(TEXT).startswith(b"1 ")


@case(broker="impatient")
def guessing_passwords_is_slowed_down(world):
    """429 with Retry-After, while whoever knows the password gets in."""
    statuses = []
    for number in range(12):
        fields = replaced(world.fields(), "Authorization", basic("negative", f"guess {number}"))
        status, found = status_of(world, request(fields))
        statuses.append(status)
        assert status == 401 or int(dict(found)["retry-after"]) > 0
    assert statuses[0] == 401 and statuses[-1] == 429, statuses


@case(broker="impatient")
def more_connections_than_allowed(world):
    """The limit is 40: those beyond are closed at once, and there is room again when others leave."""
    held = [world.socket() for _ in range(60)]
    closed = 0
    for raw in held:
        raw.socket.settimeout(0.2)
        try:
            closed += raw.socket.recv(1) == b""
        except ConnectionResetError:
            closed += 1
        except TimeoutError:
            pass
    assert closed >= 20, closed
    for raw in held:
        raw.close()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            return Raw(world.to).upgrade(world.fields())
        except (Gone, OSError):
            continue
    raise AssertionError("no room again")
