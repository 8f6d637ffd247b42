"""Traces: `traceparent` from every protocol to every other, and spans to a collector, read as OTLP's own schema says."""

import asyncio
import base64
import contextlib
import re
import secrets
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from google.protobuf.json_format import Parse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from proton import Message

from api import path
from cases_permissions import amqp_of, connected, stream_of
from world import case

ID = re.compile(rb'("(?:traceId|spanId|parentSpanId)": ?")([0-9a-f]+)"')
SHIM = "http://jabber.org/protocol/shim"


class Collector(ThreadingHTTPServer):
    """Takes traces over HTTP; knows nothing of the broker but OTLP."""

    def __init__(self):
        self.spans, self.resources, self.refuses = [], [], False
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/v1/traces"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def take(self, body):
        # A field that the schema does not know is an error. Ids are hex in OTLP, and not base64 as other octets of
        # protobuf's JSON are.
        body = ID.sub(lambda it: it[1] + base64.b64encode(bytes.fromhex(it[2].decode())) + b'"', body)
        for resource in Parse(body, ExportTraceServiceRequest()).resource_spans:
            self.resources.append(plain(resource.resource.attributes))
            for scope in resource.scope_spans:
                self.spans.extend(scope.spans)

    def of(self, trace):
        return {span.name.split()[0]: span for span in list(self.spans) if span.trace_id.hex() == trace}


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        fits = self.path == "/v1/traces" and self.headers["content-type"] == "application/json"
        if fits and not self.server.refuses:
            self.server.take(body)
        self.send_response(503 if self.server.refuses else 200 if fits else 400)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


def plain(attributes):
    return {each.key: each.value.string_value or each.value.int_value for each in attributes}


@contextlib.asynccontextmanager
async def traced(world):
    collector = Collector()
    file = {"amqp": {"listen_address": "127.0.0.1:0"}, "traces": [{"url": collector.url, "service_name": "orders"}]}
    async with world.another(file=file) as own:
        own.amqp = await asyncio.to_thread(amqp_of, own)
        yield own, collector
    collector.shutdown()


def traceparent(flags="01"):
    trace, parent = secrets.token_hex(16), secrets.token_hex(8)
    return f"00-{trace}-{parent}-{flags}", trace, parent


async def send_by_mbws(world, user, address, said):
    peer = await world.peer((user, "a password"))
    await peer.publish(address, body="x", properties=[("traceparent", said)])
    await peer.settled()


async def send_by_amqp(world, user, address, said):
    def send():
        connection = connected(world, user)
        connection.create_sender(address).send(Message(body="x", properties={"traceparent": said}))
        connection.close()
    await asyncio.to_thread(send)


async def send_by_xmpp(world, user, address, said):
    def send():
        stream = stream_of(world, user, "a password")
        header = f"<headers xmlns='{SHIM}'><header name='traceparent'>{said}</header></headers>"
        stream.say(f"<message xmlns='jabber:client' to='{address}@mq.localhost' id='m'><body>x</body>{header}</message>")
        until_answered(stream)
        stream.socket.close()
    await asyncio.to_thread(send)


def until_answered(stream):
    stream.say("<iq xmlns='jabber:client' type='get' id='after' to='localhost'>"
               "<query xmlns='http://jabber.org/protocol/disco#info'/></iq>")
    heard = []
    while not heard or "after" not in heard[-1]:
        heard.append(stream.hear())
    return heard


async def receive_by_mbws(world, user, address):
    peer = await world.peer((user, "a password"), address)
    [delivery] = await peer.take(1)
    await peer.acknowledge(delivery.seq)
    return delivery.message.property("traceparent")


async def receive_by_amqp(world, user, address):
    def receive():
        connection = connected(world, user)
        receiver = connection.create_receiver(address, credit=1)
        message = receiver.receive(timeout=20)
        receiver.accept()
        connection.close()
        return message.properties["traceparent"]
    return await asyncio.to_thread(receive)


async def receive_by_xmpp(world, user, address):
    def receive():
        stream = stream_of(world, user, "a password")
        stream.say(f"<presence xmlns='jabber:client' to='{address}@mq.localhost'/>")
        heard = ""
        while "traceparent" not in heard:
            heard = stream.hear()
        value = heard.split("traceparent")[1].split(">")[1].split("<")[0]
        until_answered(stream)
        stream.socket.close()
        return value
    return await asyncio.to_thread(receive)


@case
async def every_protocol_hands_a_trace_on(world):
    everything = {"pattern": "**", "send": True, "receive": True, "manage": True}
    async with traced(world) as (own, collector):
        user, _ = own.user(everything)
        role = type("Role", (), {"user": user})
        for send in (send_by_mbws, send_by_amqp, send_by_xmpp):
            for receive in (receive_by_mbws, receive_by_amqp, receive_by_xmpp):
                as_amqp = [role if "amqp" in way.__name__ else user for way in (send, receive)]
                address = own.name("traced")
                own.api.put(path("addresses", address), {})
                said, trace, parent = traceparent()
                began = time.time_ns()
                await send(own, as_amqp[0], address, said)
                assert await receive(own, as_amqp[1], address) == said, (send, receive)
                both = await own.eventually(lambda: len(collector.of(trace)) == 2 and collector.of(trace), (send, receive))
                check(both, parent, address, send, receive, began)
        assert collector.resources[0]["service.name"] == "orders"


def check(spans, parent, address, send, receive, began):
    for name, way, outcome in (("store", send, "stored"), ("deliver", receive, "accepted")):
        span, attributes = spans[name], plain(spans[name].attributes)
        assert span.parent_span_id.hex() == parent and span.kind == Span.SPAN_KIND_SERVER
        assert span.name == f"{name} {address}" and span.status.code == Status.STATUS_CODE_UNSET
        assert began <= span.start_time_unix_nano <= span.end_time_unix_nano <= time.time_ns()
        protocol = attributes["network.protocol.name"]
        assert protocol == way.__name__.split("_")[-1], (way, protocol)
        assert attributes["messaging.destination.name"] == address and attributes["wharf.outcome"] == outcome, attributes


@case
async def what_nobody_records_is_not_told(world):
    async with traced(world) as (own, collector):
        address = own.queue()
        peer = await own.peer()
        for said in (traceparent("00")[0], "", "nonsense", traceparent()[0].upper()):
            await peer.publish(address, body="x", properties=[("traceparent", said)])
        await peer.publish(address, body="traceparent")
        recorded, trace, _ = traceparent()
        await peer.publish(address, body="x", properties=[("traceparent", recorded)])
        await peer.settled()
        await own.eventually(lambda: collector.of(trace), "the one that is recorded")
        assert len(collector.spans) == 1, collector.spans


@case
async def a_collector_that_does_not_answer_holds_nobody_up(world):
    async with traced(world) as (own, collector):
        collector.refuses = True
        address, peer = own.queue(), await own.peer()
        for _ in range(3):
            await peer.publish(address, body="x", properties=[("traceparent", traceparent()[0])])
        await peer.settled()
        def dropped():
            with urllib.request.urlopen(f"http://{own.address}/metrics") as page:
                return b"\nwharf_traces_dropped_total 3\n" in page.read()
        await own.eventually(dropped, "three are counted")
        collector.refuses = False
        said, trace, _ = traceparent()
        await peer.publish(address, body="x", properties=[("traceparent", said)])
        await own.eventually(lambda: collector.of(trace), "the collector is back")
        assert "traces-dropped" in own.broker.log()
