#!/usr/bin/env python3
"""Shows a broker what no client should send, and looks whether it stays correct, small and alive.

    run.py BINARY [--only PATTERN] [--verbose]

Needs Linux (/proc) and nothing but the standard library. The last line is `N passed, N failed`.
"""

import argparse
import fnmatch
import json
import sys
import time
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parent.parent / "mbws"))

import suite  # noqa: E402
import cases_amqp  # noqa: E402, F401
import cases_frames  # noqa: E402, F401
import cases_handshake  # noqa: E402, F401
import cases_peers  # noqa: E402, F401
from broker import Broker  # noqa: E402

SETTINGS = {
    "patient": ["listen.handshake_timeout_ms=2000", "http.idle_timeout_ms=2000"],
    # Deadlines that can be waited for.
    "impatient": [
        "listen.handshake_timeout_ms=1000",
        "http.idle_timeout_ms=3000",
        "websocket.ping_interval_ms=500",
        "websocket.pong_timeout_ms=500",
        "websocket.close_timeout_ms=500",
        "listen.connections_max=40",
        "auth.failures_per_minute_max=5",
    ],
}


def show(given, name, settings):
    """Runs the cases of one broker; how many passed and failed."""
    chosen = [case for case in suite.CASES if case[4] == name and fnmatch.fnmatch(case[0], given.only)]
    if not chosen:
        return 0, 0
    broker = Broker(given.binary, [suite.USER], settings)
    expected = json.loads(Path(__file__).with_name("expected.json").read_text())["exceptions"]
    failed = 0
    try:
        broker.start()
        world = suite.World(broker)
        world.still_serves()
        for case, function, requirements, row, _, peak_mib in chosen:
            begun = time.monotonic()
            why, peak = suite.run_case(world, function, row, peak_mib)
            took = time.monotonic() - begun
            wanted = expected.get(case)
            if (why is None) != (wanted is None):
                failed += 1
                why = why or f"passed, though it is expected to fail: {wanted}"
                print(f"FAILED {case} ({took:.1f} s, +{peak} MiB; {' '.join(requirements)})\n    {why}", flush=True)
            elif given.verbose:
                print(f"{took:6.1f} s  +{peak:3} MiB  {case}", flush=True)
            if not broker.is_alive():
                broker.start()
        print(f"{name} broker: {broker.status('VmRSS') // 1024} MiB at the end")
    finally:
        broker.stop()
    return len(chosen) - failed, failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--only", metavar="PATTERN", default="*", help="cases by name, such as 'frames/*'")
    parser.add_argument("--verbose", action="store_true", help="time and peak of every case")
    given = parser.parse_args()
    results = [show(given, name, settings) for name, settings in SETTINGS.items()]
    passed, failed = (sum(column) for column in zip(*results))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
