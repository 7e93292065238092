"""Hyper-parameters of the encoder-generator-classifier GAN of paper C; imports no torch."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from fer_lightning.errors import UserError
from fer_lightning.models.config import AdversarialConfig, FaceFormat

if TYPE_CHECKING:
    from fer_lightning.models.egc_gan.module import EGCGAN


class Encoder(enum.Enum):
    """How a face becomes a code."""

    alexnet = "alexnet"
    lite = "lite"


LEAST_SIZE = {Encoder.alexnet: 64, Encoder.lite: 32}
"""Smallest side of an image in pixels; pooling would leave nothing of less."""


class CodeActivation(enum.Enum):
    """What follows the encoder's last layer."""

    none = "none"
    leaky_relu = "leaky_relu"
    relu = "relu"


class LabelPlane(enum.Enum):
    """How the discriminator's fourth channel says the label."""

    embedding = "embedding"
    constant = "constant"


@dataclass(kw_only=True)
class EGCGANConfig(AdversarialConfig):
    """Paper C's GAN, which carries faces of one domain into another.

    The defaults are the paper's; where it leaves a choice open, ``models/egc_gan/README.md`` says
    why this one.

    Attributes:
        encoder: ``alexnet`` is the paper's "similar to AlexNet"; ``lite`` keeps more places of the
            image, from four convolutions with stride 2.
        code_dim: Length of the code between encoder and decoder.
        code_activation: After the code: ``none``, ``leaky_relu`` (slope 0.2) or ``relu``.
        width: Filters of the finest layer of decoder and discriminator, and two thirds of those of
            ``alexnet``'s first; 64 gives the paper's networks, less gives smaller ones.
        label_plane: The discriminator's channel for the label: learnt from an ``embedding``, or
            ``constant``, from 0 for the first class to 1 for the last.
        embedding_dim: Length of the embedding of a label.
        generator_label: Also tell the decoder the label, beside the code; in the paper it sees
            none.
        spectral_norm: Spectral normalisation of the discriminator's convolutions, in place of its
            batch norm.
        classifier: Run folder of ``fer train model=classifier`` on the target domain, or
            ``experiment:NAME``, which is trained first where that run is missing; the frozen judge
            of the translations.
        classifier_weight: Weight of its cross entropy in the generator's loss; 0 does without it.
        reconstruction_weight: Weight of the mean absolute difference between a translation and its
            source; 0 turns it off.
        identity_weight: Weight of the mean absolute difference between a target face and its own
            translation; 0 turns it off.
        init_std: Standard deviation of the initial weights; BatchNorm scales are N(1, init_std).
    """

    translates: ClassVar[bool] = True

    name: str = "egc_gan"
    encoder: Encoder = Encoder.alexnet
    code_dim: int = 4096
    code_activation: CodeActivation = CodeActivation.none
    width: int = 64
    label_plane: LabelPlane = LabelPlane.embedding
    embedding_dim: int = 50
    generator_label: bool = False
    spectral_norm: bool = False
    classifier: Path | None = None
    classifier_weight: float = 1.0
    reconstruction_weight: float = 0.0
    identity_weight: float = 0.0
    init_std: float = 0.02

    def __post_init__(self) -> None:
        super().__post_init__()
        for key in ("code_dim", "width", "embedding_dim"):
            if getattr(self, key) < 1:
                raise UserError(f"model.{key}={getattr(self, key)}: give at least 1")
        for key in ("classifier_weight", "reconstruction_weight", "identity_weight"):
            if not getattr(self, key) >= 0:
                raise UserError(f"model.{key}={getattr(self, key)}: give a number, or 0 for off")
        if not self.init_std > 0:
            raise UserError(f"model.init_std={self.init_std}: give a number above 0")
        if self.label_plane is LabelPlane.constant:
            self.embedding_dim = type(self).embedding_dim  # nothing reads it

    def check(self, image_size: int) -> None:
        """Its loss needs a classifier, and four halvings must end on whole pixels."""
        if self.classifier_weight and self.classifier is None:
            raise UserError(
                "model.classifier is required: pass model.classifier=RUN, a run of `fer train "
                "model=classifier` on the target domain, or experiment:NAME, or do without it by "
                "model.classifier_weight=0"
            )
        least = LEAST_SIZE[self.encoder]
        if image_size < least:
            other = " or model.encoder=lite" if image_size >= LEAST_SIZE[Encoder.lite] else ""
            raise UserError(
                f"image_size={image_size}: model=egc_gan with model.encoder={self.encoder.name} "
                f"needs at least {least}; pass image_size={least}{other}"
            )
        if image_size % 16:
            near = max(least, round(image_size / 16) * 16)
            raise UserError(
                f"image_size={image_size}: model=egc_gan makes multiples of 16; try "
                f"image_size={near}"
            )

    def build(self, faces: FaceFormat, seed: int) -> EGCGAN:
        """Make the LightningModule; it opens the classifier's run when training starts.

        Raises:
            UserError: If there are not two emotions to tell apart.
        """
        if len(faces.classes) < 2:
            raise UserError(
                f"all faces are of {', '.join(faces.classes)}: model=egc_gan needs two emotions "
                "that both domains have"
            )
        from fer_lightning.models.egc_gan.module import EGCGAN

        return EGCGAN(self, faces, seed)
