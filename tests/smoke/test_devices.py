"""The real command on two devices: what one would train, stopped, killed and swept.

The devices are processes on the CPU; the first one starts the other.
"""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from fer_lightning.cli import main
from tests.conftest import Fer
from tests.helpers.small import small_archive

pytestmark = pytest.mark.skipif(
    (os.cpu_count() or 1) < 2 or not Path("/proc/self/cmdline").is_file(),
    reason="needs hardware: two cores, under Linux",
)
SETTINGS = [
    "train",
    "model.width=4",
    "model.latent_dim=8",
    "model.dropout=0.3",
    "model.critic_steps=2",
    "image_size=16",
    "data.batch_size=8",
    "data.augmentation.flip=true",
    "trainer.accelerator=cpu",
    "trainer.log_images=16",
    "trainer.sample_images=800",
    "trainer.checkpoint_images=80",
    "trainer.progress=false",
    "logger=csv",
]
TWO = [*SETTINGS, "trainer.devices=2"]
ENDLESS = "trainer.max_images=10000000"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return small_archive(tmp_path / "faces", count=90).path


def rows(run: Path) -> list[dict[str, str]]:
    if not (run / "metrics.csv").is_file():
        return []
    with (run / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def checkpoint(run: Path) -> dict[str, Any]:
    saved: dict[str, Any] = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
    return saved


def start(command: list[str], cwd: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "fer_lightning", *command],
        cwd=cwd,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for(process: subprocess.Popen[str], what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not what():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def processes(folder: Path) -> list[int]:
    """Those whose command line names something in ``folder``, as ``data.archive=`` does."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if f"{folder}/".encode() in file.read_bytes():
                found.append(int(file.parent.name))
        except OSError:  # it has just ended
            continue
    return found


def assert_none_left(folder: Path, seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while processes(folder) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert processes(folder) == []


@pytest.mark.slow
def test_two_devices_train_the_epochs_of_one_and_measure_what_evaluate_does(
    fer: Fer, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 60 training images are seven batches of 8 and a rest, which no device may fill up.
    more = [f"data.archive={archive}", "trainer.max_images=120"]
    done = fer(*TWO, *more, "run_dir=TWO", "trainer.evaluate_images=64")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout.splitlines()[-1] == "run:     TWO"
    assert_none_left(tmp_path)
    two = tmp_path / "TWO"
    assert "Traceback" not in (two / "rank1.log").read_text()
    results = json.loads((two / "results.json").read_text())
    assert results["devices"] == 2
    assert results["images_seen"] == checkpoint(two)["fer"]["images_seen"] == 120
    assert len(checkpoint(two)["fer"]["random"]) == 2
    written = rows(two)
    losses = [int(row["images_seen"]) for row in written if row["d_mean"]]
    assert losses == [16, 32, 48, 64, 80, 96, 112, 120]
    measured = [int(row["images_seen"]) for row in written if row["frechet_pixels"]]
    assert measured == [64, 120]
    one = fer(*SETTINGS, *more, "run_dir=ONE")
    assert one.returncode == 0, one.stderr
    epochs = [
        [(row["images_seen"], row["epoch"]) for row in rows(run) if row["epoch"]]
        for run in (two, tmp_path / "ONE")
    ]
    assert epochs[0] == epochs[1] == [("56", "1"), ("112", "2")]
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", "run=TWO", "split=val", "feature=pixels", "accelerator=cpu"]) == 0
    (file,) = (two / "evaluations").glob("*.json")
    evaluated = json.loads(file.read_text())["metrics"]
    assert evaluated["frechet_pixels"] > 0
    # Two devices add their sums in another order than one.
    trained = {name: results["metrics"][name] for name in evaluated}
    assert evaluated == pytest.approx(trained, rel=1e-6, abs=1e-9)


@pytest.mark.slow
def test_two_devices_that_are_stopped_and_killed_end_as_if_nothing_had_been(
    fer: Fer, archive: Path, tmp_path: Path
) -> None:
    command = [*TWO, f"data.archive={archive}", "trainer.max_images=4000"]
    whole = fer(*command, "run_dir=WHOLE", OMP_NUM_THREADS="1")
    assert whole.returncode == 0, whole.stderr
    command.append("run_dir=RUN")
    run = tmp_path / "RUN"

    stopped = start(command, tmp_path)
    wait_for(stopped, lambda: len(rows(run)) > 3)
    stopped.send_signal(signal.SIGTERM)  # to the first process alone
    out, errors = stopped.communicate(timeout=60)
    assert stopped.returncode == 130, errors
    assert "Traceback" not in errors + (run / "rank1.log").read_text()
    assert out.splitlines()[-1].startswith("go on with: fer train")
    said = re.search(r"stopped at ([\d,]+) of 4,000 images", out)
    assert said is not None, out
    assert checkpoint(run)["fer"]["images_seen"] == int(said[1].replace(",", ""))
    assert_none_left(tmp_path)

    killed = start(command, tmp_path)
    seen = len(rows(run))
    wait_for(killed, lambda: len(rows(run)) > seen + 10)
    os.killpg(killed.pid, signal.SIGKILL)
    out, _ = killed.communicate(timeout=60)
    assert f"resumed at {said[1]} images" in out
    assert not (run / "results.json").exists()
    assert_none_left(tmp_path)

    resumed = fer(*command, OMP_NUM_THREADS="1")
    assert resumed.returncode == 0, resumed.stderr
    assert re.search(r"resumed at [\d,]+ images", resumed.stdout)
    a, b = checkpoint(tmp_path / "WHOLE"), checkpoint(run)
    assert all(torch.equal(w, b["state_dict"][name]) for name, w in a["state_dict"].items())
    assert str(a["optimizer_states"]) == str(b["optimizer_states"])
    for mine, other in zip(a["fer"]["random"], b["fer"]["random"], strict=True):
        assert torch.equal(mine["noise"], other["noise"])
        assert torch.equal(mine["torch"], other["torch"])
    csv_files = [folder / "metrics.csv" for folder in (tmp_path / "WHOLE", run)]
    assert csv_files[0].read_bytes() == csv_files[1].read_bytes()


@pytest.mark.slow
def test_a_device_that_dies_ends_the_run_with_its_log(archive: Path, tmp_path: Path) -> None:
    process = start([*TWO, f"data.archive={archive}", "run_dir=RUN", ENDLESS], tmp_path)
    saved = tmp_path / "RUN" / "checkpoints" / "last.ckpt"
    wait_for(process, saved.is_file)
    (other,) = (pid for pid in processes(tmp_path) if pid != process.pid)
    os.kill(other, signal.SIGKILL)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 2, errors
    assert errors.count("fer: error: ") == 1
    assert "process 1 of trainer.devices failed: ended by SIGKILL" in errors
    assert errors.rstrip().endswith("see RUN/rank1.log")
    assert "Traceback" not in errors
    assert checkpoint(tmp_path / "RUN")["fer"]["images_seen"] >= 80
    assert_none_left(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("first", [False, True], ids=["other", "first"])
def test_none_waits_for_one_that_died_before_they_met(
    archive: Path, tmp_path: Path, first: bool
) -> None:
    process = start([*TWO, f"data.archive={archive}", "run_dir=RUN", ENDLESS], tmp_path)
    wait_for(process, lambda: len(processes(tmp_path)) == 2)
    (other,) = (pid for pid in processes(tmp_path) if pid != process.pid)
    os.kill(process.pid if first else other, signal.SIGKILL)
    _, errors = process.communicate(timeout=60)
    if first:
        assert process.returncode == -signal.SIGKILL
    else:
        assert process.returncode != 0
        assert errors.count("fer: error: ") == 1
        assert "ended by SIGKILL" in errors
        assert "see RUN/rank1.log" in errors
    assert_none_left(tmp_path)


@pytest.mark.slow
def test_a_sweep_of_two_devices_a_cell(fer: Fer, archive: Path, tmp_path: Path) -> None:
    done = fer(*TWO, "-m", "hydra/launcher=pool", "hydra.launcher.devices_per_cell=2",
               f"data.archive={archive}", "trainer.max_images=80", "seed=0,1")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "fer: 2 of 2 cells done" in done.stderr
    found = [
        json.loads(f.read_text()) for f in (tmp_path / "multirun").glob("train/*/results.json")
    ]
    assert sorted(results["seed"] for results in found) == [0, 1]
    assert all(results["devices"] == 2 for results in found)
    assert_none_left(tmp_path)


MISTAKES = [
    (["-m", "seed=0,1"], "hydra/launcher=pool hydra.launcher.devices_per_cell=2"),
    (["data.batch_size=9"], "data.batch_size=9 cannot be shared by trainer.devices=2"),
    (["trainer.sync_batchnorm=true"], "trainer.sync_batchnorm=true: PyTorch's SyncBatchNorm"),
    ([f"trainer.devices={(os.cpu_count() or 1) + 1}"], "CPU cores here"),
]


@pytest.mark.parametrize(("arguments", "remedy"), MISTAKES, ids=lambda v: str(v)[:40])
def test_a_mistake_is_said_before_a_process_is_started(
    arguments: list[str],
    remedy: str,
    archive: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    keys = {word.partition("=")[0] for word in arguments}
    others = [word for word in TWO if word.partition("=")[0] not in keys]
    assert main([*others, f"data.archive={archive}", *arguments]) == 2
    error = capfd.readouterr().err
    assert error.startswith("fer: error: ")
    assert remedy in error
    assert "Traceback" not in error
    assert not (tmp_path / "multirun" / "train").exists()
    assert processes(tmp_path) == []
