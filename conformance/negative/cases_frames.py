"""Frames that break RFC 6455 or RFC 7692, and the code that each is closed with."""

from raw import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, close_body, deflated, frame, message
from suite import case

FRAMES = [
    ("unmasked-text", frame(TEXT, b"2 0 ", masked=False), (1002, 1006)),
    ("unmasked-ping", frame(PING, b"x", masked=False), (1002, 1006)),
    ("rsv1-without-extension", frame(TEXT, b"2 0 ", rsv=4), (1002,)),
    ("rsv2", frame(TEXT, b"2 0 ", rsv=2), (1002,)),
    ("rsv3", frame(TEXT, b"2 0 ", rsv=1), (1002,)),
    ("rsv-on-close", frame(CLOSE, close_body(1000), rsv=1), (1002,)),
    *[(f"opcode-{opcode:x}", frame(opcode, b"x"), (1002,)) for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)],
    ("length-16-for-5", frame(TEXT, b"2 0  ", size=(16, 5)), (1002,)),
    ("length-64-for-5", frame(TEXT, b"2 0  ", size=(64, 5)), (1002,)),
    ("length-64-for-65535", frame(BINARY, b"x" * 65535, size=(64, 65535)), (1002,)),
    ("length-top-bit", frame(BINARY, b"", size=(64, 1 << 63)), (1002,)),
    ("length-2-to-40", frame(BINARY, b"", size=(64, 1 << 40)), (1009,)),
    ("length-2-to-62", frame(BINARY, b"", size=(64, 1 << 62)), (1009,)),
    ("length-above-the-limit", frame(BINARY, b"", size=(64, (16 << 20) + 1)), (1009,)),
    ("ping-of-126", frame(PING, b"x" * 126), (1002,)),
    ("ping-of-64-kilobytes", frame(PING, b"x" * 65536), (1002,)),
    ("ping-in-fragments", frame(PING, b"x", fin=False), (1002,)),
    ("close-in-fragments", frame(CLOSE, close_body(1000), fin=False), (1002,)),
    ("continuation-of-nothing", frame(CONTINUATION, b"x"), (1002,)),
    ("continuation-of-nothing-unfinished", frame(CONTINUATION, b"x", fin=False), (1002,)),
    ("message-inside-a-message", frame(TEXT, b"2", fin=False) + frame(TEXT, b" 0 "), (1002,)),
    ("continuation-after-the-end", frame(TEXT, b"2 ", False) + frame(CONTINUATION, b"0 ") + frame(CONTINUATION), (1002,)),
    ("close-of-one-octet", frame(CLOSE, b"\x03"), (1002,)),
    *[
        (f"close-{code}", frame(CLOSE, close_body(code)), (1002,))
        for code in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535)
    ],
    ("close-reason-no-utf8", frame(CLOSE, close_body(1000, b"\xff")), (1007,)),
    ("text-no-utf8", frame(TEXT, b"3 0 0 0 \xff"), (1007,)),
    ("text-no-utf8-over-fragments", frame(TEXT, b"3 0 0 0 \xe6", False) + frame(CONTINUATION, b"x"), (1007,)),
    ("text-no-utf8-in-the-first-fragment", frame(TEXT, b"3 0 0 0 \xff", False), (1007,)),
    ("text-no-utf8-at-the-head-of-a-frame", frame(TEXT, b"3 0 0 0 \xff", size=(64, 1 << 20)), (1007,)),
]
IDS = (
    "WS-FR-02 WS-FR-03 WS-FR-04 WS-FR-05 WS-FR-06 WS-FR-10 WS-MK-02 WS-FG-02 WS-FG-03 WS-CT-01 WS-CT-06 WS-CL-05 "
    "WS-CL-08 WS-CL-10 WS-U8-01 WS-U8-02 WS-U8-04 WS-EX-05"
)


@case(IDS, rows=FRAMES)
def a_wrong_frame(world, octets, codes):
    raw = world.connected()
    raw.send(octets)
    code = raw.close_code()
    assert code in codes, f"closed with {code}, expected one of {codes}"
    # WS-CL-05: and then the transport ends, whether or not the client answers.
    assert raw.ended()


COMPRESSED = [
    ("rsv1-on-ping", frame(PING, b"x", rsv=4), (1002,)),
    ("rsv1-on-pong", frame(PONG, b"x", rsv=4), (1002,)),
    ("rsv1-on-close", frame(CLOSE, close_body(1000), rsv=4), (1002,)),
    ("rsv1-on-continuation", frame(TEXT, b"2 ", False) + frame(CONTINUATION, b"0 ", rsv=4), (1002,)),
    ("rsv2", frame(TEXT, deflated(b"2 0 "), rsv=6), (1002,)),
    ("no-deflate", frame(TEXT, b"\xff\xff\xff\xff\xff", rsv=4), (1002, 1007)),
    ("distance-before-the-beginning", frame(BINARY, bytes.fromhex("4b04210000"), rsv=4), (1002, 1007)),
    ("text-no-utf8-inside", frame(TEXT, deflated(b"3 0 0 0 \xff"), rsv=4), (1007,)),
]


@case("WS-PD-08 WS-PD-10 WS-EX-05 WS-U8-01", rows=COMPRESSED)
def a_wrong_compressed_frame(world, octets, codes):
    raw = world.compressed()
    raw.send(octets)
    code = raw.close_code()
    assert code in codes, f"closed with {code}, expected one of {codes}"


@case("WS-PD-15 WS-FR-10", rows=[("whole", False), ("in-fragments", True)])
def inflate_bombs(world, fragmented):
    """64 KiB that inflate to 64 MiB, on 20 connections: 1009 each, and no memory for it."""
    bomb = deflated(bytes(64 << 20))
    for _ in range(20):
        raw = world.compressed()
        if fragmented:
            half = len(bomb) // 2
            raw.send(frame(BINARY, bomb[:half], False, rsv=4) + frame(CONTINUATION, bomb[half:]))
        else:
            raw.send(frame(BINARY, bomb, rsv=4))
        assert raw.close_code() == 1009


@case("WS-PD-13 WS-PD-15")
def what_inflates_to_the_limit_is_taken(world):
    address = world.address()
    raw = world.compressed()
    whole = message(address, b"")
    raw.send(frame(BINARY, deflated(whole + bytes((16 << 20) - len(whole))), rsv=4))
    assert raw.until(TEXT) == b"2 1 "
    raw.send(frame(BINARY, deflated(whole + bytes((16 << 20) - len(whole) + 1)), rsv=4))
    assert raw.close_code() == 1009


@case("WS-FR-10 WS-FG-01")
def fragments_beyond_the_limit(world):
    """A message that grows by fragments of 1 MiB is refused when it passes 16 MiB, not when it ends."""
    raw = world.connected()
    raw.send(frame(BINARY, message(world.address(), b""), False))
    for _ in range(15):
        raw.send(frame(CONTINUATION, bytes(1 << 20), False))
    raw.send(frame(PING, b"still"))
    assert raw.until(PONG) == b"still"
    raw.send(frame(CONTINUATION, bytes(1 << 20), False))
    assert raw.close_code() == 1009


@case("WS-FG-01", peak_mib=16 + 64)
def a_flood_of_empty_fragments(world):
    address = world.address()
    raw = world.connected()
    raw.send(frame(BINARY, message(address, b"body"), False))
    for _ in range(300):
        raw.send(frame(CONTINUATION, b"", False) * 1000)
    raw.send(frame(CONTINUATION))
    assert raw.until(TEXT) == b"2 1 "


@case("WS-FG-01 WS-FG-05 WS-FG-06 WS-CT-02")
def a_message_of_one_octet_fragments_and_pings(world):
    address = world.address()
    whole = message(address, b"x" * 20_000)
    raw = world.connected()
    pieces = [frame(BINARY, whole[:1], False)]
    for at in range(1, len(whole) - 1):
        pieces.append(frame(CONTINUATION, whole[at : at + 1], False))
        if at % 1000 == 0:
            pieces.append(frame(PING, b"%d" % at))
    pieces.append(frame(CONTINUATION, whole[-1:]))
    raw.send(b"".join(pieces))
    pongs = []
    while not pongs or pongs[-1] != b"%d" % ((len(whole) - 2) // 1000 * 1000):
        pongs.append(raw.until(PONG))
    assert raw.until(TEXT) == b"2 1 "


@case("WS-CT-02 WS-CT-03")
def a_flood_of_pings(world):
    """200,000 pings whose pongs nobody reads: nothing piles up, and the last one is answered."""
    raw = world.connected(receive_buffer=4096)
    burst = b"".join(frame(PING, b"%124d" % number) for number in range(1000))
    raw.socket.settimeout(2)
    sent = 0
    try:
        for _ in range(200):
            raw.socket.sendall(burst)
            sent += 1
    except TimeoutError:
        pass  # It stops reading while its pongs are not read: that is as good.
    raw.close()
    assert sent > 0


@case("WS-CT-04")
def a_flood_of_pongs(world):
    raw = world.connected()
    for _ in range(200):
        raw.send(frame(PONG, b"x" * 125) * 1000)
    raw.send(frame(PING, b"end"))
    assert raw.until(PONG) == b"end"


@case("WS-CT-08 WS-FR-07 WS-CL-05")
def nothing_after_a_close_is_read(world):
    address = world.address()
    raw = world.connected()
    raw.send(frame(CLOSE, close_body(1001)) + frame(BINARY, message(address, b"late")))
    assert raw.close_code() == 1001
    assert raw.ended()
    other = world.consumer(address)
    other.send(frame(BINARY, message(address, b"only")))
    assert other.until(BINARY).endswith(b"only")


@case("WS-FR-01 WS-FG-01 WS-MK-06 WS-MK-07")
def any_split_gives_the_same(world):
    """A masked message in pieces of every size is received as one."""
    address = world.address()
    raw = world.consumer(address)
    whole = message(address, b"split")
    key = b"\x37\xfa\x21\x3d"
    masked = bytes(octet ^ key[at % 4] for at, octet in enumerate(whole))
    octets = b"\x82" + bytes([128 | len(whole)]) + key + masked
    for size in range(1, len(octets) + 1):
        for at in range(0, len(octets), size):
            raw.send(octets[at : at + size])
        assert raw.until(BINARY) == whole
