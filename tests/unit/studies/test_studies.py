"""The cells of a study, what they wait for, and the record of them on disk."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from fer_lightning.config.study import Metric, Stage, Study
from fer_lightning.errors import UserError
from fer_lightning.studies.cells import Cell, resolve
from fer_lightning.studies.lengths import lengths_to_mind
from fer_lightning.studies.plan import cells_of
from fer_lightning.studies.record import StudyRecord


def study(**keys: Any) -> Study:
    stages = {
        "train": Stage(job="train", overrides=["experiment=smoke_cgan"]),
        "evaluate": Stage(job="evaluate", overrides=["run=cell:train", "split=test"]),
    }
    return Study(
        **{"name": "mine", "seeds": [0, 1], "axes": {"a": [1, 2]}, "stages": stages, **keys}
    )


def of(cells: Sequence[Cell], stage: str) -> list[Cell]:
    return [cell for cell in cells if cell.stage == stage]


def finish(cell: Cell, path: Path) -> None:
    """As the job would leave it."""
    path.mkdir(parents=True)
    (path / "results.json").touch()
    cell.status, cell.path = "done", str(path)


def test_every_value_is_run_with_every_seed() -> None:
    cells = of(cells_of(study(axes={"a": [1, 2], "b": ["x", "y"]}), []), "train")
    assert [(c.axes["a"], c.axes["b"], c.seed) for c in cells] == [
        (1, "x", 0), (1, "x", 1), (1, "y", 0), (1, "y", 1),
        (2, "x", 0), (2, "x", 1), (2, "y", 0), (2, "y", 1),
    ]  # fmt: skip
    assert cells[5].overrides == [
        "experiment=smoke_cgan", "a=2", "b=x", "seed=1", "logger.group=mine"
    ]  # fmt: skip
    assert cells[5].label == "train: a=2 b=x seed=1"


def test_a_stage_takes_the_axes_over_from_the_cell_that_it_names() -> None:
    cells = of(cells_of(study(), ["trainer.max_images=9"]), "evaluate")
    assert [(c.axes, c.seed) for c in cells] == [
        ({"a": 1}, 0), ({"a": 1}, 1), ({"a": 2}, 0), ({"a": 2}, 1)
    ]  # fmt: skip
    assert {tuple(c.overrides) for c in cells} == {("run=cell:train", "split=test")}


def test_overrides_of_training_go_to_training_alone() -> None:
    stages = {
        "prepare": Stage(job="prepare", overrides=["data=drawn"]),
        "train": Stage(job="train"),
        "generate": Stage(job="generate", overrides=["run=cell:train"]),
    }
    cells = cells_of(study(stages=stages, seeds=[3]), ["b=1"])
    assert [c.overrides for c in cells if c.axes == {"a": 1}] == [
        ["data=drawn", "a=1"],
        ["b=1", "a=1", "seed=3", "logger.group=mine"],
        ["run=cell:train", "seed=3"],
    ]


def test_a_stage_s_own_axes_are_its_alone() -> None:
    stages = study().stages
    stages["evaluate"].axes = {"split": ["val", "test"]}
    cells = cells_of(study(stages=stages, seeds=[0]), [])
    assert [c.axes for c in of(cells, "train")] == [{"a": 1}, {"a": 2}]
    assert [c.axes for c in of(cells, "evaluate")] == [
        {"a": 1, "split": "val"}, {"a": 1, "split": "test"},
        {"a": 2, "split": "val"}, {"a": 2, "split": "test"},
    ]  # fmt: skip
    assert of(cells, "evaluate")[0].overrides == ["run=cell:train", "split=test", "split=val"]


def test_what_draws_nothing_is_made_once_for_all_seeds(tmp_path: Path) -> None:
    stages = {
        "prepare": Stage(job="prepare"),
        "again": Stage(job="prepare", overrides=["data.root=cell:prepare"]),
        "train": Stage(job="train", overrides=["data.archive=cell:again"]),
        "evaluate": Stage(job="evaluate", overrides=["run=cell:train"]),
    }
    cells = cells_of(study(stages=stages), [])
    assert [len(of(cells, stage)) for stage in stages] == [2, 2, 4, 4]
    assert [c.label for c in of(cells, "again")] == ["again: a=1", "again: a=2"]
    for cell in of(cells, "again"):
        finish(cell, tmp_path / cell.label)
    found = [resolve(cell, cells) for cell in of(cells, "train")]
    assert [overrides and overrides[0] for overrides in found] == [
        f"data.archive='{tmp_path}/again: a={value}'" for value in (1, 1, 2, 2)
    ]


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("run=cell:trian", "cell:trian names no stage before it; there are train, evaluate"),
        ("run=cell:later", "cell:later names no stage before it"),
        ("run=cell:last", "cell:last names no stage before it"),
        ("data.extra=[cell:train,cell:later]", "cell:later names no stage before it"),
    ],
)
@pytest.mark.parametrize("place", ["overrides", "axes", "train"])
def test_a_stage_can_name_only_one_before_it(override: str, said: str, place: str) -> None:
    key, _, value = override.partition("=")
    stages = study().stages
    stages["evaluate"].axes = {"split": ["val", "test"]}
    stages["last"] = Stage(
        job="train",
        overrides=[override] if place == "overrides" else [],
        axes={key: [None, value]} if place == "axes" else {},
    )
    stages["later"] = Stage(job="train")
    train = [override] if place == "train" else []
    if place == "train":
        stages["train"].job = "prepare"
    with pytest.raises(UserError, match=r"^study\.stages\.last: " + said):
        cells_of(study(stages=stages), train)


def test_a_stage_with_axes_of_its_own_is_named_with_all_of_them() -> None:
    stages = study().stages
    stages["evaluate"].axes = {"split": ["val", "test"]}
    stages["last"] = Stage(job="train", overrides=["data.extra=[cell:evaluate,cell:train]"])
    cells = cells_of(study(stages=stages, seeds=[0]), [])
    assert [c.axes for c in of(cells, "last")] == [c.axes for c in of(cells, "evaluate")]
    first = of(cells, "last")[1]
    needed = ["train: a=1 seed=0", "evaluate: a=1 split=test seed=0"]
    assert [c.label for c in cells if first.needs(c)] == needed


def test_the_first_stage_has_none_before_it() -> None:
    with pytest.raises(UserError, match="there are none"):
        cells_of(study(stages={"train": Stage(job="train", overrides=["x=cell:y"])}), [])


def value_of(override: str) -> Any:
    """As Hydra reads it."""
    config = OmegaConf.create({"value": None})
    parsed = OverridesParser.create().parse_override(override)
    OmegaConf.update(config, "value", parsed.value(), merge=True)
    value = config.value
    return OmegaConf.to_container(value) if OmegaConf.is_config(value) else value


@pytest.mark.parametrize("name", ["plain", "a b", "it's", 'a "b"', "a,b [c] (d)=e", "ends\\"])
def test_cells_get_what_earlier_ones_made(tmp_path: Path, name: str) -> None:
    overrides = ["run=cell:train", "a.b=[cell:train,x,'cell:train',cell:train2]", "c='cell:train'"]
    stages = {
        "train": Stage(job="train"),
        "train2": Stage(job="train"),
        "evaluate": Stage(job="evaluate", overrides=overrides),
    }
    cells = cells_of(study(stages=stages), [])
    last = of(cells, "evaluate")[-1]
    assert resolve(last, cells) is None
    for cell in cells[:-4]:
        finish(cell, tmp_path / name / cell.stage / cell.label.partition(" ")[2])
    folders = [str(tmp_path / name / stage / "a=2 seed=1") for stage in ("train", "train2")]
    resolved = resolve(last, cells)
    assert resolved is not None
    assert [value_of(override) for override in resolved] == [
        folders[0], [folders[0], "x", folders[0], folders[1]], folders[0]
    ]  # fmt: skip
    of(cells, "train2")[-1].status = "failed"
    assert resolve(last, cells) is None


def test_a_path_that_looks_like_a_cell_is_none() -> None:
    stages = {"train": Stage(job="train", overrides=["data.root=/faces/cell:1/x"])}
    (cell,) = cells_of(study(stages=stages, seeds=[0], axes={}), [])
    assert resolve(cell, [cell]) == cell.overrides


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, "a=null"),
        (True, "a=true"),
        (1e-4, "a=0.0001"),
        (1e-7, "a=1e-07"),
        (-3, "a=-3"),
        ("cgan", "a=cgan"),
        ("/faces/x-1.0", "a=/faces/x-1.0"),
        ("null", "a='null'"),
        ("True", "a='True'"),
        ("1e-4", "a='1e-4'"),
        ("12", "a='12'"),
        ("", "a=''"),
        ("a,b", "a='a,b'"),
        ("it's (1)", "a='it\\'s (1)'"),
        (["fear", None, "a b"], "a=[fear,null,'a b']"),
        ({"joy": "happiness"}, "a={joy:happiness}"),
    ],
)
def test_values_arrive_as_the_study_has_them(value: Any, written: str) -> None:
    cell = cells_of(study(axes={"a": [value]}), [])[0]
    assert written in cell.overrides
    arrived = value_of(written)
    assert arrived == value
    assert type(arrived) is type(value)


@pytest.fixture
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("_here")
def test_what_was_done_is_known_at_the_next_start(tmp_path: Path) -> None:
    record = StudyRecord.open(study(), ["b=1"])
    for cell in record.cells[:2]:
        finish(cell, tmp_path / cell.label)
    record.cells[2].status, record.cells[2].error = "failed", "no such thing"
    record.save()
    assert record.path.parent == Path("multirun/study")
    again = StudyRecord.open(study(), ["b=1"])
    assert again == record
    more = StudyRecord.open(study(seeds=[2, 0, 1], axes={"a": [0, 1, 2]}, metrics={}), ["b=1"])
    assert more.path == record.path
    known = {cell.label: cell.status for cell in more.cells if cell.status != "missing"}
    assert known == {
        "train: a=1 seed=0": "done",
        "train: a=1 seed=1": "done",
        "train: a=2 seed=0": "failed",
    }
    assert [len(of(r.cells, "train")) for r in (record, more)] == [4, 9]


@pytest.mark.usefixtures("_here")
def test_other_stages_or_overrides_are_another_study() -> None:
    stages = study().stages
    stages["evaluate"].overrides = ["run=cell:train", "split=val"]
    records = [
        StudyRecord.open(study(), []),
        StudyRecord.open(study(), ["b=1"]),
        StudyRecord.open(study(stages=stages), []),
        StudyRecord.open(study(name="other"), []),
    ]
    assert len({record.path for record in records}) == 4


@pytest.mark.usefixtures("_here")
def test_studies_keep_the_folders_that_they_had_before_there_were_arms() -> None:
    assert StudyRecord.place(study(), ["b=1"]).name == "mine-606a8967"
    stages = study().stages
    stages["train"].arms = {"real": []}
    assert StudyRecord.place(study(stages=stages), ["b=1"]).name != "mine-606a8967"


@pytest.mark.usefixtures("_here")
def test_the_file_says_what_ran(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["fer", "study", "study=mine"])
    record = StudyRecord.open(study(), ["b=1"])
    record.save()
    written = json.loads((record.path / "study.json").read_text())
    assert written["train"] == ["b=1"]
    assert written["command"] == "fer study study=mine"
    assert written["study"]["axes"] == {"a": [1, 2]}
    assert [cell["status"] for cell in written["cells"]] == ["missing"] * 8
    assert [file.name for file in record.path.iterdir()] == ["study.json"]


@pytest.mark.usefixtures("_here")
@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"cells": [{}]}', '{"cells": [{"key": 1}]}'])
def test_a_damaged_file_is_named(text: str) -> None:
    record = StudyRecord.open(study(), [])
    record.save()
    key = record.cells[0].key
    (record.path / "study.json").write_text(text.replace('"key": 1', f'"key": "{key}"'))
    with pytest.raises(UserError, match=r"study\.json is damaged .*: delete it"):
        StudyRecord.open(study(), [])


def test_what_was_deleted_is_to_do_again(tmp_path: Path) -> None:
    cells = cells_of(study(), [])
    trained, evaluated = of(cells, "train")[0], of(cells, "evaluate")[0]
    finish(trained, tmp_path / "run")
    file = tmp_path / "run" / "e.json"
    file.touch()
    evaluated.status, evaluated.path = "done", str(file)
    assert trained.finished
    assert evaluated.finished
    file.unlink()
    assert not evaluated.finished
    (tmp_path / "run" / "results.json").unlink()
    assert not trained.finished


def test_what_was_made_from_an_earlier_result_is_to_do_again(tmp_path: Path) -> None:
    record = StudyRecord(tmp_path, study(), [], cells_of(study(), []))
    for cell in record.cells:
        finish(cell, tmp_path / cell.label)
    record.outdate(record.cells[1])
    assert [c.label for c in record.cells if not c.finished] == ["evaluate: a=1 seed=1"]


def trained(cell: Cell, path: Path, images_seen: int, asked: int | None = None) -> None:
    """As training leaves it."""
    finish(cell, path)
    (path / "results.json").write_text(json.dumps({"images_seen": images_seen}))
    if asked is not None:
        (path / "config.yaml").write_text(f"trainer: {{max_images: {asked}}}")


@pytest.mark.parametrize("job", ["evaluate", "probe"])
def test_a_measurement_of_a_shorter_training_is_to_do_again(tmp_path: Path, job: str) -> None:
    stages = study().stages
    stages["evaluate"].job = job
    cells = cells_of(study(stages=stages), [])
    evaluated = of(cells, "evaluate")[0]
    trained(of(cells, "train")[0], tmp_path / "run", 208)
    file = tmp_path / "run" / "evaluations" / "e.json"
    file.parent.mkdir()
    file.write_text('{"images_seen": 208}')
    evaluated.status, evaluated.path = "done", str(file)
    assert evaluated.finished
    (tmp_path / "run" / "results.json").write_text('{"images_seen": 400}')
    assert not evaluated.finished
    said = "measured after 208 images, while the finished run has seen 400"
    assert evaluated.outdated == said
    file.write_text('{"images_seen": 500}')
    assert str(evaluated.outdated).endswith("go on with its training")
    file.write_text("{")
    assert not evaluated.finished


def test_a_probe_without_a_run_needs_no_more_than_its_file(tmp_path: Path) -> None:
    pixels = Stage(job="probe", overrides=["feature=pixels"])
    (cell,) = cells_of(study(axes={}, stages={"probe": pixels}), [])
    file = tmp_path / "multirun" / "probe" / "pixels" / "evaluations" / "p.json"
    file.parent.mkdir(parents=True)
    file.write_text('{"images_seen": 0}')
    cell.status, cell.path = "done", str(file)
    assert cell.finished
    file.unlink()
    assert not cell.finished


def test_lengths_that_differ_within_a_stage_are_said(tmp_path: Path) -> None:
    cells = cells_of(study(), [])
    for number, (cell, length) in enumerate(zip(cells, (400, 208, 400), strict=False)):
        trained(cell, tmp_path / str(number), length)
    assert lengths_to_mind(cells) == ["train: a=1 seed=1 has seen 208 images; others of train 400"]
    cells[2].status = "missing"
    assert len(lengths_to_mind(cells)) == 2
    cells[1].status = "failed"
    assert lengths_to_mind(cells) == []


def test_a_run_that_was_trained_for_longer_is_said(tmp_path: Path) -> None:
    cells = cells_of(study(seeds=[0]), ["trainer.max_images=100"])
    trained(cells[0], tmp_path / "0", 208, asked=200)
    trained(cells[1], tmp_path / "1", 208, asked=200)
    assert lengths_to_mind(cells) == [
        f"train: a={a} seed=0 was trained before with trainer.max_images=200, and has seen 208 "
        "images; this study asks for 100"
        for a in (1, 2)
    ]
    (tmp_path / "0" / "config.yaml").write_text("trainer: {max_images: 100}")
    (tmp_path / "1" / "config.yaml").write_text("{")
    assert lengths_to_mind(cells) == []


@pytest.mark.usefixtures("_here")
def test_a_narrower_start_keeps_the_other_cells(tmp_path: Path) -> None:
    record = StudyRecord.open(study(), [])
    for cell in record.cells:
        finish(cell, tmp_path / cell.label)
    record.save()
    narrow = StudyRecord.open(study(seeds=[0], axes={"a": [1]}), [])
    assert [cell.label for cell in narrow.cells] == ["train: a=1 seed=0", "evaluate: a=1 seed=0"]
    narrow.outdate(narrow.cells[0])
    narrow.save()
    again = StudyRecord.open(study(), [])
    assert [cell.label for cell in again.cells if cell.status != "done"] == ["evaluate: a=1 seed=0"]
    assert again.kept == []


@pytest.mark.usefixtures("_here")
def test_what_is_made_anew_outdates_kept_cells_too(tmp_path: Path) -> None:
    stages = {
        "prepare": Stage(job="prepare"),
        "train": Stage(job="train", overrides=["data.archive=cell:prepare"]),
    }
    record = StudyRecord.open(study(stages=stages, axes={}), [])
    for cell in record.cells:
        finish(cell, tmp_path / cell.label)
    record.save()
    narrow = StudyRecord.open(study(stages=stages, axes={}, seeds=[0]), [])
    assert [(cell.seed, cell.status) for cell in narrow.kept] == [(1, "done")]
    narrow.outdate(narrow.cells[0])
    assert [cell.status for cell in narrow.kept] == ["missing"]


@pytest.mark.usefixtures("_here")
def test_a_study_runs_once_at_a_time() -> None:
    with StudyRecord.held(study(), []) as record:
        with (
            pytest.raises(UserError, match=f"^{record.path}: another process runs this study"),
            StudyRecord.held(study(seeds=[7]), []),
        ):
            raise AssertionError
        with StudyRecord.held(study(name="other"), []):
            pass
    with StudyRecord.held(study(), []):
        pass


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"name": "a b"}, r"study\.name=a b: use letters"),
        ({"seeds": []}, r"study\.seeds is empty"),
        ({"seeds": [1, 1]}, r"study\.seeds: 1 is there twice"),
        ({"stages": {}}, r"study\.stages is empty"),
        ({"axes": {"a": []}}, r"study\.axes\.a is empty"),
        ({"axes": {"a": [0.0001, 1e-4]}}, r"study\.axes\.a: 0\.0001 is there twice"),
        ({"baseline": {"a": 3}}, r"study\.baseline\.a=3 is no value of study\.axes\.a"),
        ({"baseline": {"b": 1}}, r"study\.baseline\.b=1 is no value of study\.axes\.b"),
        ({"axes": {"arm": ["x"]}}, r"study\.axes\.arm is no key of a job; name the arms in a"),
        ({"baseline": {"arm": "x"}}, r"study\.baseline\.arm: x is no arm; there are none"),
        (
            {"compare": "evaluate"},
            r"study\.compare=evaluate is no stage of train or probe; there are train$",
        ),
        (
            {"metrics": {"fid": Metric(paper={"x": "A/II/50/G loss"})}},
            r"study\.metrics\.fid\.paper: x is no arm",
        ),
        ({"table": ["E/I", 2]}, r"study\.table=.* names no paper's table: write PAPER/TABLE"),
    ],
)
def test_a_study_checks_itself(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        study(**keys)


def test_a_study_accepts_what_it_has() -> None:
    stages = study().stages
    stages["train"].arms = {"real": []}
    stages["evaluate"].axes = {"split": ["val", "test"]}
    metrics = {"accuracy": Metric(paper={"real": ["B/accuracy/baseline/accuracy", "x"]})}
    found = study(
        stages=stages, baseline={"arm": "real", "split": "val"}, compare="train", metrics=metrics
    )
    assert [found.tables, study(table="E/I").tables, study(table=["E/I", "E/II"]).tables] == [
        [],
        ["E/I"],
        ["E/I", "E/II"],
    ]
    assert found.metrics["accuracy"].references("real") == ["B/accuracy/baseline/accuracy", "x"]
    assert found.metrics["accuracy"].references("other") == []
    assert Metric(paper="x").references() == ["x"]
    with pytest.raises(UserError, match=r"paper=3 names no paper's number: write PAPER/TABLE"):
        Metric(paper=3)


def test_a_stage_checks_itself() -> None:
    with pytest.raises(UserError, match=r"study\.stages: job 'study'; choose from prepare, train"):
        Stage(job="study")
    with pytest.raises(UserError, match=r"study\.stages: axes\.split is empty"):
        Stage(job="evaluate", axes={"split": []})
