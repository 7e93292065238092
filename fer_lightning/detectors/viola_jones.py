"""Viola and Jones (2001), with OpenCV's Haar cascades."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from fer_lightning.detectors.base import Detection, DetectorConfig
from fer_lightning.errors import UserError

CASCADE = "haarcascade_frontalface_default.xml"
"""The cascade that is used by default, of those that come with OpenCV."""


@dataclass(kw_only=True)
class ViolaJonesConfig(DetectorConfig):
    """A cascade of boosted Haar features: upright frontal faces, square boxes, no landmarks.

    Attributes:
        cascade: Own cascade as an OpenCV XML file; None takes ``haarcascade_frontalface_default``
            that comes with OpenCV.
        scale_factor: Ratio over 1 of one size of the search window to the next smaller one;
            nearer to 1 finds more faces, and takes longer.
        min_neighbours: Least number of overlapping windows that must be taken for a face, for
            there to be one; fewer find more faces, and more that are none. 0 would give windows
            instead of faces.
        min_face: Side of the smallest face to look for, in pixels. The cascade's own window is a
            limit, too: 24 pixels in the default one.
    """

    landmarks: ClassVar[bool] = False

    name: str = "viola_jones"
    cascade: Path | None = None
    scale_factor: float = 1.1
    min_neighbours: int = 3
    min_face: int = 24

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1.01 <= self.scale_factor <= 4:
            raise UserError(
                f"detector.scale_factor={self.scale_factor}: give a ratio in [1.01, 4]; 1.1 means "
                "windows that grow by a tenth"
            )
        if self.min_neighbours < 1:
            raise UserError(f"detector.min_neighbours={self.min_neighbours}: give at least 1")
        if self.min_face < 1:
            raise UserError(f"detector.min_face={self.min_face}: give at least 1 pixel")
        for path in self.files():
            if not path.is_file():
                raise UserError(f"detector.cascade={self.cascade}: there is no such file")

    def files(self) -> list[Path]:
        """Files that decide what is found: an own cascade; OpenCV's goes unnamed."""
        return [] if self.cascade is None else [self.cascade.expanduser()]

    def build(self) -> ViolaJones:
        """Load the cascade.

        Raises:
            UserError: If ``cascade`` is no file that OpenCV takes for one.
        """
        return ViolaJones(self)


class ViolaJones:
    """Finds faces by OpenCV's ``CascadeClassifier``, on one thread and without OpenCL.

    It sees the image in gray, by the weights of ITU-R BT.601, and not equalised: the cascade
    divides each window by its own standard deviation anyway.

    The score of a face is 1 / (1 + exp(-w)). w is OpenCV's level weight: what the cascade's last
    stage, a boosted sum of votes, gives for the best of the windows that were joined to the face;
    all stages before have accepted these. So scores rank the faces of one cascade. They are no
    probabilities, are mostly over 0.9, and may be under 0.5, for a stage accepts from a threshold
    of its own on, which is mostly below 0.
    """

    def __init__(self, config: ViolaJonesConfig) -> None:
        import cv2
        import cv2.data

        self._cascade = cv2.CascadeClassifier()
        path = next(iter(config.files()), Path(cv2.data.haarcascades) / CASCADE)
        try:
            loaded = self._cascade.load(str(path))
        except cv2.error:
            loaded = False
        if not loaded:
            raise UserError(
                f"detector.cascade={path}: OpenCV does not take it for a cascade; give an XML file "
                f"such as its own {CASCADE}"
            )
        self._config = config

    def detect(self, images: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        """Find the faces of each image.

        Args:
            images: RGB arrays of shape (H, W, 3), of mixed sizes.

        Returns:
            One list an image, by falling score; empty where there is no face. Boxes are square
            and inside the image; there are no landmarks.
        """
        with _one_thread():
            return [self._faces(image) for image in images]

    def _faces(self, image: NDArray[np.uint8]) -> list[Detection]:
        import cv2

        boxes, _, weights = self._cascade.detectMultiScale3(
            cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY),
            scaleFactor=self._config.scale_factor,
            minNeighbors=self._config.min_neighbours,
            minSize=(self._config.min_face, self._config.min_face),
            outputRejectLevels=True,
        )
        faces = [
            Detection(np.array([x, y, x + width, y + height], np.float32), 1 / (1 + math.exp(-w)))
            for (x, y, width, height), w in zip(boxes, weights, strict=True)
        ]
        return sorted(faces, key=lambda face: face.score, reverse=True)


@contextmanager
def _one_thread() -> Iterator[None]:
    """The same faces on any machine: threads would hand in windows in the order of their pace."""
    import cv2

    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)
