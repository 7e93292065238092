"""The real W&B, offline: one run a job, whole, with the right exit state."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

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
