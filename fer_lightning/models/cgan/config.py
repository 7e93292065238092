"""Hyper-parameters of the conditional GAN of paper A; imports no torch."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fer_lightning.errors import UserError
from fer_lightning.models.config import AdversarialConfig, FaceFormat, Prior

if TYPE_CHECKING:
    from fer_lightning.models.cgan.module import CGAN


class FakeLabels(enum.Enum):
    """Where the labels of generated training images come from."""

    empirical = "empirical"
    uniform = "uniform"


@dataclass(kw_only=True)
class CGANConfig(AdversarialConfig):
    """Paper A's conditional GAN.

    The defaults are the paper's; where it leaves a choice open, ``models/cgan/README.md`` says
    why this one.

    Attributes:
        latent_dim: Length of the latent vector z.
        prior: Distribution of z: N(0, I), or uniform on [-1, 1].
        fake_labels: Labels for generated images: drawn like the training set's, or uniformly.
        width: Filters of the networks' finest layer; the paper's 64 gives 512, 256, 128, 64.
        spectral_norm: Spectral normalisation of the discriminator's convolutions.
        spectral_norm_dense: Also of its last, dense layer.
        dropout: Before the discriminator's dense layer.
        label_smoothing: Target of real images is one minus this (one-sided).
        init_std: Standard deviation of the initial weights; BatchNorm scales are N(1, init_std).
    """

    name: str = "cgan"
    latent_dim: int = 150
    prior: Prior = Prior.normal
    fake_labels: FakeLabels = FakeLabels.empirical
    width: int = 64
    spectral_norm: bool = True
    spectral_norm_dense: bool = False
    dropout: float = 0.0
    label_smoothing: float = 0.0
    init_std: float = 0.02

    def __post_init__(self) -> None:
        super().__post_init__()
        for key in ("latent_dim", "width"):
            if getattr(self, key) < 1:
                raise UserError(f"model.{key}={getattr(self, key)}: give at least 1")
        if not self.init_std > 0:
            raise UserError(f"model.init_std={self.init_std}: give a number above 0")
        for key in ("dropout", "label_smoothing"):
            if not 0 <= getattr(self, key) < 1:
                raise UserError(f"model.{key}={getattr(self, key)}: give a number in [0, 1)")

    def check(self, image_size: int) -> None:
        """Four halvings must end on whole pixels: the side is a multiple of 16."""
        if image_size % 16:
            near = max(16, round(image_size / 16) * 16)
            raise UserError(
                f"image_size={image_size}: model=cgan makes multiples of 16; try image_size={near}"
            )

    def build(self, faces: FaceFormat, seed: int) -> CGAN:
        """Make the LightningModule."""
        from fer_lightning.models.cgan.module import CGAN

        return CGAN(self, faces, seed)
