"""A classifier through the real command: killed, resumed, stopped early, on two devices."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fer_lightning.cli import main
from tests.conftest import Fer
from tests.helpers.small import class_folders, small_archive

# Everything that has a state: dropout, mixup, averaging, selection, a plateau, erased rectangles.
SETTINGS = [
    "train",
    "model=classifier",
    "model.width=4",
    "model.dropout=0.3",
    "model.mixup=0.2",
    "model.ema_half_life=200",
    "model.plateau_patience=1",
    "model.validation_images=400",
    "image_size=16",
    "data.batch_size=8",
    "data.augmentation.flip=true",
    "data.augmentation.crop=0.8",
    "data.augmentation.erasing=0.5",
    "trainer.accelerator=cpu",
    "trainer.log_images=80",
    "trainer.checkpoint_images=400",
    "trainer.progress=false",
    "logger=csv",
]


def checkpoint(run: Path) -> dict[str, Any]:
    saved: dict[str, Any] = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
    return saved


def results(run: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((run / "results.json").read_text())
    return content


@pytest.mark.slow
def test_kills_change_nothing(fer: Fer, tmp_path: Path) -> None:
    archive = small_archive(tmp_path / "faces").path
    command = [*SETTINGS, f"data.archive={archive}", "trainer.max_images=12000"]
    whole = fer(*command, "run_dir=whole", OMP_NUM_THREADS="1")
    assert whole.returncode == 0, whole.stderr
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-m", "fer_lightning", *command, "run_dir=killed"],
            cwd=tmp_path,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        saved = tmp_path / "killed" / "checkpoints" / "last.ckpt"
        before = saved.stat().st_mtime_ns if saved.is_file() else 0
        deadline = time.monotonic() + 120
        while not saved.is_file() or saved.stat().st_mtime_ns == before:
            assert process.poll() is None, "it ended before it was killed"
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait(60)
    resumed = fer(*command, "run_dir=killed", OMP_NUM_THREADS="1")
    assert resumed.returncode == 0, resumed.stderr
    assert "resumed at" in resumed.stdout
    one, other = (checkpoint(tmp_path / name) for name in ("whole", "killed"))
    assert one["state_dict"].keys() == other["state_dict"].keys()
    assert any(name.startswith("selected.") for name in one["state_dict"])
    assert all(torch.equal(w, other["state_dict"][n]) for n, w in one["state_dict"].items())
    assert one["fer"]["validated"] == other["fer"]["validated"]
    assert one["fer"]["validated"]["plateau"] < 1
    logs = [(tmp_path / name / "metrics.csv").read_bytes() for name in ("whole", "killed")]
    assert logs[0] == logs[1]
    assert results(tmp_path / "whole")["metrics"] == results(tmp_path / "killed")["metrics"]


@pytest.mark.slow
@pytest.mark.parametrize("devices", [1, 2])
def test_it_stops_when_nothing_gets_better(fer: Fer, tmp_path: Path, devices: int) -> None:
    archive = small_archive(tmp_path / "faces").path
    command = [
        *SETTINGS,
        f"data.archive={archive}",
        f"trainer.devices={devices}",
        "model.patience=2",
        "model.lr=1e-9",
        "trainer.max_images=1000000",
        "run_dir=RUN",
    ]
    done = fer(*command, OMP_NUM_THREADS="1")
    assert done.returncode == 0, done.stderr
    found = results(tmp_path / "RUN")
    assert found["converged"] is True
    assert found["images_seen"] < 50_000
    assert found["images_seen"] == checkpoint(tmp_path / "RUN")["fer"]["images_seen"]
    assert {"loss", "train_accuracy", "val_accuracy", "val_macro_f1"} <= found["metrics"].keys()
    again = fer(*command, OMP_NUM_THREADS="1")
    assert again.returncode == 0, again.stderr
    assert "when it had nothing more to gain" in again.stdout
    assert results(tmp_path / "RUN") == found


@pytest.mark.slow
def test_train_measure_and_serve_as_features(fer: Fer, tmp_path: Path) -> None:
    """What a newcomer does, on folders of images."""
    source = class_folders(tmp_path / "source", each=30)
    data = ["data=folder", f"data.root={source}", "detector=whole_image", "channels=1"]
    quick = ["trainer.max_images=2000", "model.mixup=0", "model.lr=5e-3"]
    done = fer(*SETTINGS, *data, *quick, "run_dir=RUN")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "run:     RUN"
    assert (tmp_path / "RUN" / "curves.png").is_file()
    measured = fer("evaluate", "run=RUN", "recognition.flip=true")
    assert measured.returncode == 0, measured.stderr
    lines = measured.stdout.splitlines()
    accuracy = float(next(line for line in lines if line.startswith("accuracy")).split()[1])
    assert accuracy > 0.9  # the classes differ in brightness
    picture, predictions, place = (line.split(": ")[1] for line in lines[-3:])
    assert [Path(p).suffix for p in (picture, predictions, place)] == [".png", ".parquet", ".json"]
    assert all((tmp_path / p).is_file() for p in (picture, predictions, place))
    assert json.loads((tmp_path / place).read_text())["intervals"]["accuracy"][0] <= accuracy
    again = fer("evaluate", "run=RUN", "recognition.flip=true")
    assert "this was measured before" in again.stdout
    gan = ["model=cgan", "model.width=4", "model.latent_dim=8", "trainer.max_images=400"]
    common = [s for s in SETTINGS if not s.startswith(("model", "data.aug"))]
    assert fer(*common, *gan, *data, "run_dir=GAN").returncode == 0
    judged = fer("evaluate", "run=GAN", "feature=classifier", "feature.run=RUN")
    assert judged.returncode == 0, judged.stderr
    names = {line.split()[0] for line in judged.stdout.splitlines() if line.split()}
    assert {"fed", "kernel_classifier", "judged_accuracy", "judged_f1"} <= names
    (file,) = (tmp_path / "GAN" / "evaluations").glob("*.json")
    content = json.loads(file.read_text())
    matrix = np.array(content["confusion"]["rows_true"])
    assert matrix.trace() / matrix.sum() == pytest.approx(content["metrics"]["judged_accuracy"])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["trainer.evaluate_images=100"], "model.validation_images"),
        (["model.network=resnet19"], "model.network"),
        (["model.schedule=cosine", "model.schedule_images=0"], "model.schedule_images=0"),
        (["model.network=resnet18", "model.pretrained=true", "model.width=64", "image_size=32",
          "model.weights=nowhere.pth"], "model.weights=nowhere.pth"),
        (["data.soft_labels=true"], "votes"),
        (["data.extra=[nowhere]"], "data.extra=nowhere: there is no such folder"),
        (["data.batch_size=1"], "data.batch_size=1: batch norm"),
        (["model.warmup_images=200000"], "model.warmup_images=200000"),
    ],
)  # fmt: skip
def test_mistakes_are_told(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    arguments: list[str],
    told: str,
) -> None:
    size = 32 if "image_size=32" in arguments else 16
    archive = small_archive(tmp_path / "faces", size=size).path
    monkeypatch.chdir(tmp_path)
    assert main([*SETTINGS, f"data.archive={archive}", "run_dir=RUN", *arguments]) == 2
    error = capfd.readouterr().err
    assert error.startswith("fer: error: ")
    assert told in error


@pytest.mark.slow
def test_keys_of_the_other_kind_are_refused(
    fer: Fer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    archive = small_archive(tmp_path / "faces").path
    command = [*SETTINGS, f"data.archive={archive}", "run_dir=RUN", "trainer.max_images=80"]
    assert fer(*command).returncode == 0
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", "run=RUN"]) == 0
    place = Path(capfd.readouterr().out.splitlines()[-1].removeprefix("evaluation: "))
    place.write_text('{"metrics": {}, "protocol": {}}')
    for arguments, told in (
        (["evaluate", "run=RUN"], "is damaged"),
        (["evaluate", "run=RUN", "evaluation.count=9"], "a classifier: recognition.*"),
        (["evaluate", "run=RUN", "feature=pixels"], "feature=pixels is for generating models"),
        (["generate", "run=RUN"], "generates no images; give the run of a GAN"),
    ):
        assert main(arguments) == 2
        assert told in capfd.readouterr().err
