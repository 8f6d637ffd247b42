// Every type of AMQP, in bodies and in properties: the bare message arrives in the very octets it was sent in (AMQP 3.2).
import { check, same } from "./check.mjs";
import { message, sections, types } from "./peer.mjs";

const buffer = (...octets) => Buffer.from(octets);
const uuid = () => types.wrap_uuid(buffer(...Array(16).keys()));

const scalars = {
    null: () => types.Null(),
    true: () => types.True(),
    false: () => types.False(),
    boolean: () => types.Boolean(1),
    ubyte: () => types.wrap_ubyte(255),
    ushort: () => types.wrap_ushort(65_535),
    uint: () => types.wrap_uint(4_294_967_295),
    uint0: () => types.wrap_uint(0),
    smalluint: () => types.wrap_uint(200),
    ulong: () => types.wrap_ulong(buffer(255, 255, 255, 255, 255, 255, 255, 254)),
    ulong0: () => types.wrap_ulong(0),
    smallulong: () => types.wrap_ulong(200),
    byte: () => types.wrap_byte(-128),
    short: () => types.wrap_short(-32_768),
    int: () => types.wrap_int(-2_147_483_648),
    smallint: () => types.wrap_int(-3),
    long: () => types.wrap_long(buffer(128, 0, 0, 0, 0, 0, 0, 1)),
    smalllong: () => types.wrap_long(-3),
    float: () => types.wrap_float(1.5),
    double: () => types.wrap_double(-1e300),
    decimal32: () => types.Decimal32(buffer(1, 2, 3, 4)),
    decimal64: () => types.Decimal64(buffer(1, 2, 3, 4, 5, 6, 7, 8)),
    decimal128: () => types.Decimal128(buffer(...Array(16).keys())),
    char: () => types.wrap_char(0x1f600),
    timestamp: () => types.wrap_timestamp(-1),
    uuid,
    binary: () => types.wrap_binary(buffer(0, 255, 128)),
    "binary of more than 255": () => types.wrap_binary(Buffer.alloc(300, 7)),
    string: () => types.wrap_string("grüße 😀"),
    "string of more than 255": () => types.wrap_string("ü".repeat(200)),
    symbol: () => types.wrap_symbol("a:symbol"),
};

const bodies = {
    ...scalars,
    list: () => types.wrap_list(Object.values(scalars).map((make) => make())),
    "empty list": () => types.wrap_list([]),
    map: () => types.wrap_map_as_map(new Map([["a", 1], [types.wrap_symbol("b"), [1, "x"]], [types.wrap_ulong(7), null]])),
    array: () => types.wrap_array([1, 2, 3], 0x71),
    "array of strings": () => types.wrap_array(["a", "ß"], 0xb1),
    described: () => types.wrap_list([types.described(types.wrap_symbol("example:thing"), types.wrap_string("x"))]),
    data: () => message.data_section(Buffer.from("data")),
    "empty data": () => message.data_section(Buffer.alloc(0)),
    "several data": () => message.data_sections([Buffer.from("a"), Buffer.from("bc")]),
    sequence: () => message.sequence_section([1, "two", null]),
    "several sequences": () => message.sequence_sections([[1], ["two", [3]]]),
};

const IDS = {
    string: () => types.wrap_string("id ü"),
    ulong: () => types.wrap_ulong(buffer(255, 0, 0, 0, 0, 0, 0, 1)),
    uuid,
    binary: () => types.wrap_binary(buffer(0, 1, 255)),
};

const properties = (world, queue, id) => ({
    message_id: id(),
    user_id: Buffer.from(world.given.user),
    to: queue,
    subject: "a subject",
    reply_to: `${queue}/replies`,
    correlation_id: id(),
    content_type: "application/x-example",
    content_encoding: "identity",
    absolute_expiry_time: new Date("2100-01-01T00:00:00Z"),
    creation_time: new Date("2001-02-03T04:05:06Z"),
    group_id: "a group",
    group_sequence: 4_294_967_295,
    reply_to_group_id: "another group",
});

// What stays as it was sent: properties, application properties, body, footer.
const bare = (octets) => sections(octets).filter(({ code }) => code >= 0x73).map(({ octets }) => octets.toString("hex"));
const annotations = (octets) => {
    const found = sections(octets).find(({ code }) => code === 0x72)?.section.value ?? [];
    return found.map((each) => [each.type.name, each.value?.value ?? each.value]);
};

// Rhea would write a footer before the body, and its keys as strings.
function footer() {
    const writer = new types.Writer();
    writer.write(types.described(types.wrap_ulong(0x78), types.wrap_symbolic_map({ "x-opt-foot": "end" })));
    return writer.toBuffer();
}

async function roundTrip(world, messages) {
    const peer = await world.peer();
    const queue = world.queue();
    const receiver = await peer.receiver(queue);
    const sender = await peer.sender(queue);
    for (const [name, make] of Object.entries(messages)) {
        const sent = Buffer.concat([message.encode(make(queue)), footer()]);
        await sender.deliver(sent);
        const got = await receiver.one();
        got.delivery.accept();
        same(bare(got.message.octets), bare(sent), name);
        const [left, right] = [annotations(got.message.octets), annotations(sent)];
        for (let at = 0; at < right.length; at += 2) {
            const found = left.findIndex((each, index) => index % 2 === 0 && each[1] === right[at][1]);
            same(found < 0 ? null : left.slice(found, found + 2), right.slice(at, at + 2), `${name}: annotation`);
        }
        receiver.receiver.add_credit(1);
        check(got.message.delivery_annotations?.["x-opt-gone"] === undefined, "delivery annotations went on");
    }
}

export const typed = {
    "body-types": (world) =>
        roundTrip(world, Object.fromEntries(Object.entries(bodies).map(([name, body]) => [name, () => ({ body: body() })]))),

    async "property-types"(world) {
        const named = Object.fromEntries(Object.entries(scalars).map(([name, make]) => [name, make()]));
        const whole = (id) => (queue) => ({
            durable: true,
            priority: 7,
            delivery_annotations: { "x-opt-gone": "x" },
            message_annotations: { "x-opt-string": "ü", "x-opt-number": 7, "x-opt-symbol": types.wrap_symbol("s") },
            ...properties(world, queue, id),
            application_properties: named,
            body: "x",
        });
        await roundTrip(world, Object.fromEntries(Object.entries(IDS).map(([name, id]) => [`ids of type ${name}`, whole(id)])));
    },
};
