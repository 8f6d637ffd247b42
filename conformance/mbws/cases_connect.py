"""Handshake, Connect exchange, sequences and acknowledgements."""

from websockets.exceptions import InvalidStatus

from codec import BINARY, TEXT, Acknowledge, Connect, Message, decode
from peer import MBLWS, MBWS, basic
from suite import case

TEXT_ONLY = (TEXT,)


async def refused(opening):
    """The HTTP response to an upgrade that must be refused."""
    try:
        await opening
    except InvalidStatus as refusal:
        return refusal.response
    raise AssertionError("the upgrade was accepted")


@case("MBWS-001 MBWS-004 MBWS-009", kinds=TEXT_ONLY)
async def both_subprotocols_are_spoken(world, kind):
    for name in (MBWS, MBLWS):
        peer = await world.open(subprotocols=[name])
        assert peer.websocket.subprotocol == name, peer.websocket.subprotocol


@case("MBWS-004", kinds=TEXT_ONLY)
async def one_name_of_several_is_echoed(world, kind):
    for names in ([MBWS, MBLWS], [MBLWS, MBWS], ["chat", MBWS], ["chat", MBLWS, "other"]):
        peer = await world.open(subprotocols=names)
        assert peer.websocket.subprotocol in {MBWS, MBLWS} & set(names), peer.websocket.subprotocol


@case("MBWS-004 MBWS-A24", kinds=TEXT_ONLY)
async def other_spellings_are_refused(world, kind):
    for name in ("mbws.huawei.com", "MBWS", "MBWS.HUAWEI.COM", "chat"):
        response = await refused(world.open(subprotocols=[name]))
        assert 400 <= response.status_code < 500, f"{name}: {response.status_code}"


@case("MBWS-008", kinds=TEXT_ONLY)
async def without_credentials_there_is_no_upgrade(world, kind):
    response = await refused(world.open(authorization=None))
    assert response.status_code == 401, response.status_code
    assert response.headers["WWW-Authenticate"].startswith("Basic "), response.headers


@case("MBWS-008", kinds=TEXT_ONLY)
async def wrong_credentials_are_refused(world, kind):
    name, password = world.users[0]
    for credentials in (basic(name, password + "x"), basic(name + "x", password), basic(name, ""), "Basic !", "Bearer x"):
        response = await refused(world.open(authorization=credentials))
        assert response.status_code == 401, f"{credentials}: {response.status_code}"


@case("MBWS-010 MBWS-011 MBWS-101 MBWS-106 MBWS-110 MBWS-111 MBWS-112 MBWS-113 MBWS-A02")
async def connect_octet_by_octet(world, kind):
    peer = await world.open(kind)
    await peer.send_octets(b"1 0 0 " if kind == TEXT else b"\x01\x00\x00")
    payload = await peer.websocket.recv()
    assert isinstance(payload, str) == (kind == TEXT), "answered in the other kind"
    if kind == TEXT:
        length, _, rest = payload.removeprefix("1 ").partition(" ")
        assert payload.startswith("1 ") and rest == rest[: int(length)] + "0 ", payload
        name = rest[: int(length)]
    else:
        assert payload[0] == 1 and payload[1] == len(payload) - 3 and payload[-1] == 0, payload
        name = payload[2:-1].decode()
    assert name, "an empty name"


@case("MBWS-013 MBWS-014 MBWS-A01 MBWS-A07")
async def names_are_urns_ascii_and_never_the_same(world, kind):
    names = [await (await world.open(kind)).connect() for _ in range(50)]
    assert len(set(names)) == 50
    for name in names:
        assert name.isascii() and name.lower().startswith("urn:") and len(name) >= 26, name
    same = sum(a == b for a, b in zip(names[0], names[1]))
    assert same < len(names[0]) * 2 // 3, f"names that can be guessed: {names[:2]}"


@case("MBWS-A08 MBWS-049")
async def an_empty_name_with_numbers_is_a_new_connection(world, kind):
    peer = await world.open(kind)
    await peer.send(Connect("", (1, 2, 3)))
    answer = await peer.answer()
    assert answer.name and answer.numbers == (), answer


@case("MBWS-043 MBWS-049 MBWS-050 MBWS-051 MBWS-052")
async def an_unknown_name_is_answered_with_a_new_connection(world, kind):
    for name in ("urn:uuid:00000000-0000-4000-8000-000000000000", "x", "urn:mb:7"):
        queue = world.address()
        peer = await world.open(kind, query=f"address={queue}")
        answer = await peer.reconnect(name, 0, 1, 0)
        assert answer.name != name
        await peer.publish(queue, body="first")
        await peer.settled()
        assert (await peer.delivery()).message.body == b"first"


@case("MBWS-040 MBWS-049 MBWS-A08", rows=[(f"{len(n)}-numbers", n) for n in ((), (0,), (0, 1), (0, 1, 0, 0))])
async def a_name_without_three_numbers_is_refused(world, kind, numbers):
    lost = await world.connected(kind)
    await lost.cut()
    peer = await world.open(kind)
    await peer.send(Connect(lost.name, numbers))
    answer = await peer.answer()
    assert answer.name != lost.name and answer.numbers == (), answer


@case("MBWS-017 MBWS-A13")
async def nothing_comes_before_the_connect_exchange(world, kind):
    for frame in (Message((world.address(),), "", (), b"early"), Acknowledge(0), Acknowledge(1)):
        peer = await world.open(kind)
        await peer.send(frame)
        code = await peer.closed()
        assert code == 1002, f"{frame}: {code}"


@case("MBWS-017 MBWS-A13")
async def a_message_before_the_answer_is_refused(world, kind):
    peer = await world.open(kind)
    await peer.send_at_once(Connect(), Message((world.address(),), "", (), b"early"))
    assert await peer.closed() == 1002


@case("MBWS-A13")
async def a_second_connect_is_refused(world, kind):
    for second in (Connect(), Connect("urn:mb:7", (0, 1, 0))):
        peer = await world.connected(kind)
        await peer.send(second)
        code = await peer.closed()
        assert code == 1002, f"{second}: {code}"


@case("MBWS-A13")
async def a_second_connect_in_the_same_burst_is_refused(world, kind):
    peer = await world.open(kind)
    await peer.send_at_once(Connect(), Connect())
    assert await peer.closed() == 1002


@case("MBWS-016 MBWS-A06")
async def a_new_connection_leaves_the_others_alone(world, kind):
    first, second = await world.connected(kind), await world.connected(kind)
    await first.publish(world.address(), body="x")
    await first.settled()
    await second.cut()
    third = await world.connected(kind)
    assert third.name not in (first.name, second.name)
    await world.resumed(second, 0, 1, 0)
    await first.cut()
    assert (await world.resumed(first, 0, 2, 1)).sent == 1


@case("MBWS-030 MBWS-031 MBWS-032 MBWS-033 MBWS-035 MBWS-036 MBWS-102 MBWS-114")
async def every_message_is_acknowledged(world, kind):
    queue = world.address()
    peer = await world.connected(kind)
    for number in range(200):
        await peer.publish(queue, body=str(number))
    await peer.settled()
    assert peer.acknowledged == 200
    assert set(peer.acknowledgement_kinds) == {kind}
    assert [m.body for m in await world.empty(queue)] == [b"%d" % number for number in range(200)]


@case("MBWS-A02")
async def kinds_may_be_mixed_and_acknowledgements_follow_the_connect(world, kind):
    queue = world.address()
    peer = await world.connected(kind, queue)
    kinds = [TEXT, BINARY, BINARY, TEXT, TEXT, BINARY]
    for each in kinds:
        await peer.publish(queue, body=each, kind=each)
        await peer.settled()
    assert set(peer.acknowledgement_kinds) == {kind}
    got = await peer.deliveries(len(kinds))
    # MBWS-A03: each in the kind it was published with; one sequence counts both.
    assert [d.kind for d in got] == kinds and [d.message.body.decode() for d in got] == kinds
    await peer.send(Acknowledge(6), BINARY if kind == TEXT else TEXT)
    await peer.barrier(world.address())
    await peer.cut()
    again = await world.resumed(peer, 6, 8, 7)
    assert again.sent == 7


@case("MBWS-A02")
async def the_kind_of_the_last_connect_counts(world, kind):
    other = BINARY if kind == TEXT else TEXT
    lost = await world.connected(other)
    await lost.cut()
    peer = await world.resumed(lost, 0, 1, 0, kind=kind)
    await peer.publish(world.address())
    await peer.settled()
    assert peer.acknowledgement_kinds == [kind]


@case("MBWS-A12")
async def acknowledging_what_was_never_sent_is_an_error(world, kind):
    queue = world.address()
    for beyond in (1, 2, 2**56 - 1):
        peer = await world.connected(kind, queue)
        await peer.publish(queue, body="x")
        await peer.deliveries(1)
        await peer.acknowledge(1)
        await peer.acknowledge(1 + beyond)
        code = await peer.closed()
        assert code == 1002, f"{beyond} beyond: {code}"


@case("MBWS-A12")
async def acknowledging_the_past_is_ignored(world, kind):
    queue, sink = world.address(), world.address("sink")
    peer = await world.connected(kind, queue)
    for _ in range(5):
        await peer.publish(queue)
    await peer.deliveries(5)
    for number in (0, 3, 3, 1, 0, 5, 5, 2):
        await peer.acknowledge(number)
    await peer.barrier(sink)
    # Still open, and 5 counts: nothing comes back.
    await peer.cut()
    again = await world.resumed(peer, 5, 7, 6)
    await again.publish(queue, body="next")
    assert (await again.delivery()).seq == 6


@case("MBWS-A16", kinds=TEXT_ONLY)
async def leading_zeros_are_accepted(world, kind):
    queue = world.address()
    peer = await world.open(kind)
    await peer.send_octets(b"1 000 0000000000000000000000000000 ")
    await peer.answer()
    peer.sent = 1
    await peer.send_octets(b"3 01 %05d %s00 000 body" % (len(queue), queue.encode()))
    await peer.settled()
    assert [m.body for m in await world.empty(queue)] == [b"body"]


@case("MBWS-A16 MBWS-105", kinds=(BINARY,))
async def longer_varints_than_needed_are_accepted(world, kind):
    queue = world.address()
    peer = await world.open(kind)
    await peer.send_octets(bytes.fromhex("01 80 80 80 80 80 80 80 00 80 00"))
    await peer.answer()
    peer.sent = 1
    length = bytes([len(queue) | 0x80, 0x80, 0x00])
    await peer.send_octets(bytes.fromhex("03 81 00") + length + queue.encode() + bytes.fromhex("80 00 80 80 00") + b"body")
    await peer.settled()
    assert [m.body for m in await world.empty(queue)] == [b"body"]


@case("MBWS-002")
async def websocket_fragments_are_invisible(world, kind):
    queue = world.address()
    peer = await world.connected(kind, queue)
    whole = b"3 1 %d %s0 0 body" % (len(queue), queue.encode())
    if kind == BINARY:
        whole = b"\x03\x01" + bytes([len(queue)]) + queue.encode() + b"\0\0body"
    pieces = [whole[at : at + 1] for at in range(len(whole))]
    await peer.websocket.send(iter(p.decode() for p in pieces) if kind == TEXT else iter(pieces))
    peer.sent = 1
    await peer.settled()
    assert (await peer.delivery()).message.body == b"body"


@case("MBWS-002 MBWS-026")
async def compression_changes_nothing(world, kind):
    queue = world.address()
    for compression in ("deflate", None):
        peer = await world.connected(kind, queue, compression=compression)
        body = b"compressible " * 5000
        await peer.publish(queue, body=body)
        await peer.settled()
        assert (await peer.take(1))[0].message.body == body
        await peer.barrier(world.address())
        await peer.close()


@case("MBWS-003 MBWS-103 MBWS-115")
async def the_worked_example(world, kind):
    queue = world.address()
    peer = await world.connected(kind, queue)
    if kind == TEXT:
        frame = f"3 1 {len(queue)} {queue}10 text/plain1 1 k1 vhi".encode()
    else:
        frame = b"\x03\x01" + bytes([len(queue)]) + queue.encode() + b"\x0atext/plain\x01\x01k\x01vhi"
    await peer.send_octets(frame)
    payload = await peer.websocket.recv()
    while decode(payload.encode() if kind == TEXT else payload, kind) == Acknowledge(1):
        payload = await peer.websocket.recv()
    assert (payload.encode() if kind == TEXT else payload) == frame, payload
