"""The page: the bars first, then what they rest on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.report import tables
from benchmarks.report.bars import bars
from benchmarks.report.figures import BASE, PSQL, table

Results = Mapping[str, Any]


def page(results: Results, drawn: Mapping[str, str]) -> str:
    """README.md as one text. ``drawn``: the plots' file names by section."""
    parts = [
        _head(results), _bars(results), _noop(results, drawn), _latency(results, drawn), _cold(results, drawn), _everyday(results),
        _fleet(results),
        _ahead(results), _method(results), _absent(results),
    ]  # fmt: skip
    return "\n".join(line for part in parts if part for line in (*part, "")).rstrip() + "\n"


def _head(results: Results) -> list[str]:
    on = results["machine"]
    versions = ", ".join(dict.fromkeys(version for version in results["versions"].values() if version))
    return [
        "# Benchmarks",
        "",
        f"<!-- Made by {results['command']}; rendered again by: python -m benchmarks.report docs/benchmarks/results.json -->",
        f"Made by `{results['command']}` on {results['began']} in {results['seconds'] / 60:.0f} minutes, all in one run.",
        f"Machine: {on['processor']}, {on['memory']}, {on['system']}; load at the beginning {on['load']}.",
        f"Python {on['python']}, PostgreSQL {results['server']} on a Unix socket.",
        f"Versions: {versions}.",
        "",
        "A list is one tenth `CREATE TABLE IF NOT EXISTS` with UUID keys, six tenths `DO` blocks guarded by `information_schema`, two",
        "tenths `ADD COLUMN IF NOT EXISTS`, one tenth `CREATE INDEX IF NOT EXISTS`. Every peer gets the same statements, one migration",
        "a step. Compare ratios within this page, and not milliseconds with those of another machine. The raw samples are in",
        "[results.json](results.json).",
    ]


def _bars(results: Results) -> list[str]:
    found = bars(results)
    if not found:
        return []
    met = sum(bar.is_met for bar in found)
    return [
        "## What is promised",
        "",
        f"{met} of {len(found)} met. Ratios are of medians of the same run.",
        "",
        *table(["bar", "limit", "measured", "met"], (bar.row() for bar in found)),
    ]


def _noop(results: Results, drawn: Mapping[str, str]) -> list[str]:
    if not results["noop"]:
        return []
    lines = [
        "## Nothing to do",
        "",
        "A start on a database that holds everything, connecting included. `(process)`: a program of its own, its start included.",
        "Milliseconds; in parentheses the multiple of connecting and `SELECT 1`.",
        "",
        *tables.by_size(results, "noop", BASE),
        *_shown(drawn, "noop", "Nothing to do: growth with the list"),
        "",
        "The same in detail. CPU is the mean over a row of starts; the server's is that of the processes that served them.",
    ]
    for size in results["noop"]:
        lines += ["", *tables.noop_in_detail(results, size)]
    if results.get("locks"):
        lines += ["", "What such a start asks for, and has to wait for where others use the table:", "", *tables.locks(results)]
    return lines


def _latency(results: Results, drawn: Mapping[str, str]) -> list[str]:
    if not results["latency"]:
        return []
    return [
        "## Nothing to do, with a network in between",
        "",
        "Milliseconds each way, by a proxy that holds back what passes. In parentheses the multiple of connecting and `SELECT 1` over",
        "the same network. All peers are measured at one length, ours and the yardstick at every.",
        "",
        *tables.latency(results),
        *_shown(drawn, "latency", "Nothing to do, with a network in between"),
    ]


def _cold(results: Results, drawn: Mapping[str, str]) -> list[str]:
    if not results["cold"]:
        return []
    return [
        "## An empty database",
        "",
        "Milliseconds; in parentheses the multiple of `psql -1 -f`. omega-bridge reads the meaning of a list once per process, as it",
        "is imported once: the medians are of starts after that, and `(process)` is a program that does everything anew.",
        "",
        *tables.by_size(results, "cold", PSQL),
        *_shown(drawn, "cold", "An empty database: growth with the list"),
        "",
        *tables.cold_spread(results),
    ]


def _everyday(results: Results) -> list[str]:
    found = results.get("everyday")
    if not found:
        return []
    on = found["machine"]
    return [
        "## An ordinary day",
        "",
        "A few new steps on a database that holds the rest of the list: the start that repairs is nearly always this one. Milliseconds, and",
        "in parentheses the multiple of connecting and `SELECT 1`. Each start is a process of its own, in which Python, psycopg and the list",
        "are loaded when the clock starts; importing omega-bridge, or Alembic and SQLAlchemy, is in the time, bytecode is written. One that",
        "has just begun has what earlier processes read of the steps that are not new ([`OMEGA_BRIDGE_CACHE`](../reference.md)); with nothing",
        "kept it reads every step. omega-bridge without a word beside it is a process that has started before: it has read the list, and",
        "imported all that a repair needs.",
        "",
        f"Made by `{found['command']}` on {found['began']}, all in one run; {on['processor']}, load at the beginning {on['load']},",
        f"Python {on['python']}, PostgreSQL {found['server']}.",
        "",
        *tables.everyday(results),
    ]


def _fleet(results: Results) -> list[str]:
    if not results["fleet"]:
        return []
    return [
        "## Many at once",
        "",
        "Processes that have their interpreter and their imports behind them and start at one word; seconds from that word. Nearly",
        "current: all but the list's last step. First applier: the one that did the work (for the others: the first that was ready).",
        "The naive loop passes over statements that the server refuses, so its starts do not fail: they are counted beside.",
        "Times are medians over the runs; failures are those of the worst run.",
        "",
        *tables.fleet(results),
        "",
        f"One poll is {results['poll'] * 1000:.0f} ms on average.",
        *(["", "What failed starts said:", "", *errors] if (errors := tables.fleet_errors(results)) else []),
    ]


def _ahead(results: Results) -> list[str]:
    if not (results["noop"] or results["cold"]):
        return []
    return ["## Who was quicker than omega-bridge", "", *tables.ahead(results)]


def _method(results: Results) -> list[str]:
    settings = ", ".join(f"`{name}={value}`" for name, value in results["settings"].items())
    return [
        "## How it is measured",
        "",
        "- Peers take turns, one start each a round; who has used up its share of time sits out the further rounds. Spread is the",
        "  quartiles, of fewer than four runs the least and the greatest.",
        f"- The server is a private one without fsync, in favour of those who commit often; {settings}.",
        "- Round trips are counted on the wire, after connecting: how often a client sent something and then had to wait.",
        "- A server process's CPU is read from the postmaster's children that have ended, in hundredths of a second over a row of starts.",
        "- Locks: a session holds a lock on every table of the list, and the start is watched for what it waits for, from ACCESS",
        "  EXCLUSIVE down. Tables of the peers' own are not looked at.",
        "- An in-process peer is measured within one Python that has it imported; `(process)` pays for an interpreter each time.",
    ]


def _absent(results: Results) -> list[str]:
    told = [f"- {peer}: {why}" for peer, why in {**results["missing"], **results["failed"]}.items()]
    told += [f"- {peer}, more than {size:,} steps: {why}" for peer, (size, why) in results["longest"].items()]
    return ["## Not measured", "", *told] if told else []


def _shown(drawn: Mapping[str, str], section: str, title: str) -> list[str]:
    return ["", f"![{title}]({drawn[section]})"] if section in drawn else []
