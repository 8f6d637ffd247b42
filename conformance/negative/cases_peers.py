"""Peers that stop reading, vanish, come in thousands or never let go."""

import struct
import time
from pathlib import Path

from raw import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Gone, Raw, close_body, frame, message, noise
from suite import case

BODY = 1 << 20


def backlog(world, address, count, size=BODY):
    """Messages of random octets that wait at an address."""
    sender = world.connected()
    body = noise(size - 4)
    for number in range(count):
        sender.send(frame(BINARY, message(address, struct.pack("!I", number) + body)))
        # One at a time: the acknowledgement says that it is stored.
        while True:
            acknowledged = sender.until(TEXT)
            if acknowledged == b"2 %d " % (number + 1):
                break
    sender.close()


def numbers_of(reader, address, count):
    """Takes `count` messages and closes normally; the numbers that they carry."""
    head = len(message(address, b""))
    numbers = []
    while len(numbers) < count:
        payload = reader.until(BINARY)
        numbers.append(struct.unpack("!I", payload[head : head + 4])[0])
        reader.send(frame(TEXT, b"2 %d " % len(numbers)))
    reader.send(frame(CLOSE, close_body(1000)))
    assert reader.close_code() == 1000
    return numbers


def fill_the_cache(world):
    """The broker keeps some bodies in memory. What is stored here takes all of that, so that the rest can be seen."""
    if not world.is_filled:
        backlog(world, world.address(), 75, 4 * BODY)
        world.is_filled = True
        world.measure()


@case(peak_mib=48)
def three_thousand_connections(world):
    """Idle MBWS connections at once, each of which answers; at most 16 KiB each."""
    held = [world.connected() for _ in range(3000)]
    for raw in held:
        raw.send(frame(PING, b"here"))
    for raw in held:
        assert raw.until(PONG) == b"here"


@case("MBWS-A15", peak_mib=48)
def a_reader_that_stops(world):
    """128 MiB wait for a consumer that reads nothing: the broker holds a few of them, not all."""
    fill_the_cache(world)
    address = world.address()
    backlog(world, address, 128)
    slow = world.consumer(address, credit=65_536, receive_buffer=4096)
    world.still_serves()
    slow.reset()


@case("MBWS-A15", peak_mib=160)
def thirty_readers_that_stop(world):
    """Each may have 4 MiB on its way (session bound) and what one write takes."""
    fill_the_cache(world)
    address = world.address()
    backlog(world, address, 150)
    slow = [world.consumer(address, credit=65_536, receive_buffer=4096) for _ in range(30)]
    world.still_serves()
    for raw in slow:
        raw.reset()


@case("MBWS-A15", peak_mib=48)
def a_sender_that_never_reads(world):
    """Acknowledgements that nobody reads do not pile up, however much is sent."""
    raw = world.connected(receive_buffer=4096)
    burst = frame(BINARY, message(world.address(), b"x" * 50)) * 1000
    raw.socket.settimeout(5)
    try:
        for _ in range(100):
            raw.socket.sendall(burst)
    except TimeoutError:
        pass  # Back-pressure.
    raw.reset()


@case("MBWS-026 MBWS-A14", peak_mib=128)
def resets_in_mid_write(world):
    """A consumer resets 30 times while large deliveries are written to it; then all come, in order and once."""
    address = world.address()
    fill_the_cache(world)
    backlog(world, address, 12, 4 * BODY)
    raw = world.websocket(target=f"/ws?address={address}", receive_buffer=4096)
    name = raw.connect().removeprefix(b"1 45 ").removesuffix(b"0 ")
    for _ in range(30):
        raw.exactly(100)
        raw.reset()
        raw = world.websocket(receive_buffer=4096)
        raw.send(frame(TEXT, b"1 45 " + name + b"3 0 1 0 "))
        assert raw.until(TEXT) == b"1 45 " + name + b"1 0 "
    assert numbers_of(raw, address, 12) == list(range(12))
    # After a normal close nothing is left.
    sender = world.connected()
    sender.send(frame(BINARY, message(address, struct.pack("!I", 99))))
    assert numbers_of(world.consumer(address), address, 1) == [99]


@case()
def resets_in_mid_frame(world):
    """Handshakes, frames and fragments that stop half way, 300 times."""
    for turn in range(100):
        raw = Raw(world.to)
        raw.send(b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgr"[: turn % 30 + 1])
        raw.reset()
        raw = world.connected()
        raw.send(frame(BINARY, noise(100), size=(64, 1 << 20)))
        raw.reset()
        raw = world.connected()
        raw.send(frame(BINARY, noise(50_000), False) + frame(CONTINUATION, noise(50_000), False)[: turn * 100 + 1])
        raw.reset()


@case(peak_mib=128)
def half_sent_messages(world):
    """200 connections that announce 16 MiB and send 64 KiB of it: memory for what came, not for what was announced."""
    held = []
    for _ in range(200):
        raw = world.connected()
        raw.send(frame(BINARY, noise(1 << 16), size=(64, 16 << 20)))
        held.append(raw)
    world.still_serves()


@case(peak_mib=96)
def connections_that_come_and_go(world):
    """3,000 connections, one after the other, ended in four ways."""
    for turn in range(3000):
        raw = Raw(world.to)
        raw.upgrade(world.fields())
        if turn % 4 == 0:
            raw.send(frame(TEXT, b"1 0 0 "))
        elif turn % 4 == 1:
            raw.connect()
            raw.send(frame(CLOSE, close_body(1000)))
        elif turn % 4 == 2:
            raw.connect()
        raw.reset() if turn % 2 else raw.close()


@case("WS-CT-05", broker="impatient")
def a_peer_that_falls_silent(world):
    """It is pinged, and given up when no pong comes."""
    raw = world.connected()
    assert raw.until(PING) is not None
    assert raw.ended()


@case("WS-CT-05", broker="impatient")
def a_peer_that_answers_pings_stays(world):
    raw = world.connected()
    for _ in range(4):
        raw.send(frame(PONG, raw.until(PING)))
    raw.send(frame(TEXT, b"3 1 4 kept0 0 "))
    assert raw.until(TEXT) == b"2 1 "


@case("WS-CL-05", broker="impatient")
def a_silent_peer_with_blocked_output(world):
    """Half-open with a delivery in mid-write: the deadline counts though nothing can be written."""
    address = world.address()
    backlog(world, address, 8, 4 * BODY)
    raw = world.consumer(address, receive_buffer=4096)
    assert is_held(world, raw)
    # It reads nothing from here on, and answers no ping.
    wait_until(lambda: not is_held(world, raw))


@case("WS-CL-05 WS-CT-09", broker="impatient")
def a_peer_that_does_not_answer_a_close(world):
    raw = world.connected()
    raw.send(frame(TEXT, b"9 "))
    assert raw.close_code() == 1002
    # No answer, no end of its own: the transport is closed all the same.
    assert raw.ended()


@case("WS-CL-05 WS-CT-09", broker="impatient")
def a_peer_that_goes_on_sending_after_our_close(world):
    raw = world.connected()
    raw.send(frame(TEXT, b"9 "))
    assert raw.close_code() == 1002
    burst = frame(BINARY, message(world.address(), b"x" * 10_000))
    try:
        for _ in range(1_000_000):
            raw.send(burst)
    except (Gone, TimeoutError):
        return
    raise AssertionError("it may send without end")


@case("WS-CT-07")
def a_close_in_mid_message(world):
    raw = world.connected()
    raw.send(frame(TEXT, b"3 ", False) + frame(CLOSE, close_body(1000)))
    assert raw.close_code() == 1000
    assert raw.ended()


@case("WS-CL-02")
def an_end_without_a_close(world):
    """The client shuts its side down: the server ends its own."""
    raw = world.connected()
    raw.socket.shutdown(1)
    assert raw.ended()


@case()
def sessions_without_end(world):
    """2,000 recoverable sessions that are lost at once: a bounded price each."""
    for _ in range(2000):
        raw = Raw(world.to)
        raw.upgrade(world.fields())
        raw.connect()
        raw.reset()


def is_held(world, raw):
    """Whether the broker still holds its end of this connection; an end without an inode belongs to no process."""
    ours, theirs = raw.socket.getsockname()[1], world.to[1]
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        columns = line.split()
        ports = [int(columns[at].rpartition(":")[2], 16) for at in (1, 2)]
        if ports == [theirs, ours]:
            return columns[9] != "0"
    return False


def wait_until(condition, patience_s=30):
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)
