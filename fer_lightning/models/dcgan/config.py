"""Hyper-parameters of the DCGAN of paper D; imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from fer_lightning.errors import UserError
from fer_lightning.models.config import AdversarialConfig, FaceFormat, Prior

if TYPE_CHECKING:
    from fer_lightning.models.dcgan.module import DCGAN


@dataclass(kw_only=True)
class DCGANConfig(AdversarialConfig):
    """Paper D's DCGAN (Radford et al. 2015); it uses no labels.

    It trains on all images of the training part, labelled or not. Where ``data.only`` names one
    emotion, what it generates has that label.

    Attributes:
        latent_dim: Length of the latent vector z.
        prior: Distribution of z: uniform on [-1, 1], or N(0, I).
        generator_width: Filters of the generator's finest layer: 64 gives 512, 256, 128, 64; the
            128 of the paper's Fig. 1 gives 1024, 512, 256, 128.
        discriminator_width: Filters of the discriminator's finest layer. At 64 pixels 64 gives
            the paper's 512 * 4 * 4 = 8,192 features at ``discriminator.block4``.
        init_std: Standard deviation of the initial weights; BatchNorm scales are N(1, init_std).
    """

    labelled: ClassVar[bool] = False

    name: str = "dcgan"
    latent_dim: int = 100
    prior: Prior = Prior.uniform
    generator_width: int = 64
    discriminator_width: int = 64
    init_std: float = 0.02

    def __post_init__(self) -> None:
        super().__post_init__()
        for key in ("latent_dim", "generator_width", "discriminator_width"):
            if getattr(self, key) < 1:
                raise UserError(f"model.{key}={getattr(self, key)}: give at least 1")
        if not self.init_std > 0:
            raise UserError(f"model.init_std={self.init_std}: give a number above 0")

    def check(self, image_size: int) -> None:
        """Four halvings must leave at least two whole pixels: 32, 48, 64 and so on."""
        if image_size % 16 or image_size < 32:
            near = max(32, round(image_size / 16) * 16)
            raise UserError(
                f"image_size={image_size}: model=dcgan makes multiples of 16 from 32 on; try "
                f"image_size={near}"
            )

    def build(self, faces: FaceFormat, seed: int) -> DCGAN:
        """Make the LightningModule."""
        from fer_lightning.models.dcgan.module import DCGAN

        return DCGAN(self, faces, seed)
