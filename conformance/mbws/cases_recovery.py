"""What survives the loss of a session, and what does not."""

import asyncio

from websockets.exceptions import ConnectionClosed

from codec import BINARY, TEXT, Connect, Message
from peer import WAIT_S
from suite import case

NUMBER_MAX = 2**56 - 1


async def prepared(world, kind, queue):
    """The broker has sent 1..10, 1..5 are acknowledged, and it has received 1..7. Then the session is lost."""
    peer = await world.connected(kind, queue)
    for number in range(1, 7):
        await peer.publish(queue, body=f"own {number}")
    await peer.settled()
    other = await world.connected(kind)
    for number in range(7, 11):
        await other.publish(queue, body=f"other {number}")
    await other.settled()
    bodies = [d.message.body for d in await peer.deliveries(10)]
    await peer.acknowledge(5)
    await peer.publish(world.address("sink"), body="own 7")
    await peer.settled()
    await peer.cut()
    return peer, bodies


TRUTH = [
    # label, CSLR, CSLW, CSUW, accepted
    ("in-the-window", 5, 6, 9, True),
    ("empty-window", 10, 8, 7, True),
    ("no-longer-in-the-window", 4, 6, 9, False),
    ("more-than-was-sent", 11, 6, 9, False),
    ("message-8-is-lost", 5, 9, 9, False),
    ("ssl-above-csuw", 5, 3, 6, False),
    ("ssl-is-cslw-minus-1", 5, 8, 9, True),
    ("ssl-is-csuw", 5, 1, 7, True),
    ("in-the-middle-of-the-deliveries", 8, 8, 7, True),
    ("nothing-received", 0, 8, 7, False),
    ("largest-cslr", NUMBER_MAX, 8, 7, False),
    ("largest-csuw", 5, 1, NUMBER_MAX, True),
    ("largest-cslw", 5, NUMBER_MAX, NUMBER_MAX, False),
    ("empty-window-of-a-client-that-sent-less", 5, 7, 6, False),
    ("empty-window-of-a-client-that-sent-more", 5, 9, 8, False),
]


@case(
    "MBWS-020 MBWS-021 MBWS-022 MBWS-024 MBWS-040 MBWS-041 MBWS-042 MBWS-043 MBWS-044 MBWS-045 MBWS-046 MBWS-047 "
    "MBWS-048 MBWS-049 MBWS-051 MBWS-052 MBWS-A04 MBWS-A22",
    rows=TRUTH,
)
async def truth_table(world, kind, cslr, cslw, csuw, accepted):
    queue = world.address()
    lost, bodies = await prepared(world, kind, queue)
    peer = await world.open(kind, query=f"address={queue}")
    answer = await peer.reconnect(lost.name, cslr, cslw, csuw)
    if accepted:
        assert answer == Connect(lost.name, (7,)), answer
        rest = await peer.deliveries(10 - cslr)
        assert [(d.seq, d.message.body) for d in rest] == list(enumerate(bodies[cslr:], cslr + 1))
    else:
        assert answer.name != lost.name, answer
        # MBWS-A22: the owner cannot go on, so what it did not acknowledge goes back, and is numbered anew.
        rest = await peer.deliveries(5)
        assert [(d.seq, d.message.body) for d in rest] == list(enumerate(bodies[5:], 1))
    await peer.publish(queue, body="after")
    await peer.settled()
    assert peer.sent == (8 if accepted else 1)
    assert (await peer.delivery()).message.body == b"after"


@case("MBWS-049 MBWS-A22")
async def a_connection_that_could_not_go_on_is_gone(world, kind):
    lost, _ = await prepared(world, kind, world.address())
    refused = await world.open(kind)
    assert (await refused.reconnect(lost.name, 4, 6, 9)).name != lost.name
    again = await world.open(kind)
    assert (await again.reconnect(lost.name, 5, 6, 9)).name != lost.name


@case("MBWS-A04", rows=[("cslw-above-csuw-plus-1", 9, 7), ("far-above", NUMBER_MAX, 0)])
async def impossible_window_bounds_are_malformed(world, kind, cslw, csuw):
    lost, _ = await prepared(world, kind, world.address())
    peer = await world.open(kind)
    await peer.send(Connect(lost.name, (5, cslw, csuw)))
    assert await peer.closed() == 1002
    # MBWS-122: an error is no reason to forget.
    await world.resumed(lost, 5, 8, 7)


@case("MBWS-A04")
async def cslw_zero_is_malformed_or_one(world, kind):
    lost, _ = await prepared(world, kind, world.address())
    peer = await world.open(kind)
    await peer.send(Connect(lost.name, (5, 0, 7)))
    try:
        _, answer = await peer.frame()
    except ConnectionClosed:
        assert peer.websocket.close_code == 1002, peer.websocket.close_code
    else:
        assert answer == Connect(lost.name, (7,)), answer


@case("MBWS-A05 MBWS-041")
async def zeros_mean_that_nothing_was_received(world, kind):
    queue = world.address()
    lost = await world.connected(kind, queue)
    await lost.cut()
    peer = await world.resumed(lost, 0, 1, 0)
    assert peer.sent == 0
    other = await world.connected(kind)
    await other.publish(queue, body="first")
    assert (await peer.delivery()).seq == 1
    await peer.cut()
    # Message 1 is still in the window.
    again = await world.resumed(lost, 0, 1, 0)
    assert (await again.delivery()).message.body == b"first"


@case("MBWS-A23")
async def cslr_acknowledges(world, kind):
    queue = world.address()
    lost, _ = await prepared(world, kind, queue)
    second = await world.resumed(lost, 8, 8, 7)
    await second.deliveries(2)
    await second.cut()
    # 6..8 left the window with the reconnect.
    third = await world.open(kind)
    assert (await third.reconnect(lost.name, 7, 8, 7)).name != lost.name


@case("MBWS-014 MBWS-A07 MBWS-A22", rows=[("other", 0, 1), ("none", 0, None), ("some", None, 0)])
async def another_origin_cannot_recover(world, kind, first, second):
    def origin(index):
        return None if index is None else world.origins[index]

    lost = await world.connected(kind, origin=origin(first))
    await lost.publish(world.address())
    await lost.settled()
    await lost.cut()
    stranger = await world.open(kind, origin=origin(second))
    assert (await stranger.reconnect(lost.name, 0, 2, 1)).name != lost.name
    # The owner is not harmed by it.
    assert (await world.resumed(lost, 0, 2, 1, origin=origin(first))).sent == 1


@case("MBWS-005 MBWS-014", kinds=(TEXT,))
async def the_same_origin_can(world, kind):
    lost = await world.connected(kind, origin=world.origins[0])
    await lost.cut()
    await world.resumed(lost, 0, 1, 0, origin=world.origins[0])


@case("MBWS-014 MBWS-A06 MBWS-A22", needs=("second user",))
async def another_user_cannot_recover(world, kind):
    lost = await world.connected(kind)
    await lost.publish(world.address())
    await lost.settled()
    await lost.cut()
    stranger = await world.open(kind, user=1)
    assert (await stranger.reconnect(lost.name, 0, 2, 1)).name != lost.name
    assert (await world.resumed(lost, 0, 2, 1)).sent == 1


@case("MBWS-A14 MBWS-A06", needs=("second user",))
async def another_user_cannot_take_over(world, kind):
    alive = await world.connected(kind)
    stranger = await world.open(kind, user=1)
    assert (await stranger.reconnect(alive.name, 0, 1, 0)).name != alive.name
    await alive.barrier(world.address())


@case("MBWS-A14 MBWS-026")
async def a_reconnect_takes_over_from_a_session_that_looks_alive(world, kind):
    queue = world.address()
    old = await world.connected(kind, queue)
    for number in range(1, 6):
        await old.publish(queue, body=str(number))
    await old.settled()
    await old.deliveries(5)
    await old.acknowledge(2)
    new = await world.resumed(old, 3, 6, 5)
    code = await old.closed()
    assert code == 1001 or 4000 <= code <= 4999, code
    assert [d.message.body for d in await new.deliveries(2)] == [b"4", b"5"]
    await new.publish(queue, body="6")
    assert (await new.delivery()).seq == 6
    await new.settled()
    assert new.sent == 6


@case("MBWS-A14", kinds=(TEXT,))
async def taking_over_again_and_again(world, kind):
    queue = world.address()
    peer = await world.connected(kind, queue)
    for turn in range(1, 11):
        await peer.publish(queue, body=str(turn))
        await peer.settled()
        assert (await peer.delivery()).seq == turn
        old, peer = peer, await world.resumed(peer, turn, turn + 1, turn)
        code = await old.closed()
        assert code == 1001 or 4000 <= code <= 4999, code
    await peer.acknowledge(10)
    await peer.barrier(world.address())
    await peer.close()
    assert await world.empty(queue) == []


@case("MBWS-015 MBWS-A09", rows=[("1000", 1000), ("no-code", None)])
async def a_normal_close_ends_the_connection(world, kind, code):
    peer = await world.connected(kind)
    await peer.publish(world.address())
    await peer.settled()
    await peer.close(code)
    again = await world.open(kind)
    assert (await again.reconnect(peer.name, 0, 2, 1)).name != peer.name


FAILURES = [(str(code), code) for code in (1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4000)]


@case("MBWS-020 MBWS-022 MBWS-A09", rows=FAILURES)
async def any_other_close_is_a_failure(world, kind, code):
    peer = await world.connected(kind)
    await peer.publish(world.address())
    await peer.settled()
    await peer.close(code)
    assert (await world.resumed(peer, 0, 2, 1)).sent == 1


@case("MBWS-020 MBWS-022", rows=[("fin", False), ("reset", True)])
async def a_lost_socket_is_a_failure(world, kind, reset):
    peer = await world.connected(kind)
    await peer.publish(world.address())
    await peer.settled()
    await peer.cut(reset)
    assert (await world.resumed(peer, 0, 2, 1)).sent == 1


@case("MBWS-025 MBWS-A10")
async def what_was_not_acknowledged_goes_back_at_a_normal_close(world, kind):
    queue = world.address()
    peer = await world.connected(kind, queue)
    for number in range(1, 6):
        await peer.publish(queue, body=str(number))
    await peer.settled()
    await peer.deliveries(5)
    await peer.acknowledge(2)
    await peer.close()
    assert [m.body for m in await world.empty(queue)] == [b"3", b"4", b"5"]


@case("MBWS-023")
async def after_a_failure_a_new_connection_may_be_opened(world, kind):
    peer = await world.connected(kind)
    await peer.cut()
    assert (await world.connected(kind)).name != peer.name


@case("MBWS-122 MBWS-120", rows=[("unknown-id", b"\x09 "), ("empty", b""), ("acknowledge-unsent", None)])
async def a_protocol_error_is_no_normal_close(world, kind, octets):
    queue = world.address()
    peer = await world.connected(kind, queue)
    await peer.publish(queue, body="kept")
    await peer.settled()
    if octets is None:
        await peer.acknowledge(99)
    else:
        await peer.send_octets(octets)
    assert await peer.closed() == 1002
    again = await world.resumed(peer, 0, 2, 1)
    assert again.sent == 1
    assert (await again.delivery()).message.body == b"kept"


@case("MBWS-122 MBWS-026")
async def what_came_before_an_error_in_the_same_burst_is_received_once(world, kind):
    queue = world.address()
    peer = await world.connected(kind)
    good = [Message((queue,), "", (), b"%d" % number) for number in range(1, 6)]
    await peer.send_at_once(*good, b"9 ")
    assert await peer.closed() == 1002
    again = await world.open(kind)
    answer = await again.reconnect(peer.name, 0, 1, 5)
    assert answer.name == peer.name, answer
    for message in good[again.sent :]:
        await again.send(message)
        again.sent += 1
    await again.settled()
    assert [m.body for m in await world.empty(queue)] == [b"1", b"2", b"3", b"4", b"5"]


@case("MBWS-026 MBWS-031 MBWS-047 MBWS-048", rows=[("fin", False), ("reset", True)])
async def cut_again_and_again_nothing_is_lost_or_doubled(world, kind, reset):
    """A client with a window sends 300 messages to itself over a line that is cut at any moment."""
    queue, total = world.address(), 300
    bodies = [b"%d" % number for number in range(total)]
    peer = await world.connected(kind, queue, credit=40)
    got, cuts, turn = [], 0, 0
    while len(got) < total or peer.acknowledged < total:
        turn += 1
        try:
            for number in range(peer.sent, min(peer.sent + 17, total)):
                await peer.publish(queue, body=bodies[number])
            for _ in range(turn * 7 % 23):
                if len(got) >= peer.sent and peer.acknowledged >= peer.sent:
                    break
                await peer.pump()
                while peer.inbox:
                    delivery = peer.inbox.popleft()
                    assert delivery.seq == len(got) + 1
                    got.append(delivery.message.body)
                    if delivery.seq % 3 == 0:
                        await peer.acknowledge(delivery.seq)
        except asyncio.TimeoutError as error:
            raise AssertionError(f"stands still at {len(got)} received, {peer.acknowledged} acknowledged") from error
        if len(got) >= total and peer.acknowledged >= total:
            break
        lowest, highest = peer.acknowledged + 1, peer.sent
        await peer.cut(reset)
        cuts += 1
        peer = await world.resumed(peer, len(got), lowest, highest)
    assert got == bodies, f"{len(got)} received, {len(set(got))} different"
    assert cuts > 5, cuts


@case("MBWS-026 MBWS-A10")
async def sending_and_closing_at_once_loses_nothing(world, kind):
    queue = world.address()
    for number in range(10):
        peer = await world.connected(kind)
        await peer.publish(queue, body=str(number))
        await peer.settled()
        await peer.close()
    assert [m.body for m in await world.empty(queue)] == [b"%d" % number for number in range(10)]


@case("MBWS-026 MBWS-A14", kinds=(BINARY,))
async def a_session_that_fell_silent_is_recovered(world, kind):
    """Half-open: the client stops reading, never closes, and comes back on another socket."""
    queue = world.address()
    silent = await world.connected(kind, queue, max_queue=1)
    other = await world.connected(kind)
    for number in range(64):
        await other.publish(queue, body=bytes([number]) * 65_536)
    await other.settled()
    silent.websocket.transport.pause_reading()
    peer = await world.resumed(silent, 0, 1, 0)
    got = []
    while len(got) < 64:
        got += [d.message.body[0] for d in await peer.take(1)]
    assert got == list(range(64))


@case("MBWS-A15")
async def a_client_that_acknowledges_nothing_is_sent_a_bounded_number(world, kind):
    queue = world.address()
    peer = await world.connected(kind, queue, credit=3)
    for number in range(1, 11):
        await peer.publish(queue, body=str(number))
    await peer.settled()
    await peer.deliveries(3)
    await peer.barrier(world.address())
    assert not peer.inbox, "more than the credit"
    await peer.acknowledge(1)
    assert (await peer.delivery()).message.body == b"4"
    await peer.acknowledge(4)
    got = await peer.deliveries(3)
    assert [d.message.body for d in got] == [b"5", b"6", b"7"]
    await peer.cut()
    # Nothing was evicted: all that is unacknowledged comes again.
    again = await world.resumed(peer, 4, 12, 11)
    assert [d.message.body for d in await again.deliveries(3)] == [b"5", b"6", b"7"]


@case("MBWS-020 MBWS-024", kinds=(TEXT,))
async def consuming_survives(world, kind):
    queue = world.address()
    peer = await world.connected(kind)
    await peer.consume(queue, credit=2)
    await peer.cut()
    other = await world.connected(kind)
    for number in range(3):
        await other.publish(queue, body=str(number))
    await other.settled()
    again = await world.resumed(peer, 0, 2, 1)
    assert [d.message.body for d in await again.deliveries(2)] == [b"0", b"1"]
    await again.barrier(world.address())
    assert not again.inbox, "the credit was forgotten"


@case("MBWS-015 MBWS-020", kinds=(TEXT,))
async def both_sides_may_close(world, kind):
    peer = await world.connected(kind)
    await asyncio.wait_for(peer.close(), WAIT_S)
    assert peer.websocket.close_code == 1000, peer.websocket.close_code
