"""What a message carries: addresses, content type, properties and body, in both kinds and all units."""

from codec import BINARY, CODE_POINTS, OCTETS, TEXT, UTF16, Message, encode
from suite import case

STRINGS = [
    ("empty", ""),
    ("ascii", "plain"),
    ("two-octets", "é"),
    ("three-octets", "漢字"),
    ("astral", "😀"),
    ("combining", "e\u0301 a\u0308"),
    ("edges", "\u007f\u0080\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010ffff"),
    ("digits-and-spaces", " 7 1 0 "),
    ("controls", "\0\x01\r\n\t"),
    ("noncharacters", "\ufffe\ufeff"),
]


@case("MBWS-070 MBWS-078 MBWS-079 MBWS-104 MBWS-112 MBWS-116 MBWS-A01 MBWS-A17", rows=STRINGS)
async def strings_come_back_as_they_were(world, kind, string):
    queue = world.address()
    peer = await world.connected(kind, queue)
    properties = (("name", string), (string, "value"), (string, string))
    body = string.encode()
    await peer.publish(queue, content_type=string, properties=properties, body=body)
    got = await peer.delivery()
    assert got.kind == kind
    assert got.message.content_type == string, repr(got.message.content_type)
    assert got.message.properties == properties, got.message.properties
    assert got.message.body == body
    assert got.message.addresses == (queue,)


@case("MBWS-070 MBWS-071 MBWS-104 MBWS-112 MBWS-A01", rows=[row for row in STRINGS[2:6]])
async def addresses_are_any_characters(world, kind, string):
    queue = world.address() + string
    peer = await world.connected(kind)
    await peer.consume(queue)
    await peer.publish(queue, body="x")
    assert (await peer.delivery()).message.addresses == (queue,)


@case("MBWS-A01", rows=[(unit, unit) for unit in (CODE_POINTS, OCTETS, UTF16)])
async def lengths_count_what_the_url_says(world, kind, unit):
    queue = world.address() + "/é漢😀"
    properties = (("ключ", "значение 😀😀"), ("e\u0301", "𝔘𝔫𝔦"))
    sender = await world.connected(kind, query=f"unit={unit}", unit=unit)
    await sender.publish(queue, content_type="text/plain; x=😀", properties=properties, body="body 😀")
    await sender.settled()
    for other in (CODE_POINTS, OCTETS, UTF16):
        peer = await world.connected(kind, query=f"unit={other}", unit=other)
        await peer.consume(queue)
        message = (await peer.delivery()).message
        assert message.addresses == (queue,), message
        assert message.content_type == "text/plain; x=😀", message
        assert message.properties == properties, message
        assert message.body == "body 😀".encode(), message
        await peer.close()


@case("MBWS-A01", kinds=(BINARY,))
async def the_worked_lengths(world, kind):
    queue = world.address()
    for unit, octets in ((CODE_POINTS, "01 c3 a9"), (OCTETS, "02 c3 a9"), (UTF16, "01 c3 a9")):
        await one_string(world, queue, unit, bytes.fromhex(octets), "é")
    for unit, octets in ((CODE_POINTS, "01"), (OCTETS, "04"), (UTF16, "02")):
        await one_string(world, queue, unit, bytes.fromhex(octets + " f0 9f 98 80"), "😀")


async def one_string(world, queue, unit, octets, string):
    peer = await world.connected(BINARY, queue, query=f"unit={unit}", unit=unit)
    await peer.send_octets(b"\x03\x01" + bytes([len(queue)]) + queue.encode() + octets + b"\0")
    peer.sent = 1
    assert (await peer.take(1))[0].message.content_type == string
    await peer.settled()
    await peer.barrier(world.address())
    await peer.close()


@case("MBWS-A01 MBWS-120", rows=[(OCTETS, OCTETS, "é", 1), (UTF16, UTF16, "😀", 1)])
async def a_length_that_cuts_a_character_is_malformed(world, kind, unit, string, length):
    peer = await world.connected(kind, query=f"unit={unit}", unit=unit)
    number = b"%d " % length if kind == TEXT else bytes([length])
    head = b"3 0 " if kind == TEXT else b"\x03\0"
    await peer.send_octets(head + number + string.encode() + (b"0 " if kind == TEXT else b"\0"))
    assert await peer.closed() in (1002, 1007)


@case("MBWS-079 MBWS-A18")
async def properties_keep_their_order_and_doubles(world, kind):
    queue = world.address()
    peer = await world.connected(kind, queue)
    properties = (("b", "1"), ("a", "2"), ("b", "3"), ("", ""), ("b", "1"), ("", "x"), ("A", "4"), ("address", "z"))
    await peer.publish(queue, properties=properties)
    assert (await peer.delivery()).message.properties == properties


@case("MBWS-079", rows=[(str(count), count) for count in (0, 1, 127, 128, 1000)])
async def many_properties(world, kind, count):
    queue = world.address()
    peer = await world.connected(kind, queue)
    properties = tuple((f"name {number}", "v" * (number % 140)) for number in range(count))
    await peer.publish(queue, properties=properties, body="x")
    assert (await peer.delivery()).message.properties == properties


@case("MBWS-A03 MBWS-003")
async def a_message_keeps_its_kind(world, kind):
    queue = world.address()
    sender = await world.connected(kind)
    # The receiver asked for the other kind of Connect; bodies never change.
    receiver = await world.connected(BINARY if kind == TEXT else TEXT, queue)
    await sender.publish(queue, content_type="text/plain", body="grüße")
    got = await receiver.delivery()
    assert (got.kind, got.message.body) == (kind, "grüße".encode())


@case("MBWS-103 MBWS-A03", kinds=(BINARY,))
async def a_binary_body_is_any_octets(world, kind):
    queue = world.address()
    peer = await world.connected(kind, queue)
    body = bytes(range(256)) * 3
    await peer.publish(queue, body=body)
    assert (await peer.delivery()).message.body == body


@case("MBWS-071 MBWS-073 MBWS-074")
async def several_addresses_make_several_messages(world, kind):
    queues = [world.address() for _ in range(5)]
    peer = await world.connected(kind, *queues)
    await peer.publish(*queues, body="x", content_type="t", properties=(("k", "v"),))
    got = await peer.deliveries(5)
    assert sorted(d.message.addresses[0] for d in got) == sorted(queues)
    assert [d.seq for d in got] == [1, 2, 3, 4, 5]
    assert {(d.message.body, d.message.content_type, d.message.properties) for d in got} == {(b"x", "t", (("k", "v"),))}
    await peer.settled()
    assert peer.acknowledged == 1
    # Separately numbered: the first three are done, the others come again.
    await peer.acknowledge(3)
    await peer.barrier(world.address())
    await peer.cut()
    again = await world.resumed(peer, 3, 3, 2)
    assert [d.message.addresses for d in await again.deliveries(2)] == [d.message.addresses for d in got[3:]]


@case("MBWS-074", kinds=(TEXT,))
async def two_hundred_addresses(world, kind):
    queues = [world.address() for _ in range(200)]
    peer = await world.connected(kind)
    await peer.publish(*queues, body="x")
    await peer.settled()
    await peer.consume(*queues)
    got = await peer.deliveries(200)
    assert sorted(d.message.addresses[0] for d in got) == sorted(queues)


@case("MBWS-072 MBWS-A19")
async def empty_addresses_are_passed_over(world, kind):
    queue = world.address()
    peer = await world.connected(kind, queue)
    await peer.publish("", queue, "", "", body="x")
    await peer.settled()
    assert (await peer.delivery()).message.addresses == (queue,)
    await peer.barrier(world.address())
    assert not peer.inbox
    assert await world.dead_letters(b"x" + queue.encode()) == []


@case("MBWS-035 MBWS-076 MBWS-077 MBWS-A19", rows=[("empty-list", ()), ("one-empty", ("",)), ("three-empty", ("",) * 3)])
async def without_an_address_a_message_is_a_dead_letter(world, kind, addresses):
    peer = await world.connected(kind)
    body = world.address("body").encode()
    await peer.publish(*addresses, body=body)
    await peer.settled()
    found = await world.dead_letters(body)
    assert [reason for reason, _ in found] == ["no-address"], found


@case("MBWS-076", kinds=(TEXT,))
async def an_address_named_twice_is_named_once(world, kind):
    queue = world.address()
    peer = await world.connected(kind)
    await peer.publish(queue, queue, body="x")
    await peer.settled()
    assert len(await world.empty(queue)) == 1


@case("MBWS-103 MBWS-115 MBWS-002", rows=[(str(size), size) for size in (0, 1, 125, 126, 65_535, 65_536, 1 << 20, 8 << 20)])
async def bodies_of_any_size(world, kind, size):
    queue = world.address()
    peer = await world.connected(kind, queue)
    body = bytes(ord("a") + number % 26 for number in range(997)) * (size // 997 + 1)
    await peer.publish(queue, body=body[:size])
    await peer.settled()
    got = await peer.delivery()
    assert got.message.body == body[:size], len(got.message.body)


@case("MBWS-103 MBWS-115 MBWS-120")
async def the_largest_message_passes_and_one_octet_more_does_not(world, kind):
    largest = 16 << 20
    queue = world.address()
    peer = await world.connected(kind, queue)
    body = b"m" * (largest - len(encode(Message((queue,)), kind)))
    await peer.publish(queue, body=body)
    await peer.settled()
    assert (await peer.take(1))[0].message.body == body
    await peer.publish(queue, body=body + b"m")
    assert await peer.closed() == 1009
    # The message that was too large is not taken.
    assert (await world.resumed(peer, 1, 2, 2)).sent == 1
