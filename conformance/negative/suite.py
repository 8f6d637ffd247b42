"""The cases, the brokers they are shown to, and the bound on memory that each is held to."""

import itertools
import secrets
import traceback
from pathlib import Path

from raw import PING, PONG, TEXT, Raw, basic, fields, frame

USER = ("negative", "a password")
# What a case may add to the process at its peak: two password checks at 19 MiB, and room for one message of the
# largest size in its assembled and its inflated form.
PEAK_MAX_MIB = 96
CASES = []


def case(requirements="", *, rows=((),), broker="patient", peak_mib=PEAK_MAX_MIB):
    """Registers a case, once for every row; the first column is its label."""

    def register(function):
        for row in rows:
            module = function.__module__.removeprefix("cases_")
            name = "/".join([module, function.__name__, *map(str, row[:1])])
            CASES.append((name, function, requirements.split(), tuple(row[1:]), broker, peak_mib))
        return function

    return register


class World:
    """One broker, and what a case needs to talk to it."""

    def __init__(self, broker):
        self.broker = broker
        host, _, port = broker.listen.rpartition(":")
        self.host, self.to = broker.listen, (host, int(port))
        self.authorization = basic(*USER)
        self.is_filled, self.before = False, 0
        self.sockets, self.numbers, self.run = [], itertools.count(), secrets.token_hex(4)

    def address(self):
        return f"negative/{self.run}/{next(self.numbers)}"

    def socket(self, **options):
        raw = Raw(self.to, **options)
        self.sockets.append(raw)
        return raw

    def fields(self, *more, **options):
        return fields(self.authorization, self.host, **options) + list(more)

    def websocket(self, *more, target="/ws", protocol="MBWS.huawei.com", **options):
        raw = self.socket(**options)
        raw.upgrade(self.fields(*more, protocol=protocol), target)
        return raw

    def compressed(self):
        """A WebSocket with permessage-deflate."""
        raw = self.socket()
        found = raw.upgrade(self.fields(("Sec-WebSocket-Extensions", "permessage-deflate")))
        assert "permessage-deflate" in found.get("sec-websocket-extensions", ""), found
        raw.connect()
        return raw

    def connected(self, *more, **options):
        raw = self.websocket(*more, **options)
        raw.connect()
        return raw

    def consumer(self, address, credit=None, **options):
        query = f"?address={address}" + (f"&credit={credit}" if credit else "")
        return self.connected(target="/ws" + query, **options)

    def still_serves(self):
        """A ping, a message and its acknowledgement on a fresh connection."""
        raw = self.connected()
        raw.send(frame(PING, b"alive?"))
        assert raw.until(PONG) == b"alive?"
        raw.send(frame(TEXT, b"3 1 5 alive0 0 "))
        assert raw.until(TEXT) == b"2 1 "
        raw.send(frame(8, b"\x03\xe8"))
        assert raw.close_code() == 1000
        raw.close()

    def measure(self):
        """From here on the peak of the process counts against what it has now."""
        self.before = self.broker.status("VmRSS")
        Path(f"/proc/{self.broker.process.pid}/clear_refs").write_text("5")

    def end_case(self):
        for raw in self.sockets:
            raw.close()
        self.sockets.clear()


def run_case(world, function, row, peak_mib):
    """Why it failed, or None; and the peak in MiB above where it began."""
    why, peak = None, 0
    world.measure()
    try:
        function(world, *row)
    except Exception as error:
        place = [part for part in traceback.extract_tb(error.__traceback__) if "cases_" in part.filename]
        line = f" (line {place[-1].lineno}: {place[-1].line})" if place else ""
        why = f"{type(error).__name__}: {error}{line}"[:500]
    world.end_case()
    if not world.broker.is_alive():
        return f"the broker has ended: {world.broker.log()[-600:]}; {why}", peak
    peak = (world.broker.status("VmHWM") - world.before) // 1024
    try:
        world.still_serves()
    except Exception as error:
        why = f"{why or ''} [does not serve any more: {type(error).__name__} {error}]"
    world.end_case()
    if peak > peak_mib:
        why = f"{why or ''} [grew by {peak} MiB, {peak_mib} are allowed]"
    return why, peak
