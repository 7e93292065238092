"""Sample grids: a row an emotion, or plain rows of a model without labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_lightning.callbacks.sample_grid import SampleGrid
from fer_lightning.models.cgan.config import CGANConfig
from fer_lightning.models.config import FaceFormat, ModelConfig
from fer_lightning.models.dcgan.config import DCGANConfig

DCGAN = DCGANConfig(generator_width=2, discriminator_width=2, latent_dim=4)
STEP = 2 + 64  # a face of 32 pixels at twice its size, and a gap


def grid(config: ModelConfig, classes: list[str]) -> Image.Image:
    ones = [1.0] * len(classes)
    faces = FaceFormat(image_size=32, channels=1, classes=classes, frequencies=ones)
    return SampleGrid(Path(), 1, seed=0, columns=3).grid(config.build(faces, seed=0))  # type: ignore[arg-type]


def test_a_row_an_emotion() -> None:
    picture = grid(CGANConfig(width=2, latent_dim=4), ["fear", "anger"])
    assert picture.height == 2 * STEP + 2
    assert picture.width > 3 * STEP + 16


@pytest.mark.parametrize("classes", [[], ["fear"]])
def test_without_labels_six_rows_of_different_faces(classes: list[str]) -> None:
    picture = grid(DCGAN, classes)
    assert picture.size == (3 * STEP + 4, 6 * STEP + 2)
    pixels = np.asarray(picture.convert("L"))
    faces = {
        pixels[2 + y * STEP :, 2 + x * STEP :][:64, :64].tobytes()
        for y in range(6)
        for x in range(3)
    }
    assert len(faces) == 18
