"""Files that are not what they seem, and disks that are full or read-only: one clear error."""

from __future__ import annotations

import csv
import json
import os
import pickle
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fer_lightning.cli import main
from fer_lightning.data.archive import FaceArchive
from fer_lightning.detectors.mtcnn import WEIGHTS, MTCNNConfig
from fer_lightning.errors import UserError
from tests.conftest import Fer
from tests.helpers.small import small_archive

TRAIN = [
    "train",
    "model.width=4",
    "model.latent_dim=8",
    "image_size=16",
    "data.batch_size=8",
    "trainer.accelerator=cpu",
    "trainer.log_images=16",
    "trainer.sample_images=4000000",
    "trainer.progress=false",
    "logger=csv",
]
EVALUATE = ["evaluate", "run=RUN", "feature=pixels", "accelerator=cpu", "split=train"]
GENERATE = ["generate", "run=RUN", "accelerator=cpu"]


class Evil:
    """Unpickled, it makes a folder."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self):  # type: ignore[no-untyped-def]
        return (os.mkdir, (str(self.target),))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run and its archive, made once; tests work on copies of the run."""
    folder = tmp_path_factory.mktemp("trained")
    archive = small_archive(folder / "faces").path
    arguments = [*TRAIN, f"data.archive={archive}", "run_dir=RUN", "trainer.max_images=40"]
    subprocess.run([sys.executable, "-m", "fer_lightning", *arguments], cwd=folder,
                   check=True, timeout=300, capture_output=True)  # fmt: skip
    return folder


@pytest.fixture
def run(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(trained / "RUN", tmp_path / "RUN")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "RUN"


def refused(capfd: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one error that the command ends with."""
    capfd.readouterr()
    assert main(arguments) == 2
    error = capfd.readouterr().err
    assert error.count("fer: error: ") == 1
    assert "Traceback" not in error
    return error[error.index("fer: error: ") :]


def checkpoint(run: Path) -> dict[str, Any]:
    saved: dict[str, Any] = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
    return saved


def rows(run: Path) -> list[dict[str, str]]:
    if not (run / "metrics.csv").is_file():
        return []
    with (run / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


# Files in the place of a checkpoint. Whether code in one is run by its reader is a unit test's
# matter, but each job has to come by that reader.


def _zipped_code(path: Path, proof: Path) -> None:
    torch.save({"fer": Evil(proof), "state_dict": {}}, path)


def _plain_code(path: Path, proof: Path) -> None:
    path.write_bytes(pickle.dumps(Evil(proof), protocol=2))


def _truncated(path: Path, proof: Path) -> None:
    path.write_bytes(path.read_bytes()[:-2000])


def _random(path: Path, proof: Path) -> None:
    path.write_bytes(np.random.default_rng(0).bytes(5000))


def _empty(path: Path, proof: Path) -> None:
    path.write_bytes(b"")


def _foreign(path: Path, proof: Path) -> None:
    torch.save({"state_dict": {"w": torch.zeros(3)}, "pytorch-lightning_version": "2.5"}, path)


def _namesake(path: Path, proof: Path) -> None:
    torch.save({"fer": {"epoch": 3}, "state_dict": {}}, path)


def _other_weights(path: Path, proof: Path) -> None:
    saved = torch.load(path, weights_only=True)
    saved["state_dict"].popitem()
    torch.save(saved, path)


Spoil = Callable[[Path, Path], None]
SPOILT = [_zipped_code, _plain_code, _truncated, _random, _empty, _foreign, _namesake]


@pytest.mark.parametrize("spoil", [*SPOILT, _other_weights])
@pytest.mark.parametrize("command", [EVALUATE, GENERATE], ids=lambda c: c[0])
def test_a_checkpoint_that_is_none_is_refused(
    run: Path, capfd: pytest.CaptureFixture[str], command: list[str], spoil: Spoil
) -> None:
    proof = run.parent / "executed"
    spoil(run / "checkpoints" / "last.ckpt", proof)
    assert "RUN/checkpoints/last.ckpt" in refused(capfd, *command)
    assert not proof.exists()
    assert not (run / "generated").exists()


@pytest.mark.slow
@pytest.mark.parametrize("spoil", [_zipped_code, _namesake])
def test_no_run_goes_on_from_a_checkpoint_that_is_none(
    fer: Fer, run: Path, trained: Path, spoil: Spoil
) -> None:
    proof = run.parent / "executed"
    spoil(run / "checkpoints" / "last.ckpt", proof)
    before = (run / "metrics.csv").read_bytes()
    done = fer(*TRAIN, f"data.archive={trained / 'faces'}", "run_dir=RUN", "trainer.max_images=80")
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("fer: error: RUN/checkpoints/last.ckpt")
    assert "delete it to start anew" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not proof.exists()
    assert (run / "metrics.csv").read_bytes() == before


def test_faces_that_are_pickled_objects_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    archive = small_archive(tmp_path / "faces").path
    np.save(archive / "faces.npy", np.array([Evil(tmp_path / "executed")]), allow_pickle=True)
    error = refused(capfd, *TRAIN, f"data.archive={archive}")
    assert f"{archive}/faces.npy cannot be read" in error
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("zipped", [True, False])
def test_a_detector_s_weights_run_no_code(tmp_path: Path, zipped: bool) -> None:
    for name in WEIGHTS:
        (_zipped_code if zipped else _plain_code)(tmp_path / name, tmp_path / "executed")
    with pytest.raises(UserError, match=r"detector\.weights=.*: pnet\.pt does not hold"):
        MTCNNConfig(weights=tmp_path).build()
    assert not (tmp_path / "executed").exists()


def test_the_configuration_of_a_run_runs_no_code(
    run: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    config = run / "config.yaml"
    config.write_text(
        f"{config.read_text()}\nevil: !!python/object/apply:os.mkdir ['{run.parent}/executed']\n"
    )
    assert "RUN does not say what it was trained on" in refused(capfd, *EVALUATE)
    assert not (run.parent / "executed").exists()


class Disk:
    """A small disk of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def mount(self, size: str) -> bool:
        if sys.platform != "linux" or shutil.which("mount") is None:
            return False
        self.path.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(self.path)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def remount(self, option: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{option}", str(self.path)], check=True)

    def fill(self) -> None:
        with (self.path / "filler").open("wb", buffering=0) as file:
            try:
                while file.write(bytes(4096)):
                    pass
            except OSError:
                pass


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    found = Disk(tmp_path / "disk")
    if not found.mount("700k"):
        pytest.skip("needs hardware: root to mount a tmpfs")
    yield found
    subprocess.run(["umount", "--lazy", str(found.path)], check=True)


@pytest.mark.slow
def test_a_run_that_fills_the_disk_goes_on_when_there_is_room(
    fer: Fer, disk: Disk, tmp_path: Path
) -> None:
    archive = small_archive(tmp_path / "faces").path
    command = [*TRAIN, f"data.archive={archive}", "run_dir=disk/RUN", "trainer.max_images=400",
               "trainer.checkpoint_images=40"]  # fmt: skip
    run = disk.path / "RUN"
    full = fer(*command)
    assert full.returncode == 2, full.stderr
    assert full.stderr.startswith("fer: error: disk/RUN/checkpoints/last")
    assert "No space left on device): make room" in full.stderr
    assert len(full.stderr.splitlines()) == 1
    assert os.listdir(run / "checkpoints") == ["last.ckpt"]
    seen = checkpoint(run)["fer"]["images_seen"]
    assert 0 < seen < 400
    clock = [int(row["images_seen"]) for row in rows(run)]
    assert clock == sorted(clock)
    disk.remount("ro")
    before = (run / "metrics.csv").read_bytes()
    unwritable = fer(*command)
    assert unwritable.returncode == 2
    assert "disk/.RUN.lock cannot be written (Read-only file system)" in unwritable.stderr
    assert len(unwritable.stderr.splitlines()) == 1
    assert (run / "metrics.csv").read_bytes() == before
    disk.remount("rw,size=8m")
    done = fer(*command)
    assert done.returncode == 0, done.stderr
    assert f"resumed at {seen} images" in done.stdout
    assert json.loads((run / "results.json").read_text())["images_seen"] == 400
    clock = [int(row["images_seen"]) for row in rows(run) if row["d_mean"]]
    assert clock == list(range(16, 401, 16))


@pytest.mark.slow
def test_wandb_on_a_full_disk_neither_hangs_nor_hides_the_error(disk: Disk, tmp_path: Path) -> None:
    archive = small_archive(tmp_path / "faces").path
    command = [*TRAIN, f"data.archive={archive}", "run_dir=disk/RUN", "logger=wandb",
               "trainer.max_images=10000000", "trainer.checkpoint_images=10000000"]  # fmt: skip
    process = subprocess.Popen([sys.executable, "-m", "fer_lightning", *command], cwd=tmp_path,
                               stderr=subprocess.PIPE, text=True)  # fmt: skip
    run = disk.path / "RUN"
    deadline = time.monotonic() + 120
    while len(rows(run)) < 3 and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    disk.fill()
    _, errors = process.communicate(timeout=100)
    assert process.returncode == 2, errors
    assert "Traceback" not in errors
    assert errors.count("fer: error: ") == 1
    assert "disk/RUN" in errors
    assert "make room" in errors
    clock = [int(row["images_seen"]) for row in rows(run) if row["d_mean"] and row["g_loss"]]
    assert clock == list(range(16, 16 * len(clock) + 1, 16))


def test_samples_that_fill_the_disk_go_on_when_there_is_room(
    run: Path, disk: Disk, capfd: pytest.CaptureFixture[str]
) -> None:
    disk.remount("size=400k")
    command = [*GENERATE, "archive=disk/samples", "count=2000", "batch_size=100"]
    error = refused(capfd, *command)
    assert "disk/samples" in error
    assert "make room" in error
    assert not (disk.path / "samples").exists()
    disk.remount("size=8m")
    assert main(command) == 0
    assert len(FaceArchive.open(disk.path / "samples")) == 2000


def test_an_evaluation_on_a_full_disk_says_so(
    run: Path, disk: Disk, capfd: pytest.CaptureFixture[str]
) -> None:
    shutil.move(run, disk.path / "RUN")
    run.symlink_to(disk.path / "RUN")
    disk.fill()
    assert "make room" in refused(capfd, *EVALUATE)
    assert not list((disk.path / "RUN").glob("evaluations/*.json"))
    (disk.path / "filler").unlink()
    assert main(EVALUATE) == 0
    disk.remount("ro")
    assert main(EVALUATE) == 0  # which was measured, and needs nothing written
    assert "RUN" in refused(capfd, *EVALUATE, "force=true")
    assert main([*GENERATE, "count=6", "archive=elsewhere"]) == 0
    assert len(list((disk.path / "RUN").glob("evaluations/*.json"))) == 1
