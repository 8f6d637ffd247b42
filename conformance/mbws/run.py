#!/usr/bin/env python3
"""Black-box conformance of an MBWS broker.

    run.py --serve BINARY                                  starts, kills and stops a broker of its own
    run.py --url ws://HOST:PORT/ws --user U --password P   any broker; cases that kill it are left out

Every case must pass but those in expected.json, which gives a reason for each. The last line is `N passed, N failed`.
"""

import argparse
import asyncio
import fnmatch
import json
import sys
import time
from pathlib import Path

import cases_chaos  # noqa: F401
import cases_connect  # noqa: F401
import cases_consuming  # noqa: F401
import cases_crash  # noqa: F401
import cases_light  # noqa: F401
import cases_malformed  # noqa: F401
import cases_metadata  # noqa: F401
import cases_recovery  # noqa: F401
import cases_settings  # noqa: F401
from broker import Broker
from suite import CASES, World, run_case

ORIGINS = ["http://one.example", "http://two.example"]
USERS = [("conformance", "a password"), ("stranger", "another password")]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="the WebSocket of a running broker")
    parser.add_argument("--user", help="login name")
    parser.add_argument("--password")
    parser.add_argument("--other-user", metavar="NAME:PASSWORD", help="a second user, who must not recover what is the first's")
    parser.add_argument("--origins", nargs=2, default=ORIGINS, help="two origins that the broker lets in")
    parser.add_argument("--serve", metavar="BINARY", help="the broker's program, to be started here")
    parser.add_argument("--only", metavar="PATTERN", default="*", help="cases by name, such as 'recovery/*'")
    parser.add_argument("--slow", action="store_true", help="also print cases that take more than a second")
    parser.add_argument("--ids", action="store_true", help="print which cases hold which requirement, and stop")
    given = parser.parse_args()
    if not given.ids and bool(given.url) == bool(given.serve):
        parser.error("either --url or --serve")
    return given


def users(given):
    if not given.user:
        return list(USERS)
    found = [(given.user, given.password or "")]
    return found + ([tuple(given.other_user.split(":", 1))] if given.other_user else [])


def print_ids():
    held = {}
    for case in CASES:
        for requirement in case.requirements:
            held.setdefault(requirement, set()).add(case.name.rsplit("/", 1)[0])
    for requirement in sorted(held):
        print(f"{requirement}: {', '.join(sorted(held[requirement])[:6])}")


async def run(world, pattern, expected, slow=False):
    passed, failed, skipped = 0, [], 0
    for case in CASES:
        if not fnmatch.fnmatch(case.name, pattern):
            continue
        if not all(world.has(need) for need in case.needs):
            skipped += 1
            continue
        begun = time.monotonic()
        reason = await run_case(world, case)
        if slow and time.monotonic() - begun > 1:
            print(f"{time.monotonic() - begun:5.1f} s {case.name}", flush=True)
        wanted = expected.get(case.name)
        if world.broker and not world.broker.is_alive():
            reason = f"{reason or ''} [the broker has ended]"
            world.broker.start()
        if (reason is None) == (wanted is None):
            passed += 1
        else:
            failed.append(case.name)
            why = reason or f"passed, though it is expected to fail: {wanted}"
            print(f"FAILED {case.name} ({time.monotonic() - begun:.1f} s; {' '.join(case.requirements)})\n    {why}", flush=True)
    if skipped:
        print(f"{skipped} left out: they need --serve or a second user")
    return passed, len(failed)


def main():
    given = arguments()
    if given.ids:
        print_ids()
        return 0
    expected = json.loads(Path(__file__).with_name("expected.json").read_text())["exceptions"]
    broker = None
    if given.serve:
        origins = f"websocket.origins={json.dumps(given.origins)}"
        broker = Broker(given.serve, users(given), [origins])
    try:
        url = broker.start() if broker else given.url
        world = World(url, users(given), given.origins, broker)
        passed, failed = asyncio.run(run(world, given.only, expected, given.slow))
    finally:
        if broker:
            broker.stop()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
