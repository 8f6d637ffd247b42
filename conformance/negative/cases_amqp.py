"""AMQP that is malformed, out of turn, too much or never finished. Conditions are those of AMQP 2.8.14 to 2.8.18."""

import struct
import time

from amqp import (
    AMQP_HEADER, ATTACH, BEGIN, CLOSE_, DISPOSITION, FALSE, FLOW, INIT, MECHANISMS, NULL, OPEN, OUTCOME, SASL_HEADER,
    TLS_HEADER, TRANSFER, TRUE, Peer, amqp_frame, attached, begun, binary, composite, data, described, flowed, list_,
    opened, source, string, symbol, target, transferred, uint, ulong, ushort,
)
from cases_peers import fill_the_cache
from raw import CLOSE, TEXT, Gone, close_body, frame
from suite import USER, case

FRAMING, DECODE, FIELD = "amqp:connection:framing-error", "amqp:decode-error", "amqp:invalid-field"
STATE, LIMIT = "amqp:illegal-state", "amqp:resource-limit-exceeded"
LARGEST = 16 << 20


def fresh(world, **options):
    """A WebSocket that has agreed on AMQP, logged in by HTTP."""
    return Peer(world.websocket(protocol="amqp", **options))


def nameless(world):
    """The same without a login."""
    raw = world.socket()
    offered = [field for field in world.fields(protocol="amqp") if field[0] != "Authorization"]
    raw.upgrade(offered)
    return Peer(raw)


def ready(world, **options):
    return fresh(world).open(**options)


@case("WSB-032 WSB-092", rows=[
    ("tls", TLS_HEADER), ("amqp-0-9-1", b"AMQP\x00\x00\x09\x01"), ("version-2", b"AMQP\x00\x02\x00\x00"),
    ("http", b"GET / HT"),
])
def a_header_of_something_else(world, header):
    peer = fresh(world)
    peer.send(header)
    assert peer.header() == AMQP_HEADER
    assert peer.close_code() == 1002


@case("WSB-023 WSB-031 WSB-A03 WSB-A06", rows=[
    ("split", [AMQP_HEADER[:4], AMQP_HEADER[4:]]), ("shared", [AMQP_HEADER + amqp_frame(opened())]), ("empty", [b""]),
])
def a_header_that_is_not_alone(world, messages):
    peer = fresh(world)
    for message in messages:
        peer.send(message)
    assert peer.close_code() == 1002


@case("WSB-A05")
def a_text_message(world):
    peer = ready(world)
    peer.raw.send(frame(TEXT, b"hello"))
    assert peer.close_code() == 1003


@case("WSB-020", rows=[("header", AMQP_HEADER), ("nothing", b"")])
def who_does_not_log_in(world, octets):
    """Without a login by HTTP, a SASL layer is demanded."""
    peer = nameless(world)
    peer.send(octets or TLS_HEADER)
    assert peer.header() == SASL_HEADER
    assert peer.close_code() == 1002


@case("WSB-A12", rows=[
    ("unknown mechanism", b"X-NONE", b""), ("wrong password", b"PLAIN", b"\0negative\0wrong"),
    ("no user", b"PLAIN", b"\0nobody\0wrong"), ("malformed", b"PLAIN", b"no separators"),
    ("not offered", b"ANONYMOUS", b""),
])
def a_login_that_fails(world, mechanism, response):
    peer = nameless(world)
    peer.send(SASL_HEADER)
    peer.header()
    peer.until(MECHANISMS)
    peer.say(composite(INIT, symbol(mechanism), binary(response)), kind=1)
    assert peer.until(OUTCOME)[0] == 1
    assert peer.close_code() == 1008


@case("WSB-024", peak_mib=48)
def a_flood_before_the_login(world):
    """Nobody needs more than a few frames; what comes ahead of the answer is kept only so far."""
    peer = nameless(world)
    peer.send(SASL_HEADER)
    peer.header()
    peer.until(MECHANISMS)
    try:
        peer.say(composite(INIT, symbol("PLAIN"), binary(b"\0negative\0wrong")), kind=1)
        for _ in range(200):
            peer.send(b"\0" * 60_000)
    except Gone:
        pass
    assert peer.raw.ended()


@case("WSB-024")
def a_sasl_frame_of_more_than_512_octets(world):
    peer = nameless(world)
    peer.send(SASL_HEADER)
    peer.header()
    peer.until(MECHANISMS)
    peer.say(composite(INIT, symbol("PLAIN"), binary(b"x" * 600)), kind=1)
    assert peer.close_code() == 1002


@case("WSB-041", rows=[
    ("too short", amqp_frame(b"", size=7)), ("no size", amqp_frame(b"", size=0)), ("doff 1", amqp_frame(b"", doff=1)),
    ("doff beyond", amqp_frame(b"", doff=9)), ("type", amqp_frame(b"", kind=7)),
    ("huge", amqp_frame(b"", size=0xFFFFFFFF)), ("over max-frame-size", amqp_frame(b"", size=65537)),
])
def a_frame_that_is_none(world, octets):
    peer = ready(world)
    peer.send(octets)
    assert peer.close_condition() == FRAMING
    assert peer.close_code() == 1002


def nested(depth):
    value = b"\x45"
    for _ in range(depth):
        value = list_(value)
    return value


@case(rows=[
    ("no descriptor", [list_(uint(1))], {DECODE, FIELD}), ("unknown", [composite(0x77)], {DECODE, "amqp:not-implemented"}),
    ("truncated", [composite(FLOW, uint(0), size=200)], {DECODE}),
    ("list of 2^32", [composite(FLOW, uint(0), count=0xFFFFFFFF)], {DECODE, FIELD}),
    ("too many fields", [composite(CLOSE_, NULL, NULL, NULL)], {DECODE, FIELD}),
    ("null handle", [composite(TRANSFER, NULL, uint(0), binary(b"t"))], {FIELD, DECODE}),
    ("string handle", [composite(TRANSFER, string("x"), uint(0), binary(b"t"))], {FIELD, DECODE}),
    ("bad utf-8", [attached(b"\xff\xfe", 0, FALSE, source("a"), target("b"))], {DECODE, FIELD}),
    ("tag of 33", [transferred(0, 0, tag=b"x" * 33)], {DECODE, FIELD}),
    ("map of 3", [composite(FLOW, NULL, uint(1), uint(0), uint(1), NULL, NULL, NULL, NULL, NULL, NULL,
                            b"\xd1" + struct.pack("!II", 13, 3) + symbol("a") + NULL + NULL)], {DECODE, FIELD}),
    ("array of 2^32 nulls", [composite(BEGIN, NULL, uint(0), uint(1), uint(1), NULL,
                                       b"\xf0" + struct.pack("!II", 5, 0xFFFFFFFF) + b"\x40")], {DECODE, FIELD}),
    ("deep", [composite(FLOW, nested(5000))], {DECODE, FIELD}),
    ("described for ever", [b"\x00" * 5000], {DECODE}),
])
def a_performative_that_cannot_be_read(world, bodies, conditions):
    peer = ready(world)
    peer.say(*bodies)
    found = peer.close_condition()
    assert found in conditions, found
    assert peer.close_code() == 1002


@case(rows=[
    ("open twice", [opened()], STATE), ("sasl", [composite(OUTCOME, b"\x50\x00")], None),
    ("begin on a channel in use", [begun()], FRAMING),
    ("handle above the maximum", [attached("l", 5000, FALSE, source("a"), target("b"))], FRAMING),
])
def a_frame_out_of_turn(world, bodies, expected):
    peer = ready(world)
    peer.say(*bodies)
    found = peer.close_condition()
    assert expected is None or found == expected, found
    assert peer.close_code() == 1002


@case(rows=[("above channel-max", 65_000, begun()), ("not begun", 7, flowed())])
def a_channel_that_is_none(world, channel, body):
    peer = ready(world)
    peer.say(body, channel=channel)
    assert peer.close_condition() == FRAMING


@case()
def a_begin_before_open(world):
    peer = fresh(world)
    peer.send(AMQP_HEADER)
    peer.say(begun())
    peer.header()
    assert peer.close_condition() == STATE


@case(rows=[("511", uint(511)), ("0", uint(0))])
def a_frame_size_below_512(world, size):
    peer = fresh(world)
    peer.send(AMQP_HEADER)
    peer.say(opened(max_frame=size))
    peer.header()
    assert peer.close_condition() == FIELD


@case(rows=[
    ("unattached flow", [flowed(uint(9))], "amqp:session:unattached-handle"),
    ("unattached transfer", [transferred(9, 0)], "amqp:session:unattached-handle"),
    ("unattached detach", [composite(0x16, uint(9))], "amqp:session:unattached-handle"),
    ("handle in use", [attached("a", 0, FALSE, source("a"), target("x")), attached("b", 0, FALSE, source("a"),
                                                                                  target("x"))],
     "amqp:session:handle-in-use"),
    ("no initial count", [attached("a", 0, FALSE, source("a"), target("x"), count=NULL)], FIELD),
])
def a_session_misused(world, bodies, expected):
    """The session ends; the connection goes on."""
    peer = ready(world)
    peer.say(*bodies)
    found = peer.end_condition()
    assert found == expected, found
    peer.say(begun(), channel=1)
    peer.until(BEGIN)


@case(rows=[
    ("no target", attached("a", 0, FALSE, source("a"), NULL), FIELD),
    ("no source", attached("a", 0, TRUE, NULL, target("a")), "amqp:not-found"),
    ("no address", attached("a", 0, TRUE, composite(0x28), target("a")), FIELD),
    ("reserved", attached("a", 0, FALSE, source("a"), target("wharf/secret")), FIELD),
    ("coordinator", attached("a", 0, FALSE, source("a"), composite(0x30)), "amqp:not-implemented"),
    ("long name", attached("a", 0, FALSE, source("a"), target("x" * 5000)), FIELD),
])
def a_link_that_cannot_be(world, attach, expected):
    """Attached without a terminus and closed with the reason; the session goes on (AMQP 2.6.3)."""
    peer = ready(world)
    peer.say(attach)
    answer = peer.until(ATTACH)
    # Ours is the source where we send; what is missing at the end is null.
    ours = 5 if answer[2] is False else 6
    assert len(answer) <= ours or answer[ours] is None, answer
    found = peer.detach_condition()
    assert found == expected, found
    assert peer.sender(world.address(), handle=1, name="another")


@case()
def a_transfer_without_credit(world):
    peer = ready(world)
    peer.say(attached("a", 0, FALSE, source("a"), target(world.address())), transferred(0, 0, payload=data(b"x")))
    assert peer.detach_condition() == "amqp:link:transfer-limit-exceeded"


@case()
def more_transfers_than_credit(world):
    """All at once, so that no new credit can come between."""
    peer = ready(world)
    credit = peer.sender(world.address())[6]
    many = b"".join(
        amqp_frame(transferred(0, number, settled=TRUE, payload=data(b"x"))) for number in range(4 * credit)
    )
    peer.send(many)
    peer.say(flowed(echo=TRUE))
    peer.until(FLOW, 0x16)


@case(peak_mib=64)
def a_message_that_is_too_large(world):
    peer = ready(world)
    peer.sender(world.address())
    piece = b"x" * 60_000
    for number in range(LARGEST // len(piece) + 2):
        peer.say(transferred(0, 0, more=TRUE, payload=data(piece) if number == 0 else piece))
    assert peer.detach_condition() == "amqp:link:message-size-exceeded"


@case(peak_mib=96)
def messages_that_never_end(world):
    """On 40 links, each a few octets short of the largest size: only a few of them are kept."""
    peer = ready(world)
    piece = b"x" * 60_000
    address = world.address()
    peer.say(*[attached(f"l{n}", n, FALSE, source("a"), target(address)) for n in range(40)])
    for _ in range(40):
        peer.until(FLOW)
    try:
        for round_ in range(250):
            peer.say(*[transferred(n, n, more=TRUE, payload=piece) for n in range(40)])
    except Gone:
        return
    peer.say(flowed(echo=TRUE))
    peer.until(FLOW, 0x16, 0x17)


@case(peak_mib=32)
def a_flood_of_links(world):
    """Links beyond what one connection may have end the session that asked for them."""
    peer = ready(world)
    address = world.address()
    for start in range(0, 5000, 1000):
        channel = start // 1000
        if channel:
            peer.say(begun(), channel=channel)
        batch = [attached(f"l{start + n}", n, FALSE, source("a"), target(address)) for n in range(1000)]
        peer.say(*batch, channel=channel)
    assert peer.end_condition() == LIMIT


@case(peak_mib=32)
def a_flood_of_sessions(world):
    peer = ready(world)
    for channel in range(1, 256):
        peer.say(begun(), channel=channel)
    for _ in range(255):
        peer.until(BEGIN)
    peer.say(begun(), channel=256)
    assert peer.close_condition() == FRAMING


@case(rows=[
    ("the most", uint(0xFFFFFFFF), uint(0)), ("far ahead", uint(10), uint(0x7FFFFFF0)),
    ("far behind", uint(10), uint(0x80000001)),
])
def credit_tricks(world, credit, count):
    """Whatever the numbers, the link works afterwards."""
    address = world.address()
    peer = ready(world)
    peer.sender(address)
    peer.say(transferred(0, 0, payload=data(b"x")))
    peer.until(DISPOSITION)
    peer.say(attached("r", 1, TRUE, source(address), target("here")))
    peer.until(ATTACH)
    peer.say(flowed(uint(1), credit, count), flowed(uint(1), uint(0), NULL), flowed(uint(1), uint(1), NULL))
    peer.until(TRANSFER)


@case(rows=[
    ("all ids", 0, 0xFFFFFFFF), ("the future", 1000, 2000), ("half the circle", 5, 0x80000003), ("one", 7, 7),
])
def dispositions_of_nothing(world, first, last):
    peer = ready(world)
    state = composite(0x24)
    peer.say(composite(DISPOSITION, TRUE, uint(first), uint(last), TRUE, state), flowed(echo=TRUE))
    try:
        peer.until(FLOW, 0x17)
    except Gone:
        pass


@case(peak_mib=48)
def a_consumer_that_stops_reading(world):
    """60 MB wait for a link with all the credit there is: the broker holds a few of them, not all."""
    fill_the_cache(world)
    address = world.address()
    sender = ready(world)
    sender.sender(address)
    piece = b"x" * 60_000
    for number in range(1000):
        sender.say(transferred(0, number, payload=data(piece)))
        if number % 100 == 99:
            while sender.until(DISPOSITION, FLOW)[0] is not True:
                pass
    peer = Peer(world.websocket(protocol="amqp", receive_buffer=4096)).open()
    peer.say(attached("r", 0, TRUE, source(address), target("here")), flowed(uint(0), uint(0xFFFFFFFF), NULL))
    time.sleep(1)
    world.still_serves()
    peer.raw.reset()


@case(peak_mib=48)
def a_browser_that_stops_reading(world):
    """Browsing records nothing and settles nothing, and is bounded all the same."""
    fill_the_cache(world)
    address = world.address()
    sender = ready(world)
    sender.sender(address)
    piece = b"x" * 60_000
    for number in range(500):
        sender.say(transferred(0, number, payload=data(piece)))
        if number % 100 == 99:
            while sender.until(DISPOSITION, FLOW)[0] is not True:
                pass
    peer = Peer(world.websocket(protocol="amqp", receive_buffer=4096)).open()
    browse = composite(0x28, string(address), NULL, NULL, NULL, NULL, NULL, symbol("copy"))
    peer.say(attached("r", 0, TRUE, browse, target("here")), flowed(uint(0), uint(0xFFFFFFFF), NULL))
    time.sleep(1)
    world.still_serves()
    peer.raw.reset()


@case()
def a_reset_in_mid_transfer(world):
    peer = ready(world)
    peer.sender(world.address())
    peer.say(transferred(0, 0, more=TRUE, payload=data(b"x" * 1000)))
    peer.raw.reset()


@case("WSB-080 WSB-081 WSB-A08", broker="impatient")
def who_closes_amqp_and_not_the_websocket(world):
    """The broker answers the close, and closes the WebSocket itself when the client does not."""
    peer = ready(world)
    peer.say(composite(CLOSE_))
    assert peer.until(CLOSE_) is not None
    assert peer.close_code() == 1000


@case("WSB-082")
def who_closes_the_websocket_first(world):
    peer = ready(world)
    peer.raw.send(frame(CLOSE, close_body(1000)))
    assert peer.close_code() == 1000


@case(broker="impatient")
def who_never_opens(world):
    peer = fresh(world)
    peer.send(AMQP_HEADER)
    assert peer.raw.ended()


@case(peak_mib=48)
def empty_frames_without_end(world):
    peer = ready(world)
    for _ in range(200):
        peer.send(amqp_frame(b"") * 5000)
    peer.say(flowed(echo=TRUE))
    peer.until(FLOW)
