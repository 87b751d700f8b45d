"""One replica of a fleet: gets ready, waits for the word, starts, and tells on stdout how that went.

Run by ``benchmarks.measures.fleet``; the word is the end of the pipe whose file descriptor is given. Times are those of
the clock that all processes of a machine share.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from pathlib import Path

from benchmarks.lists import many_steps
from benchmarks.peers import peer_named


def main() -> None:
    """Arguments: peer, folder with its files, URL, length of the list, file descriptor."""
    name, folder, url, size, descriptor = sys.argv[1:]
    logging.disable(logging.CRITICAL)
    peer = peer_named(name)
    peer.take(Path(folder), many_steps(int(size)))
    peer.warm()
    print("ready", flush=True)
    os.read(int(descriptor), 1)
    error = None
    try:
        peer.apply(url)
    except Exception as exc:
        error = f"{type(exc).__name__}: {exc}"[:200]
    told = {
        "ended": time.monotonic(),
        "error": error,
        "refused": getattr(peer, "refused", 0),
        "outcome": getattr(peer, "outcome", ""),
    }
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
