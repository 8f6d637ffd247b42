#!/usr/bin/env python3
"""XMPP clients of others against a broker.

    run.py --serve BINARY [quick] [--clients strophe,stanza] [--only CASE,CASE] [--screenshots FOLDER]

Starts brokers of its own, without and with TLS, cuts their clients' connections and kills them. Every client says `ok`
or `FAIL` of every case; expected.json names what a client cannot. The last line is `N passed, N failed`.
"""

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "mbws"), str(HERE.parent / "amqp")]
from broker import Broker  # noqa: E402
from harness import Control, Wire  # noqa: E402

HOST, PASSWORD = "localhost", "a password"
USERS = [(name, PASSWORD) for name in ("alice", "bob", "carol")]
CLIENTS = ["strophe", "xmppjs", "stanza"]
CASES = "login wrong-password ping roster presence chat offline carbons archive cut kill".split()
CLIENT_MAX_S = 600
MESSAGES = {"full": 600, "quick": 200}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("size", nargs="?", choices=MESSAGES, default="full")
    parser.add_argument("--serve", metavar="BINARY", required=True, help="the broker's program")
    parser.add_argument("--clients", help="some of them, with commas")
    parser.add_argument("--only", metavar="CASES", default="", help="some cases, with commas")
    parser.add_argument("--screenshots", metavar="FOLDER", help="where the pages of converse.js are pictured")
    return parser.parse_args()


def certificate(folder):
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    files = f"{folder}/certificate.pem", f"{folder}/key.pem"
    subprocess.run([*command, "-out", files[0], "-keyout", files[1]], check=True, capture_output=True)
    return files


class Place:
    """A broker under one URL, with a wire before it that can be cut."""

    def __init__(self, broker, ca):
        self.broker = broker
        self.url = broker.start()
        scheme, rest = self.url.split("://", 1)
        self.scheme, self.ca = scheme, ca
        address = rest.split("/")[0].rsplit(":", 1)
        self.wire = Wire(address[0], int(address[1]))
        self.control = Control(self.wire, broker)
        self.proxy = f"{scheme}://127.0.0.1:{self.wire.port}/ws"


@contextlib.contextmanager
def served(binary):
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="wharf-xmpp-"))
        chain, key = certificate(folder)
        settings = ['websocket.origins=["*"]']
        plain = Broker(binary, USERS, settings)
        secure = Broker(binary, USERS, settings, ["--tls-cert", chain, "--tls-key", key])
        places = []
        for broker in (plain, secure):
            stack.callback(broker.stop)
            places.append(Place(broker, chain))
        yield places


def ask(command, environment, log):
    """Runs a client to its end; says what it printed, case by case."""
    with log.open("w") as errors:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, start_new_session=True, env=environment
        )
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
        if verdict in ("ok", "FAIL"):
            found[name] = (verdict, reason)
    return found


def main():
    given = arguments()
    expected = json.loads((HERE / "expected.json").read_text())
    subprocess.run([HERE / "setup.sh"], stdout=sys.stderr, check=True)
    # @xmpp/client takes minutes: each of its logins costs seconds of processor time.
    default = [name for name in CLIENTS if given.size == "full" or name != "xmppjs"]
    names = given.clients.split(",") if given.clients else [*default, "converse"]
    wanted = given.only.split(",") if given.only else []
    logs = HERE.parent.parent / "target/conformance-xmpp"
    logs.mkdir(parents=True, exist_ok=True)
    passed = failed = 0
    with served(given.serve) as places:
        for name in names:
            for place in places:
                begun = time.monotonic()
                flags = ["--url", place.url, "--proxy", place.proxy, "--control", place.control.url]
                flags += ["--host", HOST, "--password", PASSWORD]
                environment = {**os.environ, "NODE_EXTRA_CA_CERTS": place.ca, "NODE_NO_WARNINGS": "1"}
                if name == "converse":
                    if place.scheme != "ws" and given.size == "quick":
                        continue
                    shots = ["--screenshots", given.screenshots] if given.screenshots else []
                    command, cases = ["node", HERE / "converse/client.mjs", *flags, *shots], ["converse"]
                else:
                    command = ["node", HERE / "client.mjs", name, *flags, "--messages", str(MESSAGES[given.size]), *wanted]
                    cases = wanted or CASES
                if not place.broker.is_alive():
                    place.broker.start()
                found = ask(command, environment, logs / f"{name}-{place.scheme}.log")
                for case in cases:
                    verdict, reason = found.get(case, ("FAIL", "it said nothing of this case"))
                    excuse = expected.get(name, {}).get(case)
                    good = (verdict == "ok") != bool(excuse)
                    passed, failed = passed + good, failed + (not good)
                    if not good:
                        why = f"passed, though it is expected not to: {excuse}" if excuse else reason
                        print(f"FAILED {name} {place.scheme} {case}\n    {why}", flush=True)
                print(f"{name} {place.scheme}: {len(cases)} cases ({time.monotonic() - begun:.0f} s)", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
