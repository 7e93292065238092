"""A run that is killed, stopped or continued ends as if nothing had happened."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from fer_lightning.models.classifier.config import ClassifierConfig
from fer_lightning.models.config import FaceFormat
from tests.conftest import Fer
from tests.helpers.runs import saved_run
from tests.helpers.small import EMOTIONS, small_archive

pytestmark = pytest.mark.slow
# Everything that has a state: dropout (global random state), averaging, a generator that steps
# every second batch, augmentation, balanced sampling, evaluation and sample grids in between.
FEED = ["batch_size=8", "augmentation.flip=true", "augmentation.rotation=10"]
ONE = ["data.archive=faces", *(f"data.{setting}" for setting in FEED)]
CGAN = [*ONE, "data.balance=true", "model.latent_dim=8", "model.width=4", "model.dropout=0.3",
        "image_size=16"]  # fmt: skip
DCGAN = [*ONE, "model=dcgan", "model.latent_dim=8", "model.generator_width=4",
         "model.discriminator_width=4", "image_size=32"]  # fmt: skip
TWO = ["data@domains.source=folder", "domains.source.archive=faces", "domains.source.balance=true",
       *(f"domains.source.{setting}" for setting in FEED), "data@domains.target=folder",
       "domains.target.archive=targets", "domains.target.augmentation.flip=true"]  # fmt: skip
EGC_GAN = [*TWO, "model=egc_gan", "model.encoder=lite", "model.code_dim=8", "model.width=4",
           "model.classifier=judge", "model.identity_weight=1", "image_size=32"]  # fmt: skip
# The schedule has an end of its own, so that it is one for all lengths.
GANMUT = ["data.archive=afraid", *ONE[1:], "model=ganmut", "model.generator_width=4",
          "model.generator_blocks=1", "model.discriminator_width=4", "model.depth=4",
          "model.schedule_images=2240", "model.decay_images=1400", "image_size=32"]  # fmt: skip
SETTINGS = [
    "train",
    "model.critic_steps=2",
    "model.ema_half_life=500",
    "trainer.accelerator=cpu",
    "trainer.log_images=112",
    "trainer.sample_images=560",
    "trainer.checkpoint_images=400",
    "trainer.progress=false",
    "logger=csv",
]


def arguments(run: str, images: int, *more: str, model: list[str] = CGAN) -> list[str]:
    return [*SETTINGS, *model, f"run_dir={run}", f"trainer.max_images={images}", *more]


def checkpoint(run: Path) -> dict[str, Any]:
    saved: dict[str, Any] = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
    return saved


def assert_equal_runs(one: Path, other: Path) -> None:
    a, b = checkpoint(one), checkpoint(other)
    assert a["state_dict"].keys() == b["state_dict"].keys()
    assert all(torch.equal(w, b["state_dict"][name]) for name, w in a["state_dict"].items())
    assert str(a["optimizer_states"]) == str(b["optimizer_states"])
    assert torch.equal(a["fer"]["random"][0]["noise"], b["fer"]["random"][0]["noise"])
    assert torch.equal(a["fer"]["random"][0]["torch"], b["fer"]["random"][0]["torch"])
    assert (one / "metrics.csv").read_bytes() == (other / "metrics.csv").read_bytes()


def start(command: list[str], cwd: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "fer_lightning", *command],
        cwd=cwd,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def logged(run: Path) -> int:
    """Clock of the newest complete row of metrics.csv."""
    file = run / "metrics.csv"
    rows = file.read_text().splitlines()[1:] if file.is_file() else []
    return int(rows[-1].split(",")[0]) if rows else 0


def wait_beyond(process: subprocess.Popen[str], run: Path, images: int) -> None:
    deadline = time.monotonic() + 120
    while logged(run) <= images:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_ten_kills_change_nothing(fer: Fer, tmp_path: Path) -> None:
    small_archive(tmp_path / "faces")
    # Measuring while training shows, too, that it draws from streams of its own.
    images, measured = 20_000, "trainer.evaluate_images=5000"
    whole = fer(*arguments("whole", images, measured), OMP_NUM_THREADS="1")
    assert whole.returncode == 0, whole.stderr
    moments = random.Random(0)
    run = tmp_path / "killed"
    seen = 0
    for _ in range(10):
        process = start(arguments("killed", images, measured), tmp_path)
        wait_beyond(process, run, seen)
        time.sleep(moments.uniform(0, 0.6))
        seen = logged(run)
        process.send_signal(signal.SIGKILL)
        out, errors = process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL, (out, errors)
    last = start(arguments("killed", images, measured), tmp_path)
    out, errors = last.communicate(timeout=300)
    assert last.returncode == 0, errors
    resumed = int(re.search(r"resumed at ([\d,]+) images", out)[1].replace(",", ""))  # type: ignore[index]
    assert seen - 400 - 8 <= resumed < images
    assert_equal_runs(tmp_path / "whole", run)


def test_a_stopped_run_ends_with_the_same_weights_and_rows(fer: Fer, tmp_path: Path) -> None:
    small_archive(tmp_path / "faces")
    whole = fer(*arguments("whole", 4000), OMP_NUM_THREADS="1")
    assert whole.returncode == 0, whole.stderr
    process = start(arguments("stopped", 4000), tmp_path)
    wait_beyond(process, tmp_path / "stopped", 200)
    process.send_signal(signal.SIGTERM)
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert out.splitlines()[-1].startswith("go on with: fer train")
    rest = fer(*arguments("stopped", 4000), OMP_NUM_THREADS="1")
    assert rest.returncode == 0, rest.stderr
    assert "resumed at " in rest.stdout
    assert_equal_runs(tmp_path / "whole", tmp_path / "stopped")
    longer = fer(*arguments("stopped", 4008), OMP_NUM_THREADS="2")
    assert "this run was trained with 1 threads and goes on with 2" in longer.stderr
    assert "OMP_NUM_THREADS=1" in longer.stderr


def test_a_run_that_lost_its_results_trains_no_further(fer: Fer, tmp_path: Path) -> None:
    small_archive(tmp_path / "faces")
    command = arguments("run", 240, "trainer.evaluate_images=120")
    fer(*command, OMP_NUM_THREADS="1")
    run = tmp_path / "run"
    before, table = checkpoint(run), (run / "metrics.csv").read_bytes()
    results = json.loads((run / "results.json").read_text())
    (run / "results.json").unlink()  # as if it had been killed just before they were written
    done = fer(*command, OMP_NUM_THREADS="1")
    assert done.returncode == 0, done.stderr
    again = json.loads((run / "results.json").read_text())
    assert again["images_seen"] == 240
    assert again["metrics"] == results["metrics"]
    assert again["protocol"] == results["protocol"] is not None
    assert (run / "metrics.csv").read_bytes() == table
    assert str(checkpoint(run)["state_dict"]) == str(before["state_dict"])
    longer = fer(*arguments("run", 480), OMP_NUM_THREADS="1")
    assert longer.returncode == 0, longer.stderr
    unmeasured = json.loads((run / "results.json").read_text())
    assert unmeasured["protocol"] is None
    assert not [name for name in unmeasured["metrics"] if "pixels" in name]


@pytest.mark.parametrize(
    ("model", "size"),
    [(CGAN, 16), (DCGAN, 32), (EGC_GAN, 32), (GANMUT, 32)],
    ids=["cgan", "dcgan", "egc_gan", "ganmut"],
)
def test_a_run_in_three_lengths_is_a_run_in_one(
    fer: Fer, tmp_path: Path, model: list[str], size: int
) -> None:
    small_archive(tmp_path / "faces", size=size)
    small_archive(tmp_path / "targets", size=size, seed=1)
    small_archive(tmp_path / "afraid", size=size, emotions=["neutral", "fear", "anger"])
    known = FaceFormat(image_size=16, channels=1, classes=EMOTIONS, frequencies=[1] * 3)
    saved_run(tmp_path / "judge", ClassifierConfig(width=4), known)
    # All lengths end on rows of metrics.csv, which a shorter run would else write early, and at
    # the end of an epoch: Lightning forgets where the loader is when that happens twice.
    for run, lengths in (("once", [2240]), ("thrice", [1120, 1680, 2240])):
        for images in lengths:
            done = fer(*arguments(run, images, model=model), OMP_NUM_THREADS="1")
            assert done.returncode == 0, done.stderr
    assert "resumed at 1,680 images" in done.stdout
    assert_equal_runs(tmp_path / "once", tmp_path / "thrice")
