"""``python -m tests.oracle``: lists from seeds, judged by PostgreSQL; what differs is shrunk and written as a case.

python -m tests.oracle --rounds 1000 [--seed N] [--server URL] [--kinds table,column] [--checks boot,upgrade] [--verify-every 5]
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from omega_bridge.embedded import EmbeddedServer, Server, find_server
from tests.oracle.lists.generator import FORMS, Width, generate
from tests.oracle.lists.judge import CHECKS, Finding, Verdict, judge
from tests.oracle.lists.kinds import EVERY, KINDS
from tests.oracle.lists.listed import Listed
from tests.oracle.lists.place import Place
from tests.oracle.lists.shrink import shrink


def main() -> int:
    """Run the rounds; 1 where any list differs."""
    asked = _arguments()
    logging.getLogger("omega_bridge").setLevel(logging.CRITICAL)
    kinds, forms = (frozenset(x.split(",")) if x else None for x in (asked.kinds, asked.forms))
    if kinds == {"every"}:
        kinds = frozenset(EVERY)
    width = Width(kinds or frozenset(KINDS), forms or FORMS, not asked.plain_names, not asked.no_start, not asked.no_damage)
    checks = tuple(asked.checks.split(","))
    asked.out.mkdir(parents=True, exist_ok=True)
    counted: Counter[str] = Counter()
    began = time.monotonic()
    with _server(asked.server) as server:
        place = Place(server, find_server().bin_dir)
        try:
            for number in range(asked.rounds):
                seed = asked.seed + number
                now = tuple(c for c in checks if c != "verify" or (asked.verify_every and number % asked.verify_every == 0))
                verdict = judge(place, generate(seed, width), now, dump=number % asked.dump_every == 0)
                counted["rounds"] += 1
                counted["unsettled"] += not verdict.settled.settles
                counted["apart"] += verdict.apart
                counted["differ"] += bool(verdict.findings)
                counted.update({f.check for f in verdict.findings})
                if verdict.findings:
                    _tell(place, verdict, seed, asked)
                if number % 20 == 19:
                    print(f"# {_counts(counted)} in {time.monotonic() - began:.0f} s", flush=True)
        finally:
            place.clean()
        version = server.version
    print(
        f"PostgreSQL {version}, seeds {asked.seed} to {asked.seed + asked.rounds - 1}: {_counts(counted)} in {time.monotonic() - began:.0f} s"
    )
    return 1 if counted["differ"] else 0


def _tell(place: Place, verdict: Verdict, seed: int, asked: argparse.Namespace) -> None:
    """Say what was found, and write the least list that shows the first of it."""
    finding, *others = verdict.findings
    checks = {finding.check} | ({"boot"} if finding.check in ("again", "retry", "repair") else set())

    def like(listed: Listed) -> Finding | None:
        found = judge(place, listed, checks, dump="pg_dump" in finding.what)
        return next((f for f in found.findings if f.check == finding.check and f.kind == finding.kind), None)

    listed = verdict.listed
    if not asked.no_shrink:
        listed = shrink(listed, lambda smaller: like(smaller) is not None)
        finding = like(listed) or finding
    print(f"seed {seed}: {finding}", flush=True)
    for text in (
        *(f"start: {t}" for t in listed.start),
        *(f"{n}: {t}" for n, t in enumerate(listed.texts)),
        *(f"damage: {t}" for t in listed.damage),
    ):
        print(f"        {text}", flush=True)
    for other in others:
        print(f"    and {other.check}: {other.what[:160]}", flush=True)
    (asked.out / f"{seed}-{finding.check}.toml").write_text(
        listed.as_toml(str(finding), _case_checks(finding.check)), encoding="utf-8"
    )


def _case_checks(check: str) -> tuple[str, ...]:
    return {"retry": ("boot", "again"), "repair": ("boot", "repair"), "sql": ("upgrade",), "export": ("upgrade",)}.get(
        check, (check,)
    )


def _counts(counted: Counter[str]) -> str:
    return ", ".join(f"{n} {what}" for what, n in counted.items())


@contextmanager
def _server(url: str | None) -> Iterator[Server]:
    if url:
        yield Server(url)
        return
    with EmbeddedServer() as embedded:
        yield embedded


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.oracle", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1, help="the first seed; each round takes the next")
    parser.add_argument("--server", help="URL of a scratch server, of a superuser (default: an embedded one)")
    parser.add_argument("--kinds", help=f"of {','.join(EVERY)} or every (default: all but {','.join(EVERY.keys() - KINDS)})")
    parser.add_argument("--forms", help=f"of {','.join(sorted(FORMS))}")
    parser.add_argument("--checks", default=",".join(CHECKS))
    parser.add_argument("--verify-every", type=int, default=5, help="rounds between two that ask verify, too; 0: never")
    parser.add_argument("--dump-every", type=int, default=10, help="rounds between two that ask pg_dump in any case")
    for flag in ("--plain-names", "--no-start", "--no-damage", "--no-shrink"):
        parser.add_argument(flag, action="store_true")
    parser.add_argument("--out", type=Path, default=Path("build/oracle"), help="where cases are written")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
