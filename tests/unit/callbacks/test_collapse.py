"""The watch warns of samples that are one picture, of nothing else, and changes nothing."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Generator, Tensor

from fer_lightning.callbacks.collapse import CollapseWatch
from fer_lightning.data.archive import FaceArchive
from fer_lightning.metrics.functional.ssim import pairwise_ssim
from fer_lightning.rng import global_states
from tests.helpers.small import small_archive

CLASSES = ["happiness", "sadness", "anger"]


class Run:
    """A generator of noise around one picture a class, measured every eight images."""

    def __init__(
        self, tmp_path: Path, share: float = 1.0, classes: list[str] = CLASSES, **keys: Any
    ) -> None:
        place = tmp_path / "archive"
        self.faces: Any = SimpleNamespace(
            archives=[FaceArchive.open(place) if place.exists() else small_archive(place)],
            classes=classes,
            labels=np.arange(60) % len(classes) if classes else np.full(60, -1),
            division={"train": np.arange(40)},
        )
        self.share = share
        self.asked: list[list[int]] = []
        self.rows: list[tuple[int, dict[str, float]]] = []
        logger = SimpleNamespace(log_metrics=lambda row, step: self.rows.append((step, row)))
        self.trainer: Any = SimpleNamespace(
            world_size=1, is_global_zero=True, should_stop=False, loggers=[logger]
        )
        self.module: Any = SimpleNamespace(
            images_seen=0,
            trainer=self.trainer,
            classes=classes,
            sample=self.sample,
            uncompiled=torch.no_grad,
        )
        keys = {"interval": 8, "max_images": 10**9, "seed": 3} | keys
        self.watch = CollapseWatch(self.faces, **keys)

    def sample(self, emotions: Tensor, generator: Generator) -> Tensor:
        self.asked.append(emotions.tolist())
        noise = torch.rand((len(emotions), 1, 16, 16), generator=generator) * 2 - 1
        one = torch.rand((16, 16), generator=Generator().manual_seed(int(emotions[0])))
        return self.share * noise + (1 - self.share) * (one * 2 - 1)

    def steps(self, count: int, share: float | None = None) -> None:
        self.share = self.share if share is None else share
        for _ in range(count):
            self.module.images_seen += 4
            self.watch.on_train_batch_end(self.trainer, self.module, {}, [0] * 4, 0)


@pytest.mark.parametrize("classes", [CLASSES, []])
def test_a_generator_that_makes_one_picture_is_told_of_once(
    tmp_path: Path, classes: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    run = Run(tmp_path, 0.05, classes)
    run.steps(5)
    assert not capsys.readouterr().err
    run.steps(7)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("fer: warning: the generator is collapsing: at 24 images two samples")
    assert "model.generator_lr" in line
    assert [step for step, _ in run.rows] == [8, 16, 24, 32, 40, 48]
    assert all(row["sample_ssim"] > 0.9 > 0.2 > row["real_ssim"] for _, row in run.rows)


def test_a_healthy_one_is_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = Run(tmp_path, 1.0)
    run.steps(20)
    assert not capsys.readouterr().err
    assert all(abs(row["sample_ssim"]) < 0.1 for _, row in run.rows)


def test_neither_is_one_that_recovers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = Run(tmp_path)
    for _ in range(4):
        run.steps(4, share=0.05)
        run.steps(2, share=1.0)
    assert not capsys.readouterr().err


def test_pairs_are_of_one_class_and_from_the_same_noise(tmp_path: Path) -> None:
    run = Run(tmp_path, 0.5)
    run.steps(4)
    assert run.asked == [[0] * 10, [1] * 10, [2] * 10] * 2
    assert run.rows[0][1] == run.rows[1][1]
    unlabelled = Run(tmp_path, 0.5, [])
    unlabelled.steps(2)
    assert [len(asked) for asked in unlabelled.asked] == [32]


def test_real_faces_are_training_faces_of_the_class(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.faces.division["train"] = np.array([0, 3, 1, 4, 7, 2])
    run.steps(2)
    faces = torch.from_numpy(run.faces.archives[0].faces[:]).permute(0, 3, 1, 2)
    wanted = (pairwise_ssim(faces[[0, 3]]) + pairwise_ssim(faces[[1, 4, 7]])) / 2
    assert run.rows[0][1]["real_ssim"] == pytest.approx(wanted, abs=1e-6)


def test_it_looks_at_the_end_and_on_one_rank_alone(tmp_path: Path) -> None:
    run = Run(tmp_path, max_images=12)
    run.steps(3)
    assert [step for step, _ in run.rows] == [8, 12]
    other = Run(tmp_path)
    other.trainer.is_global_zero = False
    other.steps(10)
    assert not other.rows
    assert not other.asked


@pytest.mark.parametrize("stop", [1, 4, 5, 9])
def test_a_resume_goes_on_watching(
    tmp_path: Path, stop: int, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, first, second = (Run(tmp_path, 0.05) for _ in range(3))
    whole.steps(12)
    expected = capsys.readouterr().err
    first.steps(stop)
    second.module.images_seen = first.module.images_seen
    second.watch.load_state_dict(first.watch.state_dict())
    second.steps(12 - stop)
    assert capsys.readouterr().err == expected
    assert expected.count("warning") == 1
    assert first.rows + second.rows == whole.rows


def test_random_states_are_left_alone(tmp_path: Path) -> None:
    run = Run(tmp_path)
    before = global_states()
    run.steps(4)
    after = global_states()
    assert torch.equal(before.pop("torch"), after.pop("torch"))
    before.pop("cuda"), after.pop("cuda")
    assert before == after
