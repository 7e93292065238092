"""The real command: probe a run, find it probed, and clear words for every mistake."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from PIL import Image

from tests.conftest import Fer
from tests.helpers.small import class_folders
from tests.smoke.conftest import Here

FEW = ["probe.folds=3", "probe.inner_folds=2", "probe.evaluations=2", "accelerator=cpu"]
SMALL = ["fit.count=42", "fit.picture_size=32", "fit.subjects=6", "detector=whole_image"]
PROBE = ["probe", "run=RUN", "layer=discriminator.blocks", *FEW]


@pytest.mark.slow
def test_emotions_are_probed_once(fer: Fer, here: Here, run: Path, trained: Path) -> None:
    command = [*PROBE, f"fit.archive={trained / 'faces'}"]
    done = fer(*command)
    assert done.returncode == 0, done.stderr
    path = run.parent / done.stdout.splitlines()[-1].removeprefix("probe: ")
    assert path.parent == run / "evaluations"
    assert path.name.startswith("probe-small-emotion-")
    written = path.read_bytes()
    content = json.loads(written)
    assert content["job"] == "probe"
    assert content["images_seen"] == 16
    assert content["protocol"]["feature"]["layer"] == "discriminator.blocks"
    assert content["archives"][0]["key"] == content["protocol"]["fit"]["archives"][0]
    assert 0 <= content["metrics"]["probe_accuracy_grouped_nested"] <= 1
    assert content["confusion"]["protocol"] == "grouped_nested"
    assert "with their labels: what it scores on them is no test" in done.stdout
    for name in ("confusion", "roc"):
        assert Image.open(path.with_name(f"{path.stem}-{name}.png")).width > 300
    rows = pq.read_table(path.with_suffix(".parquet")).to_pylist()
    assert len(rows) == 180
    assert {row["fold_grouped"] for row in rows if row["subject"] == "S1"} == {
        rows[1]["fold_grouped"]
    }
    right = [row["emotion"] == row["predicted_grouped_nested"] for row in rows]
    accuracy = content["metrics"]["probe_accuracy_grouped_nested"]
    assert sum(right) / len(right) == pytest.approx(accuracy)
    _, again, _ = here(*command)
    assert "this was measured before" in again
    assert again.splitlines()[-1] == done.stdout.splitlines()[-1]
    assert path.read_bytes() == written
    _, forced, _ = here(*command, "force=true")
    assert "measured before" not in forced
    assert json.loads(path.read_bytes())["metrics"] == content["metrics"]
    status, _, _ = here(*command, "probe.seed=1", "probe.nested=false")
    assert status == 0
    assert len(list(path.parent.glob("probe-*.json"))) == 2


@pytest.mark.slow
def test_units_are_probed_on_other_faces(here: Here, run: Path, tmp_path: Path) -> None:
    class_folders(tmp_path / "others")
    command = [*PROBE, *SMALL, "task=au", "data@test=folder", f"test.root={tmp_path / 'others'}"]
    status, out, errors = here(*command)
    assert status == 0, errors
    (path,) = (run / "evaluations").glob("probe-drawn-to-folder-au-*.json")
    content = json.loads(path.read_text())
    assert 0 <= content["metrics"]["probe_au_auc/AU12"] <= 1
    assert "probe_au_auc/AU9" in content["protocol"]["left_out"]
    assert "folder has no coded action units" in out
    assert "not measured (no tested image shows it): " in out
    assert content["protocol"]["test"]["relabelled"]
    assert not content["protocol"]["fit"]["relabelled"]
    columns = pq.read_table(path.with_suffix(".parquet")).column_names
    assert {"AU12", "predicted_AU12", "score_AU12"} <= set(columns)
    assert not list(path.parent.glob("*confusion*"))


@pytest.mark.slow
def test_pixels_need_no_run_and_an_archive_no_corpus(here: Here, run: Path, trained: Path) -> None:
    command = ["probe", "feature=pixels", *FEW, *SMALL, "probe.classifier=knn"]
    status, _, errors = here(*command, f"test.archive={trained / 'faces'}")
    assert status == 0, errors
    folder = run.parent / "multirun" / "probe" / "pixels" / "evaluations"
    (path,) = folder.glob("probe-drawn-to-small-emotion-*.json")
    content = json.loads(path.read_text())
    assert content["images_seen"] == 0
    assert content["run"] is None
    assert content["protocol"]["classes"] == ["happiness", "sadness", "anger"]
    assert set(content["protocol"]["fit"]["left_out"]) == {
        "neutral",
        "surprise",
        "fear",
        "disgust",
    }


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (["layer=discriminator.block"], "layer=discriminator.block: the network has no such layer"),
        (
            ["layer=generator.dense"],
            "layer=generator.dense: no face passes through this layer; did",
        ),
        (["run=NOWHERE"], "run=NOWHERE: there is no checkpoints/last.ckpt"),
        (["feature=pixels"], "run=RUN and feature=pixels each name the features"),
        (["data@test=table", "test.rot=x"], "there is no key test.rot; did you mean test.root?"),
        (["data@test=table"], "data@test=table needs test.root=DIR"),
        (["data@test=folder", "test.root=NOWHERE"], "test.root=NOWHERE: there is no such folder"),
        (["test.root=x"], "test.root='x' needs a choice there: pass data@test=NAME, too"),
        (["data=drawn"], "there is no key data; did you mean data@fit?"),
        (["detector@tset.detector=mtcnn"], "did you mean detector@test.detector?"),
        (["fit.detector.margin=0"], "pass detector@fit.detector=NAME, too"),
        (["task=pose"], "task=pose"),
        (["probe.folds=1"], "probe.folds=1: give at least 2"),
        (["fit_split=val"], "fit_split=val: drawn has no such images"),
    ],
)
def test_mistakes_end_in_one_line(overrides: list[str], told: str, here: Here, run: Path) -> None:
    keys = {override.partition("=")[0] for override in overrides}
    command = [word for word in PROBE if word.partition("=")[0] not in keys]
    status, _, errors = here(*command, *SMALL, "fit.split.val=0", *overrides)
    assert status == 2
    (line,) = (line for line in errors.splitlines() if line.startswith("fer: error: "))
    assert told in line
