"""What every model's configuration has; imports no torch."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from omegaconf import MISSING

if TYPE_CHECKING:
    from fer_lightning.models.base import TrainingModule


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceFormat:
    """What the data fixes about a model, known once its archives are open.

    Attributes:
        image_size: Side of the square images in pixels.
        channels: 1 or 3.
        classes: Emotions by class index; a checkpoint stores this order.
        class_counts: Training images of each class.
    """

    image_size: int
    channels: int
    classes: Sequence[str]
    class_counts: Sequence[int]


@dataclass(kw_only=True)
class ModelConfig:
    """Hyper-parameters of a model; a system's own are added by its subclass.

    Attributes:
        name: Name in the registry of models.
    """

    name: str = MISSING

    @abstractmethod
    def check(self, image_size: int) -> None:
        """Refuse what the networks cannot make, before any data is touched.

        Raises:
            UserError: Names the key and the remedy.
        """

    @abstractmethod
    def build(self, faces: FaceFormat, seed: int) -> TrainingModule:
        """Make the LightningModule; torch is imported here, not before.

        Args:
            faces: What the data fixes.
            seed: Seeds the initial weights and the training noise.
        """
