"""The plots, as SVG: growth with the list's length, and what a network adds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.report.figures import BASE, OURS, median, peers_of

Results = Mapping[str, Any]

COLOURS = {OURS: "#c1121f", f"{OURS}, sentinel": "#f4845f", f"{OURS} (process)": "#780000", BASE: "#000000"}
OTHERS = ("#1f77b4", "#2ca02c", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf", "#3b528b", "#d4a017", "#5e8c31")
MARKERS = "os^vD<>pPX*h"


def plots(results: Results, folder: Path) -> dict[str, str]:
    """Draw what was measured; file names by section. None without matplotlib."""
    try:
        import matplotlib as mpl
    except ImportError:
        return {}
    mpl.use("Agg")
    mpl.rcParams |= {"svg.hashsalt": "omega-bridge", "font.size": 10, "axes.spines.top": False, "axes.spines.right": False}
    drawn = {}
    for section, title in (("noop", "A start with nothing to do"), ("cold", "A start on an empty database")):
        if len(results[section]) > 1:
            drawn[section] = _growth(results, section, title, folder)
    if results["latency"]:
        drawn["latency"] = _latency(results, folder)
    return drawn


def _colours(peers: list[str]) -> dict[str, str]:
    others = [peer for peer in peers if peer not in COLOURS]
    return COLOURS | {peer: OTHERS[n % len(OTHERS)] for n, peer in enumerate(others)}


def _growth(results: Results, section: str, title: str, folder: Path) -> str:
    """Lines over the length of the list; the legend in the order of their right ends."""
    from matplotlib import pyplot

    columns = results[section]
    peers = peers_of(columns.values())
    colours = _colours(peers)
    figure, axes = pyplot.subplots(figsize=(10, 6))
    ends = {}
    for number, peer in enumerate(peers):
        points = [(int(size), middle * 1e3) for size, values in columns.items() if (middle := median(values, peer)) is not None]
        is_ours = peer in COLOURS
        ends[peer] = axes.plot(
            [x for x, _ in points],
            [y for _, y in points],
            marker=MARKERS[number % len(MARKERS)],
            markersize=5,
            linewidth=2.5 if is_ours else 1.3,
            linestyle="--" if peer in results["processes"] else "-",
            color=colours[peer],
            label=peer,
            zorder=3 if is_ours else 2,
        )[0]
    sizes = [int(size) for size in columns]
    axes.set(xscale="log", yscale="log", xlabel="steps in the list", ylabel="milliseconds (median)", title=title)
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.xaxis.minorticks_off()
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}" if value >= 1 else f"{value:g}")
    axes.grid(alpha=0.25)
    order = sorted(peers, key=lambda peer: -_last(columns, peer))
    axes.legend([ends[p] for p in order], order, loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, fontsize=9)
    return _saved(figure, folder, section)


def _last(columns: Mapping[str, Any], peer: str) -> float:
    return next(middle for values in reversed(list(columns.values())) if (middle := median(values, peer)) is not None)


def _latency(results: Results, folder: Path) -> str:
    """Bars by peer and delay, at the length at which all were measured."""
    from matplotlib import pyplot

    size = max(results["latency"], key=lambda s: max(len(v) for v in results["latency"][s].values()))
    columns = {
        "no network": results["noop"].get(size, {}),
        **{f"{d} ms each way": v for d, v in results["latency"][size].items()},
    }
    columns = {name: values for name, values in columns.items() if values}
    peers = sorted(peers_of(columns.values()), key=lambda peer: -_last(columns, peer))
    figure, axes = pyplot.subplots(figsize=(10, 0.5 * len(peers) + 1.5))
    thick = 0.8 / len(columns)
    for number, (name, values) in enumerate(columns.items()):
        found = [(row, middle * 1e3) for row, peer in enumerate(peers) if (middle := median(values, peer)) is not None]
        axes.barh(
            [row + 0.4 - thick * (number + 0.5) for row, _ in found],
            [value for _, value in found],
            height=thick,
            label=name,
            color=("#bbbbbb", "#6c9bd1", "#1d3f72")[number % 3],
        )
    axes.set_yticks(range(len(peers)), peers)
    for label in axes.get_yticklabels():
        label.set_color(COLOURS.get(label.get_text(), "#333333"))
    axes.set(xscale="log", xlabel="milliseconds (median)", title=f"Nothing to do, {int(size):,} steps, with a network in between")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.grid(alpha=0.25, axis="x")
    axes.legend(frameon=False, loc="upper right")
    return _saved(figure, folder, "latency")


def _saved(figure: Any, folder: Path, name: str) -> str:
    from matplotlib import pyplot

    figure.savefig(folder / f"{name}.svg", metadata={"Date": None}, bbox_inches="tight")
    pyplot.close(figure)
    return f"{name}.svg"
