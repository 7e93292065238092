"""What was measured as a page and as JSON, with the machine that it was measured on."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from fer_lightning.benchmarks.comparison import Goal, SideBySide
from fer_lightning.launchers.slots import core_count
from fer_lightning.runs import SCHEMA, command_line, provenance


def page(results: Sequence[SideBySide], measured_on: dict[str, Any]) -> str:
    """A Markdown page with a table for each piece of work."""
    return "\n".join(
        [
            "# Speed",
            "",
            f"`{command_line()}`",
            "",
            *(f"- {name}: {value}" for name, value in measured_on.items()),
            "",
            *(table(result) for result in results),
        ]
    )


def table(result: SideBySide) -> str:
    """One piece of work: medians and ranges, goals, notes."""
    ours = next(iter(result.values))
    lines = [
        f"## {result.title[:1].upper()}{result.title[1:]}",
        "",
        f"| | {result.unit}, median | lowest to highest | to the first |",
        "|---|--:|--:|--:|",
    ]
    for way, values in result.values.items():
        lines.append(
            f"| {way} | {_number(result.median(way))} | {_number(min(values))} to "
            f"{_number(max(values))} | {_number(result.ratio(way, ours))} |"
        )
    lines += ["", *(f"- {_goal(goal)}" for goal in result.goals)]
    lines += ["", *result.notes, ""]
    return "\n".join(lines)


def _goal(goal: Goal) -> str:
    bound = f"{'at least' if goal.at_least else 'at most'} {_number(goal.bound)}"
    return f"{'met' if goal.met else '**missed**'}: {_number(goal.value)} {goal.what}; goal {bound}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def as_json(results: Sequence[SideBySide], measured_on: dict[str, Any]) -> dict[str, Any]:
    """The same for programs, every single value included."""
    return {
        "schema": SCHEMA,
        "job": "benchmark",
        "command": command_line(),
        "measured_on": measured_on,
        "results": [
            {
                "title": result.title,
                "unit": result.unit,
                "values": result.values,
                "goals": [{**vars(goal), "met": goal.met} for goal in result.goals],
                "notes": result.notes,
            }
            for result in results
        ],
        **provenance(),
    }


def machine() -> dict[str, Any]:
    """What the numbers depend on: processor, threads, memory, GPU, versions, other work."""
    found: dict[str, Any] = {
        "processor": _processor(),
        "cores": core_count(),
        "threads": torch.get_num_threads(),
        "memory": _memory(),
        "GPU": torch.cuda.get_device_name() if torch.cuda.is_available() else "none",
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
    }
    made = provenance()
    versions = ", ".join(f"{name} {version}" for name, version in made["versions"].items())
    found |= {"packages": versions, "commit": made["commit"], "date": made["finished"][:10]}
    if hasattr(os, "getloadavg"):
        found["load before"] = round(os.getloadavg()[0], 2)
    return found


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _memory() -> str:
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return "unknown"
    return f"{size / 2**30:.0f} GiB"
