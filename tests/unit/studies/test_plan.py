"""Stages with arms, and stages that name such."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fer_lightning.config.study import Stage, Study
from fer_lightning.errors import UserError
from fer_lightning.studies.cells import Cell, resolve
from fer_lightning.studies.plan import cells_of


def stages(**changes: Stage) -> dict[str, Stage]:
    """A GAN, what it generates, a classifier with and without that, and its test."""
    return {
        "gan": Stage(job="train", overrides=["model=cgan"]),
        "generate": Stage(job="generate", overrides=["run=cell:gan", "archive=cell:gan/extra"]),
        "classifier": Stage(
            job="train",
            overrides=["model=classifier"],
            arms={"real": [], "more": ["data.extra=[cell:generate]", "x=1"]},
        ),
        "test": Stage(job="evaluate", overrides=["run=cell:classifier", "split=test"]),
        **changes,
    }


def cells(train: tuple[str, ...] = (), seeds: tuple[int, ...] = (0,), **keys: Any) -> list[Cell]:
    settings = {"name": "mine", "stages": stages(), **keys}
    return cells_of(Study(seeds=list(seeds), **settings), train)


def of(found: list[Cell], stage: str) -> list[Cell]:
    return [cell for cell in found if cell.stage == stage]


def test_every_arm_is_run_with_every_seed() -> None:
    found = cells(train=("width=4",), seeds=(0, 1))
    assert [c.label for c in found if c.stage != "test"] == [
        "gan: seed=0", "gan: seed=1", "generate: seed=0", "generate: seed=1",
        "classifier: arm=real seed=0", "classifier: arm=real seed=1",
        "classifier: arm=more seed=0", "classifier: arm=more seed=1",
    ]  # fmt: skip
    assert of(found, "classifier")[3].overrides == [
        "model=classifier", "width=4", "data.extra=[cell:generate]", "x=1", "seed=1",
        "logger.group=mine",
    ]  # fmt: skip


def test_arms_come_first_and_study_axes_are_overrides_of_all_of_them() -> None:
    found = cells(axes={"a": [1, 2]})
    assert [c.axes for c in of(found, "classifier")] == [
        {"arm": "real", "a": 1}, {"arm": "real", "a": 2},
        {"arm": "more", "a": 1}, {"arm": "more", "a": 2},
    ]  # fmt: skip
    assert list(of(found, "classifier")[0].axes) == ["arm", "a"]
    assert of(found, "classifier")[2].overrides[-3:] == ["a=1", "seed=0", "logger.group=mine"]
    assert of(found, "test")[2].overrides == ["run=cell:classifier", "split=test"]


def test_only_the_arms_that_name_a_cell_wait_for_it(tmp_path: Path) -> None:
    found = cells(seeds=(0, 1))
    real, _, more, _ = of(found, "classifier")
    assert resolve(real, found) == real.overrides
    assert resolve(more, found) is None
    assert [c.label for c in found if more.needs(c)] == ["generate: seed=0"]
    made = of(found, "generate")[0]
    made.status, made.path = "done", str(tmp_path)
    resolved = resolve(more, found)
    assert resolved is not None
    assert f"data.extra=['{tmp_path}']" in resolved


def test_what_lies_in_what_a_cell_made_can_be_named(tmp_path: Path) -> None:
    found = cells()
    (tmp_path / "results.json").touch()
    found[0].status, found[0].path = "done", str(tmp_path)
    assert resolve(found[1], found) == [
        f"run='{tmp_path}'", f"archive='{tmp_path}/extra'", "seed=0"
    ]  # fmt: skip


def test_a_stage_takes_arms_over_with_what_it_adds_to_them() -> None:
    test = Stage(
        job="evaluate",
        overrides=["run=cell:classifier"],
        axes={"split": ["val", "test"]},
        arms={"more": ["data=fer2013"]},
    )
    found = of(cells(stages=stages(test=test)), "test")
    assert [(c.axes, c.overrides[1:]) for c in found] == [
        ({"arm": "real", "split": "val"}, ["split=val"]),
        ({"arm": "real", "split": "test"}, ["split=test"]),
        ({"arm": "more", "split": "val"}, ["data=fer2013", "split=val"]),
        ({"arm": "more", "split": "test"}, ["data=fer2013", "split=test"]),
    ]
    assert [c.label for c in cells(stages=stages(test=test)) if found[3].needs(c)] == [
        "classifier: arm=more seed=0"
    ]


def test_stages_with_the_same_arms_are_named_together() -> None:
    both = Stage(job="generate", overrides=["run=cell:classifier", "archive=cell:test"])
    found = cells(stages=stages(both=both))
    assert [c.label for c in of(found, "both")] == [
        "both: arm=real seed=0",
        "both: arm=more seed=0",
    ]
    assert [c.label for c in found if of(found, "both")[1].needs(c)] == [
        "classifier: arm=more seed=0", "test: arm=more seed=0"
    ]  # fmt: skip


SN = {"model.spectral_norm": [True, False]}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"gan": Stage(job="train", axes=SN)},
            r"classifier: cell:generate could be any of several cells, since generate has the axis "
            "model.spectral_norm of its own; make a stage of each",
        ),
        (
            {
                "gan": Stage(job="train", axes=SN),
                "classifier": Stage(job="train", arms={"real": []}),
                "test": Stage(job="evaluate", overrides=["run=cell:classifier", "x=cell:gan"]),
            },
            r"test: classifier has arms of its own and gan has the axis model\.spectral_norm: "
            "their cells do not pair",
        ),
        (
            {"test": Stage(job="evaluate", overrides=["run=cell:classifier"], arms={"mroe": []})},
            r"test\.arms: mroe is no arm of the stage that it names; there are real, more",
        ),
        (
            {
                "classifier": Stage(job="train", axes={"split": ["a", "b"]}),
                "test": Stage(job="evaluate", overrides=["run=cell:classifier"],
                              axes={"split": ["a"]}),
            },
            r"test\.axes: split is an axis of the study or of the stage that it names already",
        ),
        (
            {"classifier": Stage(job="train", arms={"more": ["data.extra=[cell:generated]"]})},
            r"classifier: cell:generated names no stage before it; there are gan, generate$",
        ),
    ],
)  # fmt: skip
def test_what_has_no_one_meaning_is_refused(changes: dict[str, Stage], said: str) -> None:
    with pytest.raises(UserError, match=r"^study\.stages\." + said):
        cells(stages=stages(**changes))


def test_a_stage_with_a_seed_of_its_own_is_made_once_for_all() -> None:
    study = Study(
        name="s",
        seeds=[0, 1],
        stages={
            "judge": Stage(job="train", seed=7, overrides=["model=classifier"]),
            "train": Stage(job="train", axes={"model.width": [4, 8]}),
            "judged": Stage(job="evaluate", overrides=["run=cell:train", "feature.run=cell:judge"]),
        },
    )
    cells = cells_of(study, [])
    judge, *others = cells
    assert (judge.seed, judge.overrides) == (None, ["model=classifier", "seed=7", "logger.group=s"])
    assert [c.stage for c in others].count("judge") == 0
    judged = [c for c in others if c.stage == "judged"]
    assert [(c.axes, c.seed) for c in judged] == [
        ({"model.width": width}, seed) for width in (4, 8) for seed in (0, 1)
    ]
    assert all(c.needs(judge) for c in judged)


def test_a_seed_of_its_own_is_not_for_what_follows_seeds() -> None:
    stages = {
        "train": Stage(job="train"),
        "generate": Stage(job="generate", seed=0, overrides=["run=cell:train"]),
    }
    with pytest.raises(UserError, match=r"generate\.seed=0: it names train"):
        cells_of(Study(name="s", stages=stages), [])
    with pytest.raises(UserError, match="evaluate has none"):
        Stage(job="evaluate", seed=0)
