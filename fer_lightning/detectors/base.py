"""The detector protocol, what it returns, and the configuration that all detectors share."""

from __future__ import annotations

import enum
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray
from omegaconf import MISSING

from fer_lightning.config.plain import LATER, NOT_IDENTITY
from fer_lightning.errors import UserError


@dataclass(frozen=True, slots=True)
class Detection:
    """One face.

    Attributes:
        box: Left, top, right, bottom in pixels of the source image, float32 of shape (4,); may
            reach beyond the image.
        score: Confidence in [0, 1].
        landmarks: x and y in pixels of the eye, eye, nose tip, mouth corner, mouth corner, each
            pair from the image's left to its right; float32 of shape (5, 2), or None where the
            detector finds none.
    """

    box: NDArray[np.float32]
    score: float
    landmarks: NDArray[np.float32] | None = None


class FaceDetector(Protocol):
    """Finds faces in images."""

    def detect(self, images: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        """Find the faces of each image.

        Args:
            images: RGB arrays of shape (H, W, 3), of mixed sizes.

        Returns:
            One list an image, by falling score; empty where there is no face.
        """
        ...


class FaceChoice(enum.Enum):
    """Which face to keep when there are several."""

    largest = "largest"
    central = "central"
    score = "score"


class Edges(enum.Enum):
    """What to do where the crop would reach beyond the image."""

    inside = "inside"
    replicate = "replicate"


class NoFace(enum.Enum):
    """What to do with an image in which no face was found."""

    drop = "drop"
    whole_image = "whole_image"
    centre_crop = "centre_crop"


class Background(enum.Enum):
    """What to do with what is not face."""

    keep = "keep"
    ellipse = "ellipse"
    hull = "hull"


@dataclass(kw_only=True)
class DetectorConfig:
    """Crop policy, common to all detectors; a detector's own keys are added by its subclass.

    Attributes:
        name: Name in the registry of detectors.
        margin: Added around the box on every side, as a fraction of its longer side.
        square: Widen the shorter side of the box, so that faces are not squeezed.
        align: Rotate and scale by five landmarks onto a common template, instead of the box.
        edges: Beyond the image, either repeat its edge pixels, or keep the crop ``inside``: move
            it, and shrink it where the image is smaller. Aligned crops always repeat.
        face: Which face to keep when several are found.
        no_face: What becomes of an image without a face; dropped ones are listed in
            ``excluded.parquet`` with the reason ``no_face``.
        background: Keep it, or make all black that is outside an ellipse, inscribed in the
            detected box, or outside a ``hull`` from brows to chin, placed by the five landmarks.
            What stands in for a face that was not found is not masked.
        batch_size: Images a worker hands to the detector at once.
    """

    landmarks: ClassVar[bool] = True
    """Whether the detector gives five landmarks, for a policy that needs them."""

    name: str = MISSING
    margin: float = 0.1
    square: bool = True
    align: bool = False
    edges: Edges = Edges.inside
    face: FaceChoice = FaceChoice.largest
    no_face: NoFace = NoFace.drop
    background: Background = field(default=Background.keep, metadata=LATER)
    batch_size: int = field(default=32, metadata=NOT_IDENTITY)

    def __post_init__(self) -> None:
        if not -0.4 < self.margin <= 2:
            raise UserError(f"detector.margin={self.margin}: give a fraction in (-0.4, 2]")
        if self.batch_size < 1:
            raise UserError(f"detector.batch_size={self.batch_size}: give at least 1")
        if not self.landmarks:
            self.check_without_landmarks()

    def check_without_landmarks(self) -> None:
        """Accept the policy for faces without landmarks.

        Raises:
            UserError: If it aligns by landmarks or places a hull by them.
        """
        for needed, asked, instead in (
            (self.align, "align=true", "align=false"),
            (self.background is Background.hull, "background=hull", "background=ellipse"),
        ):
            if needed:
                raise UserError(
                    f"detector.{asked}: detector={self.name} finds no landmarks; "
                    f"set detector.{instead} or choose detector=mtcnn"
                )

    def files(self) -> list[Path]:
        """Weight files that decide what is found, for the archive's hash."""
        return []

    @abstractmethod
    def build(self) -> FaceDetector:
        """Load the detector; slow imports and weights are loaded here, not before."""
