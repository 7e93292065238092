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
            "model.spectral_norm of its own; make a stage of each, or take all by cells:generate",
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


CLASSES = {"data.only": [["anger"], ["fear"]]}


def one_gan_a_class(**changes: Stage) -> dict[str, Stage]:
    """A GAN of every class, what each generates, and a classifier that takes all of it or none."""
    more = ["data.extra=cells:generate"]
    return stages(
        gan=Stage(job="train", axes=CLASSES),
        classifier=Stage(job="train", arms={"real": [], "more": more}),
        **changes,
    )


def finish(found: list[Cell], stage: str, path: Path) -> None:
    """As the job would leave the stage's cells."""
    for number, cell in enumerate(of(found, stage)):
        made = path / f"{stage} {number}"
        made.mkdir()
        (made / "results.json").touch()
        cell.status, cell.path = "done", str(made)


def test_all_cells_of_a_stage_with_axes_become_a_list(tmp_path: Path) -> None:
    found = cells(stages=one_gan_a_class(), seeds=(0, 1))
    assert [c.overrides[0] for c in of(found, "gan")] == [
        "data.only=[anger]", "data.only=[anger]",
        "data.only=[fear]", "data.only=[fear]",
    ]  # fmt: skip
    real, _, more, later = of(found, "classifier")
    assert resolve(real, found) == real.overrides
    assert [c.label for c in found if later.needs(c)] == [
        "generate: data.only=[anger] seed=1", "generate: data.only=[fear] seed=1"
    ]  # fmt: skip
    assert resolve(more, found) is None
    finish(found, "gan", tmp_path)
    finish(found, "generate", tmp_path)
    resolved = resolve(more, found)
    assert resolved is not None
    assert resolved[0] == f"data.extra=['{tmp_path}/generate 0','{tmp_path}/generate 2']"
    of(found, "generate")[2].path = str(tmp_path / "gone")
    assert resolve(more, found) is None


def test_all_cells_join_another_list_and_may_name_what_lies_in_them(tmp_path: Path) -> None:
    own = Stage(job="train", arms={"more": ["data.extra=[OUT,cells:gan/more,cell:other]"]})
    found = cells(stages=one_gan_a_class(other=Stage(job="train")) | {"last": own})
    for stage in ("gan", "other"):
        finish(found, stage, tmp_path)
    resolved = resolve(of(found, "last")[0], found)
    assert resolved is not None
    assert resolved[0] == (
        f"data.extra=[OUT,'{tmp_path}/gan 0/more','{tmp_path}/gan 1/more','{tmp_path}/other 0']"
    )


def test_all_cells_are_those_of_the_same_shared_axes() -> None:
    found = cells(stages=one_gan_a_class(), axes={"a": [1, 2]})
    more = next(c for c in of(found, "classifier") if c.axes == {"arm": "more", "a": 2})
    assert [c.axes for c in found if more.needs(c)] == [
        {"a": 2, "data.only": ["anger"]}, {"a": 2, "data.only": ["fear"]}
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("classifier", "said"),
    [
        (
            Stage(job="train", arms={"more": ["data.extra=cells:generated"]}),
            "cells:generated names no stage before it; there are gan, generate",
        ),
        (
            Stage(job="train", axes={"data.only": [["fear"]]}, overrides=["x=cells:generate"]),
            r"cells:generate: generate has the axis data\.only too, with other values, so",
        ),
        (
            Stage(job="train", arms={"more": ["data.extra=[cell:generate]"]}),
            "has the axis data.only of its own; make a stage of each, or take all by cells:gen",
        ),
    ],
)
def test_all_cells_that_pair_with_none_are_refused(classifier: Stage, said: str) -> None:
    with pytest.raises(UserError, match=r"^study\.stages\.classifier: .*" + said):
        cells(stages=one_gan_a_class() | {"classifier": classifier})


def test_an_arm_that_names_no_seeded_cell_is_measured_once() -> None:
    probe = Stage(
        job="probe",
        overrides=["data@fit=drawn"],
        arms={"gan": ["run=cell:gan"], "pixels": ["feature=pixels"]},
    )
    after = Stage(job="evaluate", overrides=["x=cell:probe"])
    kept = {"gan": Stage(job="train"), "probe": probe, "after": after}
    found = cells(stages=kept, seeds=(0, 1))
    expected = [("gan", 0), ("gan", 1), ("pixels", None)]
    assert [(c.axes["arm"], c.seed) for c in of(found, "probe")] == expected
    assert [(c.axes["arm"], c.seed) for c in of(found, "after")] == expected
    assert of(found, "probe")[1].overrides == ["data@fit=drawn", "run=cell:gan"]
    with pytest.raises(UserError, match="seed=3 is for train and generate; probe has none"):
        Stage(job="probe", seed=3)
