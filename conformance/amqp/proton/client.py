#!/usr/bin/env python3
"""AMQP by Qpid Proton's Python binding, over TCP. Usage: README.md one folder up."""

import argparse
import os
import sys

import recovery  # noqa: F401
import typed  # noqa: F401
from cases import CASES
from peer import Skip, World


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("url", "user", "password", "proxy", "control", "ca", "dead-letter", "limited", "limited-address"):
        parser.add_argument(f"--{name}", default="")
    parser.add_argument("--queues", default="conformance/proton/")
    parser.add_argument("--topics", default="topic/conformance/proton/")
    parser.add_argument("--run", default=str(os.getpid()))
    parser.add_argument("--messages", type=int, default=1000)
    parser.add_argument("--large", type=int, default=64 << 20)
    parser.add_argument("--anonymous", action="store_true")
    parser.add_argument("--killable", action="store_true")
    parser.add_argument("case", nargs="?", default="all")
    return parser.parse_args()


def main():
    given = arguments()
    failed = False
    for name in CASES if given.case == "all" else [given.case]:
        world = World(given, name)
        try:
            CASES[name](world)
            print(f"ok {name}", flush=True)
        except Skip as reason:
            print(f"skip {name} {reason}", flush=True)
        except Exception as error:
            failed = True
            print(f"FAIL {name} {type(error).__name__}: {' '.join(str(error).split())}"[:600], flush=True)
        finally:
            world.end()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
