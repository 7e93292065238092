"""A small model that edits faces, and run folders of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fer_lightning.labels import EMOTIONS
from fer_lightning.models.config import FaceFormat
from fer_lightning.models.editing import EditingModule
from fer_lightning.models.ganmut.config import GANmutConfig, Space
from tests.helpers.runs import save


def tiny_editor(
    size: int = 32,
    channels: int = 3,
    dimension: int = 2,
    classes: Sequence[str] = EMOTIONS[:7],
    space: Space = Space.linear,
    seed: int = 0,
) -> EditingModule:
    """A GANmut with its first weights, in eval mode; ``size`` is a multiple of 16."""
    config = GANmutConfig(
        generator_width=4,
        generator_blocks=1,
        discriminator_width=4,
        depth=4,
        dimension=dimension,
        space=space,
    )
    ones = [1.0] * len(classes)
    faces = FaceFormat(image_size=size, channels=channels, classes=classes, frequencies=ones)
    return config.build(faces, seed).eval()


def saved_editor(
    folder: Path,
    size: int = 32,
    channels: int = 3,
    dimension: int = 2,
    classes: Sequence[str] = EMOTIONS[:7],
    space: Space = Space.linear,
) -> Path:
    """A run folder with the checkpoint of such a model."""
    return save(tiny_editor(size, channels, dimension, classes, space), folder)
