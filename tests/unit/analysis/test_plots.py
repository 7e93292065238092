"""The picture holds every seed, and survives values that cannot be drawn."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_lightning.analysis.differences import differences
from fer_lightning.analysis.plots import PANELS, comparison_plot, difference_plot, panel_metrics
from fer_lightning.analysis.records import Record
from fer_lightning.analysis.tables import Group


def make(name: str, scores: dict[int, dict[str, float]]) -> Group:
    records = tuple(
        Record(config={}, seed=s, metrics=m, images_seen=1, seconds=1, sources=())
        for s, m in scores.items()
    )
    return Group(name=name, values={}, records=records)


def coloured(path: Path) -> int:
    """Pixels of a picture that are not gray, as those of seeds are."""
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB"), np.int16)
    return int((np.ptp(pixels, axis=2) > 60).sum())


def test_panels_are_few_and_of_all_classes() -> None:
    metrics = ["fid", "fid/anger", *(f"m{i}" for i in range(20))]
    groups = [make("one", {0: dict.fromkeys(metrics, 1.0)})]
    assert panel_metrics(groups, ["nobody's", *metrics]) == [
        "fid",
        *(f"m{i}" for i in range(PANELS - 1)),
    ]


@pytest.mark.parametrize("metrics", [["a"], ["a", "b", "missing"], []])
def test_a_picture_is_drawn(tmp_path: Path, metrics: list[str]) -> None:
    groups = [
        make("one", {0: {"a": 1.0, "b": 2.0}, 1: {"a": 1.5, "b": math.nan}}),
        make("two", {0: {"a": 2.0}, 2: {"a": 2.5, "b": math.inf}}),
    ]
    path = tmp_path / "comparison.png"
    comparison_plot(groups, metrics, path, "title")
    assert coloured(path) > 50  # the seeds
    assert [p.name for p in tmp_path.iterdir()] == ["comparison.png"]


@pytest.mark.parametrize("metrics", [["a"], ["a", "a/fear", "b", "missing"], ["missing"]])
def test_differences_are_drawn(tmp_path: Path, metrics: list[str]) -> None:
    groups = [
        make("real", {s: {"a": 1.0 + s, "b": 2.0, "a/fear": 1.0} for s in (0, 1, 2)}),
        make("better", {s: {"a": 2.0 + 1.01 * s, "b": math.nan, "a/fear": 1.0} for s in (0, 1, 2)}),
        make("one seed", {2: {"a": 4.0}}),
    ]
    groups = [replace(g, values={"arm": g.name}) for g in groups]
    found = differences(groups, {"arm": "real"}, ["arm"], metrics)
    path = tmp_path / "differences.png"
    difference_plot(found, metrics, path, "title")
    assert coloured(path) > 50 if "a" in metrics else coloured(path) == 0


def test_a_measure_without_pairs_gets_no_panel(tmp_path: Path) -> None:
    groups = [make("real", {0: {"a": 1.0}}), make("leaky", {0: {"a": 2.0, "own": 1.0}})]
    groups = [replace(g, values={"arm": g.name}) for g in groups]
    sizes = []
    for metrics in (["a"], ["own", "a"]):
        found = differences(groups, {"arm": "real"}, ["arm"], metrics)
        assert {one.metric for one in found} == set(metrics)
        difference_plot(found, metrics, tmp_path / "differences.png", "title")
        with Image.open(tmp_path / "differences.png") as picture:
            sizes.append(picture.size)
    assert sizes[0] == sizes[1]


def test_what_is_alike_for_all_seeds_is_drawn_at_each(tmp_path: Path) -> None:
    alike = make("alike", {0: {"a": 1.0}})
    alike = replace(alike, records=(replace(alike.records[0], seed=None),))
    groups = [alike, make("gan", {s: {"a": 2.0 + s} for s in (0, 1)})]
    groups = [replace(g, values={"arm": g.name}) for g in groups]
    found = differences(groups, {"arm": "gan"}, ["arm"], ["a"])
    for compared in (groups, groups[:1]):
        comparison_plot(compared, ["a"], tmp_path / "comparison.png", "title")
        assert coloured(tmp_path / "comparison.png") > 20
    difference_plot(found, ["a"], tmp_path / "differences.png", "title")
    assert coloured(tmp_path / "differences.png") > 50
