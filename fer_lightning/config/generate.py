"""What ``fer generate`` takes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

from omegaconf import MISSING

from fer_lightning.errors import UserError
from fer_lightning.labels import EMOTIONS


@dataclass(kw_only=True)
class GenerateConfig:
    """``fer generate``: draw labelled samples from a trained model into an archive.

    How many of each class is said by one of ``count``, ``fill``, ``ratio`` and ``counts``. Those
    that go by training images need no data: the checkpoint knows the counts.

    Attributes:
        run: Run folder of the model.
        count: Images in all, balanced over the model's classes; 700 where nothing else is given.
        fill: What a class lacks: up to the ``largest`` class of the training part, or up to this
            many images.
        ratio: Images for each training image of a class, to the nearest whole number.
        counts: Images of each emotion, ``counts.disgust=6779``; none of the others.
        archive: Folder to write; None is ``RUN/generated``.
        seed: Draws the noise.
        batch_size: Images generated at once.
        accelerator: ``auto``, ``cpu`` or ``gpu``.
        force: Replace an archive that was made from something else.
    """

    run: Path = MISSING
    count: int | None = None
    fill: int | str | None = None
    ratio: float | None = None
    # The names stand here so that Hydra takes them without a plus.
    counts: dict[str, int | None] = field(default_factory=lambda: dict.fromkeys(EMOTIONS))
    archive: Path | None = None
    seed: int = 0
    batch_size: int = 256
    accelerator: str = "auto"
    force: bool = False

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise UserError(f"seed={self.seed}: give 0 or more")
        if self.batch_size < 1:
            raise UserError(f"batch_size={self.batch_size}: give at least 1")
        if self.accelerator not in ("auto", "cpu", "gpu"):
            raise UserError(f"accelerator={self.accelerator}: choose auto, cpu or gpu")
        self.counts = {name: n for name, n in self.counts.items() if n is not None}
        self._check_counts()

    def _check_counts(self) -> None:
        given = [key for key in ("count", "fill", "ratio") if getattr(self, key) is not None]
        given += ["counts"] * bool(self.counts)
        if len(given) > 1:
            raise UserError(
                f"{' and '.join(given)} each say how many images to draw: give one of them"
            )
        if not given:
            self.count = 700
        if self.count is not None and self.count < 1:
            raise UserError(f"count={self.count}: give at least 1")
        words = self.fill is None or self.fill == "largest"
        if not words and not (isinstance(self.fill, int) and self.fill > 0):
            raise UserError(f"fill={self.fill}: give largest, or images of each class, at least 1")
        if self.ratio is not None and not 0 < self.ratio < math.inf:
            raise UserError(f"ratio={self.ratio}: give a number above 0")
        for emotion, number in self.counts.items():
            if number is not None and number < 0:
                raise UserError(f"counts.{emotion}={number}: give 0 or more")
