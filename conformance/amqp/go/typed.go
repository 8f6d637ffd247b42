package main

import (
	"reflect"
	"strings"
	"time"

	"github.com/Azure/go-amqp"
)

var (
	uuid   = amqp.UUID{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
	moment = time.UnixMilli(981_173_106_007)
)

// Symbols are left out: go-amqp reads them as strings.
func scalars() map[string]any {
	return map[string]any{
		"true": true, "false": false,
		"ubyte": uint8(255), "ushort": uint16(65_535), "uint": uint32(4_294_967_295), "uint0": uint32(0),
		"ulong": uint64(18_446_744_073_709_551_614), "ulong0": uint64(0), "smallulong": uint64(200),
		"byte": int8(-128), "short": int16(-32_768), "int": int32(-2_147_483_648), "smallint": int32(-3),
		"long": int64(-9_223_372_036_854_775_807), "smalllong": int64(-3),
		"float": float32(1.5), "double": -1e300,
		"timestamp": moment, "uuid": uuid, "binary": []byte{0, 255, 128},
		"string": "grüße 😀", "long string": strings.Repeat("ü", 200),
	}
}

// back sends a message and says what comes.
func back(w *world, sent *amqp.Message) *amqp.Message {
	p := w.peer()
	defer p.drop()
	receiver := p.receiver(w.queue(), 1, amqp.ReceiverOptions{})
	deliver(p.sender(w.queue()), sent)
	taken := one(receiver)
	must(receiver.AcceptMessage(step(), taken))
	return taken
}

func equal(found, wanted any, what string) {
	check(reflect.DeepEqual(found, wanted), "%s: %#v is not %#v", what, found, wanted)
}

func bodyTypes(w *world) {
	values := scalars()
	everything := []any{}
	for _, each := range values {
		everything = append(everything, each)
	}
	values["list"] = everything
	values["map"] = map[any]any{"a": uint32(1), int32(-7): []any{"x"}}
	values["array"] = []int32{1, -2, 300_000}
	values["array of strings"] = []string{"a", "ß"}
	for name, value := range values {
		equal(back(w, &amqp.Message{Value: value}).Value, value, name)
	}
	null := back(w, &amqp.Message{Value: amqp.Null{}}).Value
	check(null == nil || null == amqp.Null{}, "null: %#v", null)
	data := [][]byte{[]byte("a"), []byte("bc")}
	equal(back(w, &amqp.Message{Data: data}).Data, data, "several data")
	sequences := [][]any{{uint32(1)}, {"two", []any{int32(-3)}}}
	equal(back(w, &amqp.Message{Sequence: sequences}).Sequence, sequences, "several sequences")
}

func propertyTypes(w *world) {
	text := func(value string) *string { return &value }
	never := time.UnixMilli(4_102_444_800_000)
	group := uint32(4_294_967_295)
	for _, id := range []any{"id ü", uint64(18_446_744_073_709_551_615), uuid, []byte{0, 1, 255}} {
		sent := &amqp.Message{
			Header:      &amqp.MessageHeader{Durable: true, Priority: 7},
			Annotations: amqp.Annotations{"x-opt-string": "ü", "x-opt-number": int64(7)},
			Properties: &amqp.MessageProperties{
				MessageID: id, UserID: []byte(w.user), To: text(w.queue()), Subject: text("a subject"),
				ReplyTo: text(w.queue() + "/replies"), CorrelationID: id, ContentType: text("application/x-example"),
				ContentEncoding: text("identity"), AbsoluteExpiryTime: &never, CreationTime: &moment,
				GroupID: text("a group"), GroupSequence: &group, ReplyToGroupID: text("another group"),
			},
			ApplicationProperties: scalars(),
			Value:                 "x",
			Footer:                amqp.Annotations{"x-opt-foot": "end"},
		}
		found := back(w, sent)
		equal(found.Properties, sent.Properties, "properties")
		equal(found.ApplicationProperties, sent.ApplicationProperties, "application properties")
		equal(found.Footer, sent.Footer, "footer")
		equal([]any{found.Header.Durable, found.Header.Priority}, []any{true, uint8(7)}, "header")
		for key, value := range sent.Annotations {
			equal(found.Annotations[key], value, "annotation")
		}
	}
}
