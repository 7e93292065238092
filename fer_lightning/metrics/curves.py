"""Draws how an emotion grows with the intensity that is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import fill

import numpy as np


def curves_picture(
    panels: Mapping[str, Mapping[str, Sequence[float]]], path: Path, title: str
) -> Path:
    """Draw curves over intensity, a panel for each that judges them.

    Args:
        panels: Label of each vertical axis to the curves by emotion; a curve has values at equal
            steps that end at intensity 1, of which the first is 0 or one step.
        path: PNG to write.
        title: Above all; broken into lines where it is long.

    Returns:
        ``path``.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(0.6 + 4.2 * len(panels), 4.2), layout="constrained")
    places = figure.subplots(1, len(panels), squeeze=False)[0]
    colours = {emotion: f"C{n}" for n, emotion in enumerate(_names(panels))}
    for axes, (label, curves) in zip(places, panels.items(), strict=True):
        for emotion, values in curves.items():
            asked = np.linspace(0, 1, 11)[-len(values) :]
            axes.plot(asked, values, "o-", color=colours[emotion], markersize=3, linewidth=1.2)
        axes.set(xlabel="intensity asked for", ylabel=label, xlim=(-0.02, 1.02))
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    for emotion, colour in colours.items():
        places[0].plot([], [], color=colour, label=emotion)
    figure.legend(loc="outside lower center", ncols=4, frameon=False)
    figure.suptitle(fill(title, 16 + int(46 * len(panels))), fontsize="medium")
    figure.savefig(path, dpi=110)
    return path


def _names(panels: Mapping[str, Mapping[str, Sequence[float]]]) -> list[str]:
    return list(dict.fromkeys(emotion for curves in panels.values() for emotion in curves))
