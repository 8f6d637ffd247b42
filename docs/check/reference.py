#!/usr/bin/env python3
"""Writes what docs/reference has from the program and its sources; with --check says what differs.

What is between these lines is made:

    <!-- made: NAME -->
    <!-- until here -->
"""

import argparse
import re
import shutil
import sys
import tempfile
from pathlib import Path

import sources
from pages import ROOT
from shell import Playground

MADE = re.compile(r"(<!-- made: ([\w-]+) -->\n).*?(<!-- until here -->)", re.S)
# A metric, also as the base of a histogram's names.
METRIC = re.compile(r"`(wharf_[a-z_]+)")


def tables(binary, ground):
    return {
        "amqp-conditions": sources.amqp_conditions,
        "stream-conditions": sources.stream_conditions,
        "stanza-conditions": sources.stanza_conditions,
        "problems": sources.problems,
        "operations": sources.operations,
        "metrics": lambda: sources.metrics("/metrics")(ground),
        "address-metrics": lambda: sources.metrics("/metrics/addresses")(ground),
        "verbs": lambda: sources.verbs(binary),
    }


def close_codes():
    """Codes of WebSockets that the server's code closes with."""
    found = {1001, 1012}  # shutdown.close_code
    for text in [*sources.server_source(), (ROOT / "crates/server/src/node.rs").read_text(),
                 *((ROOT / f"crates/{name}/src/violation.rs").read_text() for name in ("mbws",))]:
        text = text.partition("#[cfg(test)]")[0]
        found |= {int(code) for code in re.findall(
            r"(?:code: |close\(|=> |\b[A-Z_]+: u16 = )([134]\d{3})\b", text)}
    constants = dict(re.findall(r"const (\w+): CloseCode = CloseCode\((\d+)\)",
                                (ROOT / "crates/ws/src/close.rs").read_text()))
    violation = (ROOT / "crates/ws/src/violation.rs").read_text()
    found |= {int(constants[name]) for name in re.findall(r"CloseCode::([A-Z_]+)", violation)}
    return found


def faults_of_codes():
    text = (ROOT / "docs/reference/codes.md").read_text()
    listed = {int(code) for code in re.findall(r"^\| (\d{4}) \|", text, re.M)}
    for code in sorted(close_codes() - listed):
        yield f"docs/reference/codes.md: leaves out {code}"
    for code in sorted(listed - close_codes()):
        yield f"docs/reference/codes.md: no code closes with {code}"


def faults_of_metrics(ground):
    """Pages name no metric that there is not."""
    there = {name for path in ("/metrics", "/metrics/addresses")
             for name, _ in sources.families(ground, path)}
    # Said to servers with TLS alone; the others are the names of crates.
    there |= {"wharf_tls_cert_not_after_seconds", "wharf_next_cursor"}
    there |= {f"wharf_{path.name}" for path in (ROOT / "crates").iterdir()}
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        if "node_modules" in path.parts:
            continue
        for name in set(METRIC.findall(path.read_text())) - there:
            yield f"{path.relative_to(ROOT)}: the broker has no metric {name}"


def faults_of_registered():
    """Families that the broker says only now and then, such as that of its certificate."""
    page = (ROOT / "docs/reference/metrics.md").read_text()
    source = (ROOT / "crates/server/src/metrics.rs").read_text()
    for name in re.findall(r'register\(\s*"(\w+)"', source):
        if f"`wharf_{name}" not in page:
            yield f"docs/reference/metrics.md: leaves out wharf_{name}"


def warm_up(ground):
    """Some traffic, and some that is refused, so that labels have values."""
    class Block:
        text = ("export WHARF_URL=ws://127.0.0.1:8080/ws WHARF_USER=admin WHARF_PASSWORD=...\n"
                "echo x | wharf send q\nwharf receive q -n 1 >/dev/null\n"
                "! WHARF_PASSWORD=wrong wharf status\n"
                "! wharf receive q -n 1 --url ${WHARF_URL%/ws}/nothing\n")
        options, line = {}, 0
    ground.run(Block)


def differences(binary, write):
    folder = Path(tempfile.mkdtemp(prefix="wharf-docs-"))
    try:
        with Playground(folder, binary, set() if shutil.which("node") else {"node"}) as ground:
            warm_up(ground)
            made = tables(binary, ground)
            for path in sorted((ROOT / "docs/reference").glob("*.md")):
                before = path.read_text()
                after = MADE.sub(lambda it: it[1] + "\n".join(made[it[2]]()) + "\n" + it[3], before)
                if after != before and write:
                    path.write_text(after)
                    print(f"written: {path.relative_to(ROOT)}")
                elif after != before:
                    yield f"{path.relative_to(ROOT)}: not as it is made; run docs/check/reference.py"
            yield from faults_of_metrics(ground)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    yield from faults_of_codes()
    yield from faults_of_registered()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True, type=Path)
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    faults = list(differences(given.binary.resolve(), not given.check))
    print("\n".join(faults) if faults else "ok docs/reference")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
