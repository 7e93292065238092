"""No detection: the image is the face, for corpora that come cropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from fer_lightning.detectors.base import Detection, DetectorConfig, Edges


@dataclass(kw_only=True)
class WholeImageConfig(DetectorConfig):
    """The whole image as the face; with ``square``, others are padded by their edge pixels."""

    landmarks: ClassVar[bool] = False

    name: str = "whole_image"
    margin: float = 0.0
    edges: Edges = Edges.replicate

    def build(self) -> WholeImage:
        """Make the detector; there is nothing to load."""
        return WholeImage()


class WholeImage:
    """Finds one face in every image: all of it."""

    def detect(self, images: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        """Return the box of each image, of shape (H, W, 3), with score 1 and no landmarks."""
        sizes = [(image.shape[1], image.shape[0]) for image in images]
        return [[Detection(np.array([0, 0, *size], np.float32), 1.0)] for size in sizes]
