"""A study's cells become records, whether or not all are finished."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fer_lightning.analysis.records import Collection
from fer_lightning.analysis.studies import find_study, read_study, study_records
from fer_lightning.errors import UserError
from tests.helpers.results import cell, make_evaluation, make_run, make_study, tiny_study


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def records(folder: Path) -> Collection:
    return study_records(read_study(folder))


def test_trainings_are_joined_with_their_evaluations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny_study(tmp_path, {True: [1.0, 2.0], False: [3.0, 4.0]})
    found = records(folder).records
    assert [(r.axes["model.spectral_norm"], r.seed, r.metrics["fid"]) for r in found] == [
        (True, 0, 1.0), (True, 1, 2.0), (False, 0, 3.0), (False, 1, 4.0)
    ]  # fmt: skip
    monkeypatch.chdir("/")  # paths in the file are relative to where the study ran
    assert len(records(folder).records) == 4


def test_axes_of_an_evaluating_stage_make_records(tmp_path: Path) -> None:
    run = make_run(tmp_path / "r", width=8)
    files = {
        split: make_evaluation(run, {"fid": v}, split) for split, v in (("val", 1), ("test", 2))
    }
    cells = [cell("train", "train", 0, {"model.width": 8}, run)]
    cells += [
        cell("evaluate", "evaluate", 0, {"model.width": 8, "split": split}, file)
        for split, file in files.items()
    ]
    folder = make_study(tmp_path / "s", cells, axes={"model.width": [8]}, baseline={})
    found = records(folder).records
    assert [(r.config["split"], list(r.metrics)[-1]) for r in found] == [
        ("val", "fid[val]"), ("test", "fid[test]")
    ]  # fmt: skip


def test_two_training_stages_keep_their_own_evaluations(tmp_path: Path) -> None:
    cells = []
    for stage, value in (("plain", 1.0), ("augmented", 2.0)):
        run = make_run(tmp_path / stage, width=8)
        file = make_evaluation(run, {"fid": value})
        cells.append(cell(stage, "train", 0, {}, run))
        cells.append(cell(f"evaluate_{stage}", "evaluate", 0, {}, file))
    folder = make_study(tmp_path / "s", cells, axes={}, baseline={})
    found = records(folder).records
    assert {r.config["stage"]: r.metrics["fid"] for r in found} == {"plain": 1.0, "augmented": 2.0}


def test_what_is_not_finished_is_listed(tmp_path: Path) -> None:
    axes = {"model.spectral_norm": True}
    cells = [
        cell("train", "train", 0, axes, make_run(tmp_path / "r", spectral_norm=True)),
        cell("evaluate", "evaluate", 0, axes, None, "failed", "no such split"),
        cell("train", "train", 1, axes, None, "missing"),
        cell("train", "train", 2, axes, "gone"),
    ]
    read = records(make_study(tmp_path / "s", cells))
    assert len(read.records) == 1
    assert [(u.what, u.status, u.reason) for u in read.unfinished] == [
        ("evaluate: model.spectral_norm=True seed=0", "failed", "no such split"),
        ("train: model.spectral_norm=True seed=1", "missing", "run `fer study study=tiny` again"),
        ("train: model.spectral_norm=True seed=2", "missing", "gone is not there any more"),
    ]


def test_a_study_is_found_by_name_or_folder(tmp_path: Path) -> None:
    first = make_study(Path("multirun/study/tiny-01234567"), [])
    make_study(Path("multirun/study/tiny-else-01234567"), [])
    assert find_study("tiny") == first
    assert find_study(str(first)) == first
    make_study(Path("multirun/study/tiny-89abcdef"), [])
    with pytest.raises(UserError, match=r"study=multirun/study/tiny-01234567 \(train=\[a=1\]\); s"):
        find_study("tiny")
    with pytest.raises(UserError, match="did you mean study=tiny"):
        find_study("tinny")
    with pytest.raises(UserError, match="run `fer study study=other` first"):
        find_study("other")
    with pytest.raises(UserError, match=r"there is no nowhere/here/study\.json"):
        find_study("nowhere/here")


@pytest.mark.parametrize("damage", [{"cells": [{}]}, {"study": {"seeds": 3}}, {"study": None}])
def test_a_damaged_study_is_named(tmp_path: Path, damage: dict[str, object]) -> None:
    file = make_study(tmp_path / "s", []) / "study.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | damage))
    with pytest.raises(UserError, match=r"study\.json is damaged"):
        read_study(tmp_path / "s")


def test_the_compared_stage_alone_makes_records(tmp_path: Path) -> None:
    cells = []
    for seed in (0, 1):
        gan = make_run(tmp_path / f"gan{seed}", seed, images_seen=50)
        cells.append(cell("gan", "train", seed, {}, gan))
        for arm in ("more", "real"):
            run = make_run(tmp_path / f"{arm}{seed}", seed, archives=[f"{arm}{seed}"])
            overrides = ["data.extra=[cell:generate]"] if arm == "more" else []
            cells.append(cell("train", "train", seed, {"arm": arm}, run) | {"overrides": overrides})
            file = make_evaluation(run, {"fid": 1.0 + seed})
            cells.append(cell("evaluate", "evaluate", seed, {"arm": arm}, file))
    stages = {
        "gan": {"job": "train"},
        "train": {"job": "train", "arms": {"more": [], "real": []}},
        "evaluate": {"job": "evaluate"},
    }
    keys = {"axes": {}, "baseline": {"arm": "real"}, "stages": stages, "compare": "train"}
    folder = read_study(make_study(tmp_path / "s", cells, **keys))
    assert folder.arms == ["real", "more"]  # the baseline first
    read = study_records(folder)
    assert [(r.axes, r.seed, r.metrics["fid"]) for r in read.records] == [
        ({"arm": "more"}, 0, 1.0), ({"arm": "real"}, 0, 1.0),
        ({"arm": "more"}, 1, 2.0), ({"arm": "real"}, 1, 2.0),
    ]  # fmt: skip
    assert {stage: [r.images_seen for r in found] for stage, found in read.besides.items()} == {
        "gan": [50, 50]
    }
    # What the study has made itself differs by seed, and is no reason to warn.
    assert ["archives" in r.config for r in read.records] == [False, True, False, True]
    assert read.notes == ()


def test_arms_that_share_a_run_keep_their_own_evaluations(tmp_path: Path) -> None:
    run = make_run(tmp_path / "r")
    cells = []
    for arm, count in (("real", 50), ("leaky", 60)):
        file = make_evaluation(run, {"fid": float(count)}, count=count)
        cells.append(cell("train", "train", 0, {"arm": arm}, run))
        cells.append(cell("evaluate", "evaluate", 0, {"arm": arm}, file))
    keys = {"axes": {}, "baseline": {"arm": "real"}}
    stages = {"train": {"job": "train", "arms": {"real": [], "leaky": []}}}
    read = records(make_study(tmp_path / "s", cells, stages=stages, **keys))
    assert [(r.axes["arm"], r.metrics["fid"]) for r in read.records] == [
        ("real", 50.0), ("leaky", 60.0)
    ]  # fmt: skip
    assert read.notes[0].startswith("leaky was not measured as real was (count of their protocols")


def test_what_cells_are_to_resolve_stays_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NOT_THERE", raising=False)
    override = "data.root='${oc.env:NOT_THERE}/faces'"
    stages = {"train": {"job": "train", "overrides": [override]}}
    folder = read_study(make_study(tmp_path / "s", [], stages=stages))
    assert folder.study.stages["train"].overrides == [override]
