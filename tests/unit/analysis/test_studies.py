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
