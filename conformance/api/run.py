#!/usr/bin/env python3
"""The management API, from outside.

    run.py --serve BINARY [quick] [EXAMPLES] [--only PATTERN] [--seed N]

The document is valid and the committed one; every operation does what it says; and requests made of the document at
random (EXAMPLES of each operation; quick: 10, else 50) are answered as it says. The last line is `N passed, N failed`.
"""

import argparse
import asyncio
import fnmatch
import json
import random
import sys
import time
from pathlib import Path

import cases_addresses  # noqa: F401
import cases_http  # noqa: F401
import cases_messages  # noqa: F401
import cases_people  # noqa: F401
import cases_permissions  # noqa: F401
import cases_policies  # noqa: F401
import cases_routes  # noqa: F401
import cases_traces  # noqa: F401
from fuzz import fuzz
from world import CASES, HERE, panics, run_case, served


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--serve", metavar="BINARY", required=True)
    parser.add_argument("size", nargs="?", choices=("full", "quick"), default="full")
    parser.add_argument("examples", nargs="?", type=int, help="requests of each operation")
    parser.add_argument("--only", metavar="PATTERN", default="*", help="such as 'users/*'")
    parser.add_argument("--seed", type=int, help="of the random requests; printed in any case")
    parser.add_argument("--slow", action="store_true", help="name what takes a second")
    given = parser.parse_args()
    given.examples = given.examples or {"full": 50, "quick": 10}[given.size]
    given.seed = random.randrange(1 << 31) if given.seed is None else given.seed
    return given


class Tally:
    """What has passed and failed so far, against what is expected."""

    def __init__(self):
        self.passed, self.failed = 0, 0
        self.expected = json.loads((HERE / "expected.json").read_text())["exceptions"]

    def note(self, name, why, begun):
        wanted = self.expected.get(name)
        if (why is None) == (wanted is None):
            self.passed += 1
            return
        self.failed += 1
        why = why or f"passed, though it is expected to fail: {wanted}"
        print(f"FAILED {name} ({time.monotonic() - begun:.1f} s)\n    {why}", flush=True)


async def run_cases(given, tally, chosen):
    done = set()
    async with served(given.serve, done, SETTINGS) as world:
        for name, function in chosen:
            begun = time.monotonic()
            why = await run_case(world, function)
            if not world.broker.is_alive():
                why = f"{why or ''} [the broker has ended]"
                world.broker.start()
            tally.note(name, why, begun)
            if given.slow and time.monotonic() - begun > 1:
                print(f"{time.monotonic() - begun:5.1f} s {name}", flush=True)
        if given.only == "*":
            begun = time.monotonic()
            print(f"random requests: {given.examples} of each operation, seed {given.seed}", flush=True)
            async with served(given.serve, set(), SETTINGS) as own:
                why = await asyncio.to_thread(fuzz, own, given.examples, given.seed)
                tally.note("random requests", why, begun)
                found = panics(own.broker)
                alive = own.broker.is_alive() and not found
                tally.note("the broker is alive", None if alive else str(found)[:600], begun)
        missing = sorted(set(world.document.operations) - done)
        if given.only == "*":
            tally.note("every operation has succeeded", str(missing) if missing else None, 0)
        found = panics(world.broker)
        tally.note("the log is free of panics", str(found)[:600] if found else None, 0)


# Wrong logins are many here, and on purpose.
SETTINGS = ["auth.failures_per_minute_max=1000000"]


def main():
    given = arguments()
    tally = Tally()
    chosen = [each for each in CASES if fnmatch.fnmatch(each[0], given.only)]
    asyncio.run(run_cases(given, tally, chosen))
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
