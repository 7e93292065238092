"""A study's cells become records, whether or not all are finished."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fer_lightning.analysis.records import Collection
from fer_lightning.analysis.studies import study_records
from fer_lightning.analysis.study_folders import find_study, read_study
from fer_lightning.errors import UserError
from tests.helpers.results import (
    cell,
    make_evaluation,
    make_probe,
    make_run,
    make_study,
    tiny_study,
)


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


def test_a_training_that_failed_has_its_folder(tmp_path: Path) -> None:
    axes = {"model.spectral_norm": True}
    run = make_run(tmp_path / "r", finished=False, width=4)
    cells = [
        cell("train", "train", 0, axes, run, "failed", "diverged"),
        cell("train", "train", 1, axes, "gone", "failed", "diverged"),
    ]
    whole, lost = records(make_study(tmp_path / "s", cells)).unfinished
    assert (whole.status, whole.reason, whole.path) == ("failed", "diverged", run)
    assert whole.config.items() >= {"model.width": 4, **axes}.items()
    assert (lost.status, lost.reason, lost.path) == ("failed", "diverged", None)


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


def probed(root: Path) -> Path:
    """Two GANs of two seeds, a judge, and probes of their features and of pixels."""
    cells = []
    pixels = root / "multirun/probe/pixels"
    for stage in ("inside", "across"):
        protocol = {"stage": stage, "feature": {"feature": "pixels"}, "values": 1024}
        file = make_probe(pixels, {f"probe_{stage}": 0.5}, **protocol)
        cells.append(cell(stage, "probe", None, {"arm": "pixels"}, file))
    for seed in (0, 1):
        run = make_run(root / f"gan{seed}", seed, images_seen=50)
        cells.append(cell("gan", "train", seed, {}, run))
        for stage in ("inside", "across"):
            file = make_probe(run, {f"probe_{stage}": 0.7 + seed / 10}, 50, stage=stage)
            cells.append(cell(stage, "probe", seed, {"arm": "gan"}, file))
    arms = {"gan": ["run=cell:gan"], "pixels": ["feature=pixels"]}
    stages = {
        "gan": {"job": "train"},
        "inside": {"job": "probe", "arms": arms},
        "across": {"job": "probe", "arms": arms},
    }
    keys = {"axes": {}, "baseline": {"arm": "pixels"}, "stages": stages, "compare": "inside"}
    return make_study(root / "s", cells, **keys)


def test_probes_make_records_with_those_of_other_stages(tmp_path: Path) -> None:
    read = records(probed(tmp_path))
    assert [(r.axes["arm"], r.seed, r.images_seen, r.metrics) for r in read.records] == [
        ("pixels", None, 0, {"probe_inside": 0.5, "probe_across": 0.5}),
        ("gan", 0, 50, {"probe_inside": 0.7, "probe_across": 0.7}),
        ("gan", 1, 50, {"probe_inside": pytest.approx(0.8), "probe_across": pytest.approx(0.8)}),
    ]
    first = read.records[0]
    assert [source.job for source in first.sources] == ["probe", "probe"]
    assert (first.seconds, first.command, first.probe) == (3.0, "fer probe x", True)
    assert first.remarks == ("Peak frames stand in.",)
    assert [(stage, len(runs)) for stage, runs in read.besides.items()] == [("gan", 2)]
    assert read.unfinished == ()
    # Features are what is compared, and no difference of protocols.
    assert read.notes == ("pixels, gan: Folds are random.",)


def test_sets_that_are_probed_alike_are_told_apart_by_name(tmp_path: Path) -> None:
    cells = []
    for seed in (0, 1):
        run = make_run(tmp_path / f"gan{seed}", seed)
        for corpus, split, value in (("table", "all", 0.4), ("fer2013", "test", 0.3)):
            sets = {"corpus": corpus, "fit": {"corpus": corpus, "split": split}}
            file = make_probe(run, {"probe_accuracy_random": value + seed}, 100, **sets)
            cells.append(cell(corpus, "probe", seed, {}, file))
        cells.append(cell("gan", "train", seed, {}, run))
    stages = {name: {"job": "probe"} for name in ("table", "fer2013")} | {"gan": {"job": "train"}}
    keys = {"axes": {}, "baseline": {}, "stages": stages, "compare": "table"}
    read = records(make_study(tmp_path / "s", cells, **keys))
    assert [list(r.metrics) for r in read.records] == [
        ["probe_accuracy_random[table]", "probe_accuracy_random[fer2013]"]
    ] * 2


def test_a_probe_of_a_run_that_went_on_is_no_record(tmp_path: Path) -> None:
    folder = probed(tmp_path)
    make_run(tmp_path / "gan1", 1, images_seen=90)
    read = records(folder)
    assert [(r.axes["arm"], r.seed) for r in read.records] == [("pixels", None), ("gan", 0)]
    (late,) = read.unfinished
    assert late.what == "inside: arm=gan seed=1"
    assert late.reason == "measured after 50 images, while the finished run has seen 90"


def test_probes_of_runs_that_are_compared_are_their_evaluations(tmp_path: Path) -> None:
    cells = []
    for arm, value in (("a", 0.5), ("b", 0.6)):
        run = make_run(tmp_path / arm)
        cells.append(cell("train", "train", 0, {"arm": arm}, run))
        file = make_evaluation(run, {"fid": 10 * value})
        cells.append(cell("evaluate", "evaluate", 0, {"arm": arm}, file))
        file = make_probe(run, {"probe_accuracy_random": value}, 100)
        cells.append(cell("probe", "probe", 0, {"arm": arm}, file))
    stages = {"train": {"job": "train", "arms": {"a": [], "b": []}}}
    read = records(make_study(tmp_path / "s", cells, axes={}, baseline={}, stages=stages))
    assert [(r.metrics["fid"], r.metrics["probe_accuracy_random"]) for r in read.records] == [
        (5.0, 0.5), (6.0, 0.6)
    ]  # fmt: skip
