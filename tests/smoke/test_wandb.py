"""The real W&B, offline: one run a job, whole, with the right exit state."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from fer_lightning.loggers.wandb_sync import sync_line
from fer_lightning.studies.cells import Cell
from tests.conftest import Fer
from tests.helpers.small import small_archive
from tests.helpers.wandb_file import WandbRun, read_run

pytestmark = pytest.mark.slow
TINY = ["train", "model.width=4", "model.latent_dim=8", "image_size=16", "data.batch_size=8",
        "trainer.log_images=16", "trainer.sample_images=40", "trainer.accelerator=cpu",
        "trainer.progress=false"]  # fmt: skip


def runs(folder: Path) -> list[WandbRun]:
    return [read_run(place) for place in sorted(folder.glob("wandb/offline-run-*"))]


def test_a_sweep_makes_a_run_a_cell(fer: Fer, tmp_path: Path) -> None:
    archive = small_archive(tmp_path / "faces").path
    done = fer(*TINY, "-m", f"data.archive={archive}", "trainer.max_images=80", "seed=1,2",
               "logger.group=mine")  # fmt: skip
    assert done.returncode == 0, done.stderr
    folders = sorted((tmp_path / "multirun" / "train").glob("cgan-*"))
    found = [run for folder in folders for run in runs(folder)]
    assert len(found) == len(folders) == 2
    assert len({run.id for run in found}) == 2
    for run, folder in zip(found, folders, strict=True):
        assert (run.group, run.job_type, run.exit_code) == ("mine", "train", 0)
        assert run.config["model"]["width"] == 4
        assert f"-s{run.config['seed']}-" in run.id
        assert run.step_metrics["*"] == "images_seen"
        with (folder / "metrics.csv").open(newline="") as file:
            rows = [(int(r["images_seen"]), r["d_mean"]) for r in csv.DictReader(file)]
        logged = [h for h in run.history if "d_mean" in h]
        assert [h["images_seen"] for h in logged] == [seen for seen, mean in rows if mean]
        pictures = [h for h in run.history if "samples.path" in h]
        assert [h["images_seen"] for h in pictures] == [40, 80]
        assert any("curves.path" in h for h in run.history)


def test_a_continued_run_is_whole_and_a_failed_one_is_failed(fer: Fer, tmp_path: Path) -> None:
    archive = small_archive(tmp_path / "faces").path
    command = [*TINY, f"data.archive={archive}", "run_dir=RUN"]
    for images in (80, 160):
        done = fer(*command, f"trainer.max_images={images}")
        assert done.returncode == 0, done.stderr
    first, second = runs(tmp_path / "RUN")
    assert first.id == second.id
    seen = [h["images_seen"] for h in second.history if "d_mean" in h]
    assert seen == list(range(16, 161, 16))
    diverged = fer(*TINY, f"data.archive={archive}", "run_dir=BAD", "model.generator_lr=1e30",
                   "trainer.max_images=8000")  # fmt: skip
    assert diverged.returncode == 2
    (failed,) = runs(tmp_path / "BAD")
    assert failed.exit_code == 1


@pytest.mark.parametrize("key", ["", "a" * 40], ids=["no key", "no network"])
def test_online_without_a_key_or_a_network_trains_on(fer: Fer, tmp_path: Path, key: str) -> None:
    archive = small_archive(tmp_path / "faces").path
    done = fer(*TINY, f"data.archive={archive}", "run_dir=RUN", "trainer.max_images=80",
               "logger=wandb_online", HOME=str(tmp_path), WANDB_API_KEY=key, NETRC="/none",
               WANDB_BASE_URL="http://127.0.0.1:9")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "W&B goes on offline" in done.stderr
    (run,) = runs(tmp_path / "RUN")
    assert run.exit_code == 0
    assert len([h for h in run.history if "d_mean" in h]) == 5


def test_a_measurement_is_a_run_of_the_group_and_one_line_uploads_all(
    fer: Fer, tmp_path: Path
) -> None:
    archive = small_archive(tmp_path / "faces", size=32, count=180).path
    done = fer("train", "model=classifier", f"data.archive={archive}", "image_size=32",
               "run_dir=RUN", "model.width=4", "trainer.max_images=64", "data.batch_size=16",
               "model.validation_images=64", "trainer.accelerator=cpu", "logger.group=mine",
               "logger.tags=[first]")  # fmt: skip
    assert done.returncode == 0, done.stderr
    done = fer("evaluate", "run=RUN", "accelerator=cpu")
    assert done.returncode == 0, done.stderr
    training, measured = runs(tmp_path / "RUN")
    assert training.tags == ["classifier", "first"]
    assert (measured.group, measured.job_type, measured.exit_code) == ("mine", "evaluate", 0)
    assert measured.tags == ["classifier", "small", "test", "first"]
    assert measured.config["model"] == training.config["model"]
    assert measured.config["protocol"]["split"] == "test"
    (row,) = measured.history
    (file,) = (tmp_path / "RUN" / "evaluations").glob("*.json")
    content = json.loads(file.read_text())
    assert {name: row[name] for name in content["metrics"]} == content["metrics"]
    assert row["images_seen"] == 64
    for name in ("tables/measures", "tables/classes", "confusion_matrix_table"):
        assert any(key.startswith(name) for key in row), f"{name} not in {list(row)}"
    assert any(key.startswith("pictures/picture") for key in row)

    cells = [Cell("train", "train", 0, {}, [], "done", str(tmp_path / "RUN")),
             Cell("test", "evaluate", 0, {}, [], "done", str(file))]  # fmt: skip
    line = sync_line(tmp_path / "study", cells)
    assert line is not None
    command = line.replace("wandb sync", f"{sys.executable} -m wandb sync --dry-run")
    said = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert "Would sync 2 run(s)" in said.stderr + said.stdout
