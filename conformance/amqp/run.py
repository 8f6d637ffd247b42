#!/usr/bin/env python3
"""AMQP 1.0 clients of others against a broker.

    run.py --serve BINARY [quick]                                   starts, kills and stops brokers of its own
    run.py --url amqp://HOST:PORT --url ws://HOST:PORT/ws --user U --password P      any broker; it is not killed

Every client says `ok`, `FAIL` or `skip` of every case. expected.json names what a client cannot express. The last line
is `N passed, N failed, N skipped`.
"""

import argparse
import contextlib
import json
import os
import secrets
import shlex
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

from harness import Control, Wire

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "mbws"))
from broker import Broker, lasting_port  # noqa: E402

CASES = """connect wrong-password scram anonymous thousand accepted released rejected modified-failed modified-undeliverable
presettled-send presettled-receive settle-second credit drain browse topic topic-durable dynamic-node anonymous-terminus
large-1mib large body-types property-types forbidden heartbeat cut kill""".split()
# What one client alone can show: that it follows to where a host is served.
MORE_CASES = {"jms": ["redirect"]}
CLIENT_MAX_S = 180
SIZES = {"full": (1000, 64 << 20), "quick": (200, 4 << 20)}
# In ASCII: rhea cuts others short.
LOGIN, LIMITED = ("conformance", "a password: x"), ("limited", "a secret")
# The limited user may use what is below this address.
LIMITED_ADDRESS = "conformance-open"
CONFIGURATION = """
[[users]]
name = "limited"
password_verifier = "{verifier}"
permissions = [{{ pattern = "{address}/**", send = true, receive = true, manage = true }}]

[[locations]]
host = "{elsewhere}"
url = "{url}"
"""
# The host that another broker serves.
ELSEWHERE = "elsewhere.example"


def clients(folder):
    """Each client's command, and the schemes of the transports that it has."""
    java = ["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", f"{folder}/jms/classes:{folder}/jms/lib/*"]
    return {
        "rhea": (["node", str(HERE / "rhea/client.mjs")], ("ws", "wss", "amqp")),
        "browser": (["node", str(HERE / "page/client.mjs"), "--page", f"{folder}/page"], ("ws",)),
        "fe2o3": ([f"{folder}/fe2o3/release/fe2o3-client"], ("ws", "amqp")),
        "proton": ([f"{folder}/proton/bin/python3", str(HERE / "proton/client.py")], ("amqp",)),
        "jms": ([*java, "client.Main"], ("ws", "amqp")),
        "go": ([f"{folder}/go/client"], ("ws", "amqp")),
    }


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("size", nargs="?", choices=SIZES, default="full")
    parser.add_argument("--serve", metavar="BINARY", help="the broker's program, to be started here")
    parser.add_argument("--url", action="append", default=[], help="a URL of a running broker: ws, wss or amqp")
    parser.add_argument("--user")
    parser.add_argument("--password")
    parser.add_argument("--ca", help="PEM file that the broker's certificate is checked with")
    parser.add_argument("--clients", help="some of them, with commas")
    parser.add_argument("--only", metavar="CASE", default="all")
    parser.add_argument("--screenshots", metavar="FOLDER", help="where the browser's page is pictured")
    parser.add_argument("--verbose", action="store_true", help="also print what passes and what is skipped")
    parser.add_argument("--also", metavar="FLAGS", default="", help="more flags for every client, such as '--queues /queue/'")
    given = parser.parse_args()
    if bool(given.url) == bool(given.serve):
        parser.error("either --url or --serve")
    return given


class Place:
    """A broker under one URL, with a wire before it that can be cut."""

    def __init__(self, url, broker=None):
        parts = urllib.parse.urlsplit(url)
        self.url, self.scheme, self.broker = url, parts.scheme, broker
        self.wire = Wire(parts.hostname, parts.port)
        self.control = Control(self.wire, broker)
        self.proxy = parts._replace(netloc=f"127.0.0.1:{self.wire.port}").geturl()

    def flags(self):
        return ["--url", self.url, "--proxy", self.proxy, "--control", self.control.url] + (["--killable"] if self.broker else [])


def certificate(folder):
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = f"{folder}/certificate.pem", f"{folder}/key.pem"
    subprocess.run([*command, "-out", files[0], "-keyout", files[1]], check=True, capture_output=True)
    return files


@contextlib.contextmanager
def served(binary, large):
    """Brokers of our own, without and with TLS: their places, and what the clients are told about them."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="wharf-amqp-"))
        chain, key = certificate(folder)
        configuration = Path(folder, "wharf.toml")
        tcp = lasting_port()
        # AMQP messages may be as large as those of WebSockets.
        settings = [f"auth.anonymous_user={LOGIN[0]}", f"websocket.message_size_max_bytes={large + 65_536}"]
        flags = ["--config", str(configuration)]
        # The page of the browser comes from a port of its own.
        open_ = ['websocket.origins=["*"]', f"amqp.listen_address=127.0.0.1:{tcp}"]
        plain = Broker(binary, [LOGIN], [*settings, *open_], flags)
        secure = Broker(binary, [LOGIN], settings, [*flags, "--tls-cert", chain, "--tls-key", key])
        other = Broker(binary, [LOGIN])
        stack.callback(other.stop)
        url = other.start()
        told = {"verifier": plain.verifier(LIMITED[1]), "address": LIMITED_ADDRESS, "elsewhere": ELSEWHERE, "url": url}
        configuration.write_text(CONFIGURATION.format(**told))
        places = []
        for broker in (plain, secure):
            stack.callback(broker.stop)
            places.append(Place(broker.start(), broker))
        places.append(Place(f"amqp://127.0.0.1:{tcp}", plain))
        told = ["--user", LOGIN[0], "--password", LOGIN[1], "--ca", chain, "--anonymous"]
        told += ["--dead-letter", "wharf/dead-letter"]
        told += ["--limited", ":".join(LIMITED), "--limited-address", LIMITED_ADDRESS]
        yield places, told, ["--elsewhere", ELSEWHERE, "--elsewhere-url", url]


@contextlib.contextmanager
def running(given):
    told = ["--user", given.user or "", "--password", given.password or ""] + (["--ca", given.ca] if given.ca else [])
    yield [Place(url) for url in given.url], told, []


def ask(command, log):
    """Runs a client to its end; says what it printed, case by case."""
    with log.open("w") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, start_new_session=True)
        try:
            output, _ = process.communicate(timeout=CLIENT_MAX_S)
        except subprocess.TimeoutExpired:
            # The group that was made for it: a browser has children.
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
    found = {}
    for line in output.splitlines():
        verdict, _, rest = line.partition(" ")
        name, _, reason = rest.partition(" ")
        if verdict in ("ok", "FAIL", "skip"):
            found[name] = (verdict, reason)
    return found


def judge(verdict, reason, expected):
    """What is wrong with this answer, or None."""
    wanted = expected["skips"], expected["failures"]
    if verdict == "FAIL":
        return None if wanted[1] else reason
    if verdict == "skip":
        return None if wanted[0] else f"skipped, though nothing says that the client cannot: {reason}"
    if any(wanted):
        return f"passed, though it is expected not to: {wanted[0] or wanted[1]}"
    return None


def main():
    given = arguments()
    expected = json.loads((HERE / "expected.json").read_text())
    messages, large = SIZES[given.size]
    default = ["rhea", "fe2o3", "proton", "jms", "go"] + (["browser"] if given.size == "full" else [])
    names = given.clients.split(",") if given.clients else default
    folder = subprocess.run([HERE / "setup.sh", *names], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    logs = Path(folder, "log")
    logs.mkdir(exist_ok=True)
    counts = {"ok": 0, "FAIL": 0, "skip": 0}
    run = secrets.token_hex(3)
    with served(given.serve, large) if given.serve else running(given) as (places, told, elsewhere):
        told += ["--messages", str(messages), "--large", str(large), "--run", run]
        for name in names:
            command, schemes = clients(folder)[name]
            for place in (place for place in places if place.scheme in schemes):
                prefix = f"{name}-{place.scheme}-{run}/"
                flags = [*place.flags(), *told, "--queues", f"conformance/{prefix}", "--topics", f"topic/conformance/{prefix}"]
                flags += elsewhere if name in MORE_CASES else []
                if name == "browser" and given.screenshots:
                    flags += ["--screenshots", given.screenshots]
                begun = time.monotonic()
                found = ask([*command, *flags, *shlex.split(given.also), given.only], logs / f"{name}-{place.scheme}.log")
                report(name, place, found, expected, counts, given, time.monotonic() - begun)
    print(f"{counts['ok']} passed, {counts['FAIL']} failed, {counts['skip']} skipped")
    return 1 if counts["FAIL"] else 0


def report(name, place, found, expected, counts, given, seconds):
    own = dict.fromkeys(counts, 0)
    for case in [*CASES, *MORE_CASES.get(name, [])] if given.only == "all" else [given.only]:
        verdict, reason = found.get(case, ("FAIL", "it said nothing of this case"))
        listed = {kind: expected[kind].get(name, {}).get(case) for kind in ("skips", "failures")}
        # A broker that is only given by its URL cannot be asked everything.
        wrong = judge(verdict, reason, listed) if given.serve or verdict == "FAIL" else None
        if given.serve and place.broker and not place.broker.is_alive():
            wrong = f"{wrong or ''} [the broker has ended]"
            place.broker.start()
        counted = "FAIL" if wrong else "skip" if verdict == "FAIL" else verdict
        own[counted] += 1
        if wrong:
            print(f"FAILED {name} {place.scheme} {case}\n    {wrong}", flush=True)
        elif given.verbose:
            print(f"{verdict} {name} {place.scheme} {case} {reason}", flush=True)
    print(f"{name} {place.scheme}: {own['ok']} ok, {own['FAIL']} failed, {own['skip']} skipped ({seconds:.0f} s)", flush=True)
    for key, value in own.items():
        counts[key] += value


if __name__ == "__main__":
    sys.exit(main())
