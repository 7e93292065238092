"""Hyper-parameters of GANmut, the model of paper E; imports no torch."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from fer_lightning.errors import UserError
from fer_lightning.labels import NEUTRAL
from fer_lightning.models.config import WEIGHTS, AdversarialConfig, FaceFormat

if TYPE_CHECKING:
    from fer_lightning.models.ganmut.module import GANmut


class Space(enum.Enum):
    """How emotions lie in the space of conditions."""

    linear = "linear"
    gaussian = "gaussian"


class Cycle(enum.Enum):
    """Which point leads an edit back to its source."""

    original = "original"
    approximate = "approximate"
    approximate_official = "approximate_official"


class Penalty(enum.Enum):
    """What keeps the slope of the critic in bounds."""

    gradient = "gradient"
    r1 = "r1"


@dataclass(kw_only=True)
class GANmutConfig(AdversarialConfig):
    """GANmut (d'Apolito et al. 2021), trained on other data by paper E.

    The defaults are those of the official code but for the cycle, the decay and the number of
    classes, which is that of the data; ``models/ganmut/README.md`` says why. Batch, augmentation,
    emotions and length of paper E are those of ``experiment=ganmut_paper_e``.

    Attributes:
        space: ``linear``: a direction for each emotion, at whose origin is neutral; ``gaussian``: a
            normal distribution for each emotion, neutral too.
        dimension: Coordinates of a point, 2 or 3.
        generator_width: Filters of the generator's first layer.
        generator_blocks: Its residual blocks.
        discriminator_width: Filters of the discriminator's first layer.
        depth: Times that the discriminator halves the image; ``image_size`` is a multiple of
            2 ** ``depth``.
        cycle: The point by which an edit is led back to its source x: ``original`` is equation 7,
            where the discriminator sees x; ``approximate`` is the point of x's label, as intense as
            the discriminator is sure of its best class of x; ``approximate_official`` is the same
            as the official code has it by default: with the noise of training, and random
            directions in the first rows. The last two are of ``space=linear`` alone.
        penalty: ``gradient`` (WGAN-GP, between real faces and edits), or ``r1`` (of real faces).
        penalty_weight: Its weight; 0 does without it.
        class_weight: Weight of the class losses of both networks; for ``space=gaussian`` the
            official README gives 2.
        reconstruction_weight: Weight of the mean absolute difference to the cycle.
        discriminator_point_weight: Weight of the discriminator's error of the points.
        generator_point_weight: The same in the generator's loss, of ``space=linear`` alone.
        strength_weight: Weight of the difference between the intensity that was asked for and
            the discriminator's certainty, of ``space=linear`` alone.
        prediction_weight: Weight of the class loss of the means, of ``space=gaussian`` alone.
        random_directions: Rows of a batch whose direction is drawn at random, of ``space=linear``
            alone. At most five eighths of a batch are; the class loss leaves them out.
        decay_images: Real images, the last of the run, over which both learning rates fall
            linearly to 0, or the whole run where it is shorter; 0 keeps them. The official code's
            decay ends 0.1 % lower, so 0 reproduces it.
        schedule_images: Real images after which they are 0; conf/model/ganmut.yaml takes the run's
            length. None keeps the rates.
        official_weights: State dict of an official generator to start from.
        official_discriminator: State dict of the official discriminator beside it.
    """

    edits: ClassVar[bool] = True

    name: str = "ganmut"
    generator_lr: float = 1e-4
    discriminator_lr: float = 1e-4
    critic_steps: int = 5
    space: Space = Space.linear
    dimension: int = 2
    generator_width: int = 64
    generator_blocks: int = 6
    discriminator_width: int = 64
    depth: int = 6
    cycle: Cycle = Cycle.original
    penalty: Penalty = Penalty.gradient
    penalty_weight: float = 10.0
    class_weight: float = 1.0
    reconstruction_weight: float = 10.0
    discriminator_point_weight: float = 1.0
    generator_point_weight: float = 1.0
    strength_weight: float = 1.0
    prediction_weight: float = 0.5
    random_directions: int = 5
    decay_images: int = 1_600_000
    schedule_images: int | None = None
    official_weights: Path | None = field(default=None, metadata=WEIGHTS)
    official_discriminator: Path | None = field(default=None, metadata=WEIGHTS)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.dimension not in (2, 3):
            raise UserError(f"model.dimension={self.dimension}: give 2 or 3")
        for key in ("generator_width", "discriminator_width"):
            if getattr(self, key) < 1:
                raise UserError(f"model.{key}={getattr(self, key)}: give at least 1")
        if self.depth < 2:
            raise UserError(f"model.depth={self.depth}: give at least 2")
        for key in ("generator_blocks", "random_directions", "decay_images"):
            if getattr(self, key) < 0:
                raise UserError(f"model.{key}={getattr(self, key)}: give a number, or 0 for none")
        for key in WEIGHTS_OF_TERMS:
            if not getattr(self, key) >= 0:
                raise UserError(f"model.{key}={getattr(self, key)}: give a number, or 0 for off")
        self._check_space()
        self._check_schedule()
        if self.gradient_clip:
            raise UserError(
                f"model.gradient_clip={self.gradient_clip}: the emotions' directions begin close "
                "to 0, where their gradient is so long that clipping would leave nothing of the "
                "other weights'; leave it out"
            )
        if self.official_discriminator is not None and self.official_weights is None:
            raise UserError(
                "model.official_discriminator= is for model.official_weights=: pass that, too"
            )

    def _check_space(self) -> None:
        """Refuse what only the other space has."""
        for key in OF_OTHER_SPACE[self.space]:
            given, usual = getattr(self, key), getattr(type(self), key)
            if given != usual:
                word, back = (v.name if isinstance(v, enum.Enum) else v for v in (given, usual))
                raise UserError(
                    f"model.{key}={word} means nothing to model.space={self.space.name}; pass "
                    f"model.{key}={back}, or the other space"
                )

    def _check_schedule(self) -> None:
        if not self.decay_images:
            self.schedule_images = None  # else a run's length would be part of what it is
        elif self.schedule_images is None:
            self.decay_images = 0
        elif self.schedule_images < 1:
            raise UserError(f"model.schedule_images={self.schedule_images}: give at least 1")

    def check(self, image_size: int) -> None:
        """The discriminator's halvings must end on whole pixels."""
        multiple = 2**self.depth
        if image_size % multiple == 0:
            return
        near = max(multiple, round(image_size / multiple) * multiple)
        fitting = (image_size & -image_size).bit_length() - 1
        remedy = f" or model.depth={fitting}" if fitting >= 2 else ""
        raise UserError(
            f"image_size={image_size}: model=ganmut with model.depth={self.depth} needs multiples "
            f"of {multiple}; try image_size={near}{remedy}"
        )

    def build(self, faces: FaceFormat, seed: int) -> GANmut:
        """Make the LightningModule.

        Raises:
            UserError: If neutral is none of the classes, or the only one.
        """
        if NEUTRAL not in faces.classes or len(faces.classes) < 2:
            found = ", ".join(faces.classes) or "no emotion"
            raise UserError(
                f"the training images show {found}: model=ganmut needs neutral, from which all "
                "emotions depart, and another one; see data= and data.only="
            )
        from fer_lightning.models.ganmut.module import GANmut

        return GANmut(self, faces, seed)


OF_OTHER_SPACE = {
    Space.linear: ("prediction_weight",),
    Space.gaussian: ("cycle", "generator_point_weight", "strength_weight", "random_directions"),
}
"""Keys that have no meaning in a space."""
WEIGHTS_OF_TERMS = (
    "penalty_weight",
    "class_weight",
    "reconstruction_weight",
    "discriminator_point_weight",
    "generator_point_weight",
    "strength_weight",
    "prediction_weight",
)
"""Keys that weigh a term of a loss."""
