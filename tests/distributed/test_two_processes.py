"""Two processes on the CPU train what one process would."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from fer_lightning.launchers.slots import free_port
from fer_lightning.models.classifier.config import ClassifierConfig
from fer_lightning.models.config import FaceFormat
from tests.conftest import REPOSITORY
from tests.helpers.runs import saved_run
from tests.helpers.small import small_archive

pytestmark = pytest.mark.slow  # a process each for torch and Lightning
NAMES = ("LOCAL_RANK", "FER_RANK")
CLASSES = ["fear", "happiness"]
LARGER = ("dcgan", "egc_gan")
WORKER = Path(__file__).with_name("worker.py")


def run(mode: str, folder: Path, ranks: int) -> list[subprocess.CompletedProcess[str]]:
    """``ranks`` workers at once, to their ends."""
    if not (folder / "faces").exists():
        small_archive(
            folder / "faces", size=32 if mode in LARGER or mode.startswith("ganmut") else 16
        )
        known = FaceFormat(image_size=16, channels=1, classes=CLASSES, frequencies=[1, 1])
        saved_run(folder / "judge", ClassifierConfig(width=4), known)
    together = {"WORLD_SIZE": str(ranks), "MASTER_ADDR": "127.0.0.1",
                "MASTER_PORT": str(free_port(())), "NODE_RANK": "0"}  # fmt: skip
    alone = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(REPOSITORY)}
    workers = [
        subprocess.Popen(
            [sys.executable, str(WORKER), mode, str(folder)],
            cwd=REPOSITORY,
            env=alone if ranks == 1 else alone | together | dict.fromkeys(NAMES, str(rank)),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(ranks)
    ]
    outputs = [worker.communicate(timeout=200)[0] for worker in workers]
    return [
        subprocess.CompletedProcess(w.args, w.returncode, text)
        for w, text in zip(workers, outputs, strict=True)
    ]


def results(mode: str, folder: Path, ranks: int) -> list[dict[str, Any]]:
    for done in run(mode, folder, ranks):
        assert done.returncode == 0, done.stdout
    files = [folder / f"{mode}-{ranks}-{rank}.pt" for rank in range(ranks)]
    return [torch.load(file, weights_only=True) for file in files]


def test_gradients_equal_one_process_on_the_union_batch(tmp_path: Path) -> None:
    (one,) = results("norm_free", tmp_path, 1)
    for other in results("norm_free", tmp_path, 2):
        assert len(other["gradients"]) == len(one["gradients"]) == 8
        for mine, reference in zip(other["gradients"], one["gradients"], strict=True):
            assert reference.abs().max() > 0
            torch.testing.assert_close(mine, reference, rtol=1e-6, atol=1e-6)
        assert other["images_seen"] == one["images_seen"] == 40
        for mine, reference in zip(other["rows"], one["rows"], strict=True):
            assert mine == pytest.approx(reference, rel=1e-5)


@pytest.mark.parametrize("space", ["linear", "gaussian"])
def test_ganmut_trains_as_one_process_on_the_union_batch(tmp_path: Path, space: str) -> None:
    """Ranks have unequal numbers of random directions, and of faces in the masked terms."""
    mode = f"ganmut_{space}"
    (one,) = results(mode, tmp_path, 1)
    first, second = results(mode, tmp_path, 2)
    for other in (first, second):
        for mine, reference in zip(other["gradients"], one["gradients"], strict=True):
            assert reference.abs().max() > 1e-4
            torch.testing.assert_close(mine, reference, rtol=1e-3, atol=1e-5)
        mine, reference = (result["rows"][0] for result in (other, one))
        assert mine == pytest.approx(reference, rel=1e-4, abs=1e-6)
        assert all(torch.equal(w, first["weights"][n]) for n, w in other["weights"].items())
    assert first["masked"][0] != second["masked"][0]  # of the step that the gradients are of
    assert first["masked"][0] + second["masked"][0] == one["masked"][0]
    assert not torch.equal(first["noise"], second["noise"])


@pytest.mark.parametrize("model", ["cgan", "dcgan", "egc_gan"])
def test_real_networks_stay_equal_and_see_different_noise(tmp_path: Path, model: str) -> None:
    first, second = results(model, tmp_path, 2)
    assert first["weights"].keys() == second["weights"].keys()
    for name, weight in first["weights"].items():
        assert torch.equal(weight, second["weights"][name]), name
    assert not torch.equal(first["noise"], second["noise"])
    losses = [[float(r["g_loss"]) for r in rank["records"]] for rank in (first, second)]
    assert losses[0] != losses[1]
    means = [sum(pair) / 2 for pair in zip(*losses, strict=True)]
    assert [row["g_loss"] for row in first["rows"]] == pytest.approx(means)
    assert first["rows"] == second["rows"]


def test_ranks_with_different_configurations_stop_with_the_reason(tmp_path: Path) -> None:
    for done in run("disagree", tmp_path, 2):
        assert done.returncode != 0
        assert "started with different configurations" in done.stdout
