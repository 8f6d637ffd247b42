"""Every type of AMQP, in bodies and in properties."""

import uuid

from proton import Array, Data, Described, Message, UNDESCRIBED, byte, char, decimal128, decimal32, decimal64
from proton import float32, int32, short, symbol, timestamp, ubyte, uint, ulong, ushort

from cases import CASES, case
from peer import same

UUID = uuid.UUID(int=0x000102030405060708090A0B0C0D0E0F)
SCALARS = {
    "null": None, "true": True, "false": False,
    "ubyte": ubyte(255), "ushort": ushort(65_535), "uint": uint(4_294_967_295), "uint0": uint(0), "smalluint": uint(200),
    "ulong": ulong(18_446_744_073_709_551_614), "ulong0": ulong(0), "smallulong": ulong(200),
    "byte": byte(-128), "short": short(-32_768), "int": int32(-2_147_483_648), "smallint": int32(-3),
    "long": -9_223_372_036_854_775_807, "smalllong": -3,
    "float": float32(1.5), "double": -1e300,
    "decimal32": decimal32(16_909_060), "decimal64": decimal64(72_623_859_790_382_856), "decimal128": decimal128(bytes(range(16))),
    "char": char("😀"), "timestamp": timestamp(-1), "uuid": UUID,
    "binary": b"\x00\xff\x80", "long binary": b"\x07" * 300,
    "string": "grüße 😀", "long string": "ü" * 200, "symbol": symbol("a:symbol"),
}  # fmt: skip
COMPOUND = {
    "list": list(SCALARS.values()),
    "empty list": [],
    "map": {"a": uint(1), symbol("b"): [int32(1), "x"], ulong(7): None},
    "array": Array(UNDESCRIBED, Data.INT, int32(1), int32(-2), int32(300_000)),
    "described": Described(symbol("example:thing"), "x"),
}
IDS = ("id ü", ulong(18_446_744_073_709_551_615), UUID, b"\x00\x01\xff")


def typed(value):
    """The value with the names of its types: Proton's numbers are equal whatever their type is."""
    if isinstance(value, dict):
        return sorted((repr(typed(key)), typed(each)) for key, each in value.items())
    if isinstance(value, (list, tuple)):
        return [typed(each) for each in value]
    if isinstance(value, Array):
        return ["array", value.type, [typed(each) for each in value.elements]]
    if isinstance(value, Described):
        return ["described", typed(value.descriptor), typed(value.value)]
    if isinstance(value, memoryview):
        value = bytes(value)
    return [type(value).__name__, value]


def back(world, message, look):
    """What `look` sees in the message that comes: its binaries are views of memory that goes with the connection."""
    peer = world.peer()
    peer.sender(world.queue).deliver(message)
    receiver = peer.receiver(world.queue, credit=1)
    found, delivery = receiver.one()
    seen = look(found)
    receiver.settle(delivery)
    # The next use of this queue finds it empty.
    peer.close()
    return seen


def body_of(message):
    return [message.inferred, typed(message.body)]


@case
def body_types(world):
    # Of None, Proton makes a message without any body.
    for name, value in {**SCALARS, **COMPOUND}.items():
        same(back(world, Message(body=value), body_of), [False, typed(value)], name)
    for value in (b"data", [uint(1), "two", None]):
        same(back(world, Message(body=value, inferred=True), body_of), [True, typed(value)], "data or sequence")


PROPERTIES = {
    "subject": "a subject",
    "reply_to": "replies",
    "content_type": symbol("application/x-example"),
    "content_encoding": symbol("identity"),
    "expiry_time": 4_102_444_800,
    "creation_time": 981_173_106.007,
    "group_id": "a group",
    "group_sequence": 2_147_483_647,
    "reply_to_group_id": "another group",
}


@case
def property_types(world):
    for given in IDS:
        message = Message(body="x", id=given, correlation_id=given, address=world.queue, **PROPERTIES)
        message.user_id = world.given.user.encode()
        message.durable, message.priority = True, 7
        message.annotations = {symbol("x-opt-string"): "ü", symbol("x-opt-number"): 7}
        message.properties = dict(SCALARS)
        fields = ("id", "correlation_id", "address", "user_id", "durable", "priority", "properties", *PROPERTIES)

        def look(found):
            annotations = {key: value for key, value in (found.annotations or {}).items() if key in message.annotations}
            return {"annotations": typed(annotations), **{field: typed(getattr(found, field)) for field in fields}}

        same(back(world, message, look), look(message), f"with ids of type {type(given).__name__}")


assert set(CASES) >= {"body-types", "property-types"}
