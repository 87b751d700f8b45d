"""Rounds until the time or their number is up; exit code 1 where something does not hold."""

from __future__ import annotations

import argparse
import logging
import random
import sys
import time
from collections import Counter

from tests.torture import rounds
from tests.torture.server import CrashingServer


def main() -> int:
    """Say the seeds, what was tried, and what does not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="begin no round after so many (default: 60)")
    parser.add_argument("--rounds", type=int, help="so many rounds, whatever they take")
    parser.add_argument("--seed", type=int, help="of the first round; each further one has the next number (default: by chance)")
    options = parser.parse_args()
    logging.getLogger("omega_bridge").setLevel(logging.CRITICAL)
    seed = options.seed if options.seed is not None else random.randrange(10**6)
    tried: Counter[str] = Counter()
    wrong: list[str] = []
    started = time.monotonic()
    with CrashingServer() as server:
        loop = rounds.by_the_loop(server)
        print(f"PostgreSQL {server.version}, seeds from {seed}", flush=True)
        while tried["rounds"] < (options.rounds or sys.maxsize):
            if options.rounds is None and time.monotonic() - started > options.seconds:
                break
            counted, found = rounds.run(server, loop, seed + tried["rounds"])
            tried += counted
            wrong += found
            for line in found:
                print(line, flush=True)
    print(", ".join(f"{name} {number}" for name, number in tried.items()))
    print(f"{len(wrong)} violations, in {time.monotonic() - started:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
