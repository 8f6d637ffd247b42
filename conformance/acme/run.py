"""Certificates over ACME from a local authority (Pebble): the first one, after a restart, renewed in
time, refused, and the certificate of another name never."""

import contextlib
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

PROGRAMS, BROKER = Path(sys.argv[1]), sys.argv[2]
NAME = "broker.wharf.test"
WAIT_S = 60


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def until(what, attempt):
    end = time.monotonic() + WAIT_S
    while True:
        with contextlib.suppress(OSError, AssertionError):
            return attempt()
        assert time.monotonic() < end, f"not in {WAIT_S} s: {what}"
        time.sleep(0.1)


def signed(certificate, key, subject, *more):
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", subject]
    subprocess.run([*command, "-keyout", key, "-out", certificate, *more], check=True, capture_output=True)


class Authority:
    """Pebble, its name server, and the certificate of its own API."""

    def __init__(self, folder, tls_port, lifetime_s):
        self.folder, self.processes = folder, []
        self.api, self.management, self.dns, self.dns_api = (free_port() for _ in range(4))
        self.ca, ca_key = folder / "ca.pem", folder / "ca.key"
        own, key = folder / "api.pem", folder / "api.key"
        signed(self.ca, ca_key, "/CN=An authority's authority")
        signed(own, key, "/CN=localhost", "-CA", self.ca, "-CAkey", ca_key, "-addext", "subjectAltName=DNS:localhost",
               "-addext", "basicConstraints=critical,CA:FALSE")
        settings = {
            "listenAddress": f"127.0.0.1:{self.api}",
            "managementListenAddress": f"127.0.0.1:{self.management}",
            "certificate": str(own),
            "privateKey": str(key),
            "httpPort": 1,
            "tlsPort": tls_port,
            "ocspResponderURL": "",
            "domainBlocklist": ["blocked-domain.example"],
            "externalAccountBindingRequired": False,
            "profiles": {"default": {"description": "short", "validityPeriod": lifetime_s}},
        }
        (folder / "pebble.json").write_text(json.dumps({"pebble": settings}))

    def start(self):
        def run(program, arguments, **environment):
            log = open(self.folder / f"{program}.log", "w")
            command = [PROGRAMS / program, *arguments]
            environment = {**os.environ, **environment}
            self.processes.append(subprocess.Popen(command, stdout=log, stderr=log, env=environment))

        dns = f"127.0.0.1:{self.dns}"
        off = ["-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", ""]
        run("pebble-challtestsrv", ["-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-dns01", dns]
            + ["-management", f"127.0.0.1:{self.dns_api}", *off])
        run("pebble", ["-config", self.folder / "pebble.json", "-dnsserver", dns], PEBBLE_VA_NOSLEEP="1")
        self.context = ssl.create_default_context(cafile=self.ca)
        until("the authority answers", lambda: self.get(self.api, "/dir"))

    def get(self, port, path):
        url = f"https://localhost:{port}{path}"
        return urllib.request.urlopen(url, context=self.context, timeout=5).read()

    def root(self):
        """The certificate that it signs with: made anew at each start."""
        path = self.folder / "root.pem"
        path.write_bytes(self.get(self.management, "/roots/0"))
        return path

    def stop(self):
        for process in self.processes:
            process.terminate()
            process.wait()
        self.processes = []


class Broker:
    def __init__(self, folder, port, authority, name=NAME, agreed="true"):
        self.port, self.log = port, folder / "broker.log"
        self.data = folder / "data"
        self.config = folder / "wharf.toml"
        self.config.write_text(
            f'[listen]\naddress = "127.0.0.1:{port}"\n[data]\ndirectory = "{self.data}"\n'
            f'[[acme]]\ndomains = ["{name}"]\nterms_of_service_agreed = {agreed}\ncontact = "ops@wharf.test"\n'
            f'directory_url = "https://localhost:{authority.api}/dir"\nca_file = "{authority.ca}"\n'
        )

    def start(self):
        with open(self.log, "a") as log:
            command = [BROKER, "serve", "--config", self.config]
            self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log)
        until("the broker answers", self.seen)

    def stop(self):
        self.process.terminate()
        assert self.process.wait(WAIT_S) == 0

    def events(self):
        return re.findall(r'"event":"([a-z-]+)"', self.log.read_text())

    def seen(self):
        """The certificate that a stranger is shown, unverified."""
        context = ssl._create_unverified_context()
        with socket.create_connection(("127.0.0.1", self.port), 5) as raw:
            with context.wrap_socket(raw, server_hostname=NAME) as tls:
                return tls.getpeercert(binary_form=True)

    def verified(self, root):
        """A request by somebody who trusts the authority alone."""
        context = ssl.create_default_context(cafile=root)
        with socket.create_connection(("127.0.0.1", self.port), 5) as raw:
            with context.wrap_socket(raw, server_hostname=NAME) as tls:
                tls.sendall(f"GET /livez HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n".encode())
                assert tls.recv(4096).startswith(b"HTTP/1.1 200")
                return tls.getpeercert(binary_form=True)


@contextlib.contextmanager
def world(lifetime_s, **of_broker):
    with tempfile.TemporaryDirectory() as folder:
        folder, port = Path(folder), free_port()
        authority = Authority(folder, port, lifetime_s)
        broker = Broker(folder, port, authority, **of_broker)
        authority.start()
        try:
            yield authority, broker
        except BaseException:
            if broker.log.exists():
                print(broker.log.read_text()[-3000:], (folder / "pebble.log").read_text()[-2000:])
            raise
        finally:
            authority.stop()


def issued_and_kept():
    with world(90 * 86400) as (authority, broker):
        broker.start()
        first = until("a certificate", lambda: broker.verified(authority.root()))
        kept = broker.data / "acme"
        assert {file.name: file.stat().st_mode & 0o777 for file in kept.iterdir()} == {
            "account.json": 0o600, "certificate.pem": 0o600}
        broker.stop()
        broker.start()
        assert broker.verified(authority.root()) == first, "another certificate after a restart"
        broker.stop()
        assert broker.events().count("certificate-issued") == 1


def renewed_in_time():
    # A third of it is 4 s.
    with world(12) as (authority, broker):
        broker.start()
        root = until("a root", authority.root)
        first = until("a certificate", lambda: broker.verified(root))
        open_one = socket.create_connection(("127.0.0.1", broker.port), 5)

        def another():
            second = broker.verified(root)
            assert second != first
        until("another certificate", another)
        open_one.close()
        broker.stop()


def a_refusal_leaves_the_broker_running():
    # The authority does not sign this name.
    with world(3600, name="blocked-domain.example") as (_, broker):
        broker.start()

        def refused():
            assert "certificate-not-issued" in broker.events()
        until("a refusal in the log", refused)
        broker.seen()
        broker.stop()


def terms_are_agreed_to_by_somebody():
    with world(3600, agreed="false") as (_, broker):
        command = [BROKER, "check", "--config", broker.config]
        checked = subprocess.run(command, capture_output=True, text=True)
        assert checked.returncode == 78 and "acme[].terms_of_service_agreed" in checked.stderr, checked


def a_proof_is_shown_to_nobody_else():
    """Who asks for the protocol of proofs without one being wanted gets no certificate at all."""
    with world(90 * 86400) as (authority, broker):
        broker.start()
        until("a certificate", lambda: broker.verified(authority.root()))
        context = ssl._create_unverified_context()
        context.set_alpn_protocols(["acme-tls/1"])
        with socket.create_connection(("127.0.0.1", broker.port), 5) as raw:
            try:
                context.wrap_socket(raw, server_hostname=NAME)
            except (ssl.SSLError, OSError):
                pass
            else:
                raise AssertionError("a certificate for a proof that nobody wants")
        broker.stop()


for case in (issued_and_kept, renewed_in_time, a_refusal_leaves_the_broker_running,
             terms_are_agreed_to_by_somebody, a_proof_is_shown_to_nobody_else):
    began = time.monotonic()
    case()
    print(f"{case.__name__}: ok ({time.monotonic() - began:.1f} s)", flush=True)
