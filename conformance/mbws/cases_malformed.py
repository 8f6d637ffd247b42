"""MBWS-120: what does not match the grammar, and the close code that says so."""

from codec import BINARY, TEXT, varint
from suite import case

LONG = 2**56 - 1

# label, frame, close codes. 1009 is as good where a declared count is beyond any limit.
TEXT_FRAMES = [
    ("empty", b"", 1002),
    ("id-0", b"0 ", 1002),
    ("id-4", b"4 ", 1002),
    ("id-9", b"9 0 0 ", 1002),
    ("id-letter", b"x 0 0 ", 1002),
    ("id-two-digits", b"03 1 1 a0 0 ", 1002),
    ("id-space-first", b" 3 1 1 a0 0 ", 1002),
    ("id-alone", b"3", 1002),
    ("id-without-space", b"31 1 a0 0 ", 1002),
    ("id-tab", b"3\t1 1 a0 0 ", 1002),
    ("binary-frame-as-text", b"\x03\x01\x01a\x00\x00", 1002),
    ("acknowledge-nothing", b"2 ", 1002),
    ("acknowledge-without-space", b"2 0", 1002),
    ("acknowledge-two-spaces", b"2 0  ", 1002),
    ("acknowledge-trailing", b"2 0 0 ", 1002),
    ("acknowledge-trailing-octet", b"2 0 x", 1002),
    ("acknowledge-sign", b"2 +0 ", 1002),
    ("acknowledge-negative", b"2 -1 ", 1002),
    ("acknowledge-hex", b"2 0x0 ", 1002),
    ("acknowledge-fraction", b"2 0.0 ", 1002),
    ("acknowledge-other-digits", "2 ٣ ".encode(), 1002),
    ("acknowledge-no-break-space", "2 0\u00a0".encode(), 1002),
    ("number-above-the-limit", b"2 72057594037927936 ", 1002),
    ("number-above-64-bits", b"2 18446744073709551616 ", 1002),
    ("number-of-1000-digits", b"2 " + b"9" * 1000 + b" ", 1002),
    ("message-without-anything", b"3 ", 1002),
    ("list-cut", b"3 2 1 a", 1002),
    ("list-count-cut", b"3 1", 1002),
    ("string-cut", b"3 1 5 abc", 1002),
    ("string-length-cut", b"3 1 5", 1002),
    ("content-type-missing", b"3 1 1 a", 1002),
    ("content-type-cut", b"3 1 1 a3 te", 1002),
    ("properties-missing", b"3 1 1 a0 ", 1002),
    ("property-name-only", b"3 1 1 a0 1 1 n", 1002),
    ("property-value-cut", b"3 1 1 a0 1 1 n5 val", 1002),
    ("property-count-cut", b"3 1 1 a0 2 1 n1 v", 1002),
    ("property-value-counted-as-entry", b"3 1 1 a0 2 1 n1 v", 1002),
    ("string-counted-in-octets", "3 0 2 é0 ".encode(), 1002),
    ("largest-list", b"3 %d " % LONG, (1002, 1009)),
    ("largest-string", b"3 1 %d a" % LONG, (1002, 1009)),
    ("largest-content-type", b"3 0 %d a" % LONG, (1002, 1009)),
    ("largest-properties", b"3 0 0 %d " % LONG, (1002, 1009)),
    ("invalid-utf8-in-the-body", b"3 0 0 0 \xff", 1007),
    ("invalid-utf8-in-a-string", b"3 1 1 \xc30 0 ", 1007),
    ("surrogate", b"3 0 0 0 \xed\xa0\x80", 1007),
    ("overlong", b"3 0 0 0 \xc0\x80", 1007),
    ("above-unicode", b"3 0 0 0 \xf4\x90\x80\x80", 1007),
    ("cut-character-in-the-body", b"3 0 0 0 \xe6\xbc", 1007),
]

BINARY_FRAMES = [
    ("empty", b"", 1002),
    ("id-0", b"\0", 1002),
    ("id-4", b"\4", 1002),
    ("id-255", b"\xff\0\0", 1002),
    ("id-of-two-octets", b"\x83\0\0\0\0", 1002),
    ("text-frame-as-binary", b"3 1 1 a0 0 ", 1002),
    ("acknowledge-nothing", b"\2", 1002),
    ("acknowledge-cut", b"\2\x80", 1002),
    ("acknowledge-trailing", b"\2\0\0", 1002),
    ("varint-of-eight-without-end", b"\2" + b"\x80" * 8, 1002),
    ("varint-of-nine", b"\2" + b"\x80" * 8 + b"\0", 1002),
    ("varint-of-ten", b"\2" + b"\xff" * 9 + b"\1", 1002),
    ("message-without-anything", b"\3", 1002),
    ("list-cut", b"\3\2\1a", 1002),
    ("string-cut", b"\3\1\5abc", 1002),
    ("content-type-missing", b"\3\1\1a", 1002),
    ("content-type-cut", b"\3\1\1a\3te", 1002),
    ("properties-missing", b"\3\1\1a\0", 1002),
    ("property-name-only", b"\3\1\1a\0\1\1n", 1002),
    ("property-value-cut", b"\3\1\1a\0\1\1n\5val", 1002),
    ("property-count-cut", b"\3\1\1a\0\2\1n\1v", 1002),
    ("string-counted-in-octets", b"\3\0\2\xc3\xa9\0", 1002),
    ("character-cut-by-the-end", b"\3\0\1\xe6\xbc", (1002, 1007)),
    ("largest-list", b"\3" + varint(LONG), (1002, 1009)),
    ("largest-string", b"\3\1" + varint(LONG) + b"a", (1002, 1009)),
    ("largest-content-type", b"\3\0" + varint(LONG) + b"a", (1002, 1009)),
    ("largest-properties", b"\3\0\0" + varint(LONG), (1002, 1009)),
    ("invalid-utf8-in-an-address", b"\3\1\1\xff\0\0", 1007),
    ("invalid-utf8-in-the-content-type", b"\3\0\1\xff\0", 1007),
    ("invalid-utf8-in-a-property-name", b"\3\0\0\1\1\xff\0", 1007),
    ("invalid-utf8-in-a-property-value", b"\3\0\0\1\0\1\xff", 1007),
    ("surrogate-in-a-string", b"\3\0\1\xed\xa0\x80\0", 1007),
    ("overlong-in-a-string", b"\3\0\1\xc0\x80\0", 1007),
    ("above-unicode-in-a-string", b"\3\0\1\xf4\x90\x80\x80\0", 1007),
]

TEXT_CONNECTS = [
    ("no-name", b"1 ", 1002),
    ("no-list", b"1 0 ", 1002),
    ("no-space-at-the-end", b"1 0 0", 1002),
    ("trailing-space", b"1 0 0  ", 1002),
    ("trailing-octets", b"1 0 0 x", 1002),
    ("name-cut", b"1 8 urn", 1002),
    ("list-cut", b"1 8 urn:mb:73 0 1 ", 1002),
    ("list-too-long", b"1 8 urn:mb:73 0 1 0 0 ", 1002),
    ("number-cut", b"1 8 urn:mb:73 0 1 0", 1002),
    ("comma", b"1 8 urn:mb:73 0,1,0 ", 1002),
    ("largest-list", b"1 0 %d " % LONG, (1002, 1009)),
    ("largest-name", b"1 %d urn" % LONG, (1002, 1009)),
    ("invalid-utf8", b"1 1 \xff0 ", 1007),
]

BINARY_CONNECTS = [
    ("no-name", b"\1", 1002),
    ("no-list", b"\1\0", 1002),
    ("trailing-octets", b"\1\0\0\0", 1002),
    ("name-cut", b"\1\x08urn", 1002),
    ("list-cut", b"\1\x08urn:mb:7\3\0\1", 1002),
    ("list-too-long", b"\1\x08urn:mb:7\3\0\1\0\0", 1002),
    ("number-cut", b"\1\x08urn:mb:7\3\0\1\x80", 1002),
    ("largest-list", b"\1\0" + varint(LONG), (1002, 1009)),
    ("largest-name", b"\1" + varint(LONG) + b"urn", (1002, 1009)),
    ("invalid-utf8", b"\1\1\xff\0", 1007),
]


async def refused(peer, octets, codes):
    await peer.send_octets(octets)
    code = await peer.closed()
    assert code in (codes if isinstance(codes, tuple) else (codes,)), f"closed with {code}"


async def after_connect(world, kind, octets, codes):
    await refused(await world.connected(kind), octets, codes)


async def as_the_first_frame(world, kind, octets, codes):
    await refused(await world.open(kind), octets, codes)


IDS = "MBWS-100 MBWS-102 MBWS-103 MBWS-104 MBWS-105 MBWS-110 MBWS-111 MBWS-112 MBWS-116 MBWS-120 MBWS-121 MBWS-A16"
case(IDS, kinds=(TEXT,), rows=TEXT_FRAMES)(after_connect)
case(IDS, kinds=(BINARY,), rows=BINARY_FRAMES)(after_connect)
case("MBWS-101 MBWS-113 MBWS-120 MBWS-121", kinds=(TEXT,), rows=TEXT_CONNECTS)(as_the_first_frame)
case("MBWS-101 MBWS-113 MBWS-120 MBWS-121", kinds=(BINARY,), rows=BINARY_CONNECTS)(as_the_first_frame)


# The documented limits, each one step beyond.
@case("MBWS-120 MBWS-121")
async def beyond_a_documented_limit(world, kind):
    """Too large: an address, the number of addresses or properties, the header. Still valid grammar, so 1009."""
    queue = world.address()
    for message in (
        {"addresses": ["a" * 1025]},
        {"addresses": [f"{queue}/{number}" for number in range(257)]},
        {"addresses": [queue], "properties": [("n", "v")] * 1025},
        {"addresses": [queue], "properties": [("n", "v" * 300_000)]},
        {"addresses": [queue], "content_type": "c" * 300_000},
    ):
        addresses = message.pop("addresses")
        peer = await world.connected(kind)
        await peer.publish(*addresses, **message)
        code = await peer.closed()
        assert code == 1009, f"{len(addresses)} addresses and {list(message)}: {code}"


@case("MBWS-120 MBWS-122")
async def others_are_not_disturbed(world, kind):
    queue = world.address()
    peer = await world.connected(kind, queue)
    for octets in (b"", b"\xff", b"3 1 " if kind == TEXT else b"\3\1"):
        bad = await world.connected(kind)
        await bad.send_octets(octets)
        await bad.closed()
        await peer.publish(queue, body="x")
        await peer.delivery()
