"""Copies and repetitions show in the surrogates, in which a bounded number of images enters."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from fer_lightning.metrics import similarity as module
from fer_lightning.metrics.functional.ssim import max_ssim_to, pairwise_ssim
from fer_lightning.metrics.similarity import similarity, similarity_protocol
from tests.helpers.small import small_archive

CPU = torch.device("cpu")


def noise(count: int, seed: int = 1) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 16, 16, 1), generator=random, dtype=torch.uint8)


def test_values_are_those_of_the_functions(tmp_path: Path) -> None:
    archive, rows = small_archive(tmp_path / "a"), np.array([5, 9, 30])
    found = similarity(noise(7), [archive], rows, 0, CPU)
    fakes = noise(7).permute(0, 3, 1, 2)
    real = torch.from_numpy(archive.faces[rows]).permute(0, 3, 1, 2)
    assert found["ssim_nearest"] == pytest.approx(float(max_ssim_to(fakes, real).mean()), abs=1e-6)
    assert found["ssim_pairwise"] == pytest.approx(pairwise_ssim(fakes), abs=1e-6)


def test_copies_and_repetitions_stand_out(tmp_path: Path) -> None:
    archive, rows = small_archive(tmp_path / "a"), np.arange(20)
    copies = torch.from_numpy(archive.faces[:10].copy())
    found = similarity(copies, [archive], rows, 0, CPU)
    assert found["ssim_nearest"] == pytest.approx(1, abs=1e-5)
    assert found["ssim_pairwise"] < 0.2
    found = similarity(noise(1).repeat(10, 1, 1, 1), [archive], rows, 0, CPU)
    assert found["ssim_nearest"] < 0.3
    assert found["ssim_pairwise"] == pytest.approx(1, abs=1e-5)


def test_no_more_images_enter_than_the_protocol_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GENERATED", 6)
    monkeypatch.setattr(module, "REAL", 4)
    archive, rows, seen = small_archive(tmp_path / "a"), np.arange(30), []

    def spy(images: Tensor, references: Tensor) -> Tensor:
        seen.append((images, references))
        return max_ssim_to(images, references)

    monkeypatch.setattr(module, "max_ssim_to", spy)
    first, again, other = (similarity(noise(50), [archive], rows, seed, CPU) for seed in (0, 0, 1))
    assert similarity_protocol(50, 30) == {"generated": 6, "real": 4}
    assert similarity_protocol(5, 3) == {"generated": 5, "real": 3}
    assert [(len(images), len(real)) for images, real in seen] == [(6, 4)] * 3
    assert first == again != other
