"""MTCNN (Zhang et al. 2016), with the networks and weights of facenet-pytorch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_lightning.detectors.base import Detection, DetectorConfig
from fer_lightning.errors import UserError

NETWORK_INPUT = 12
"""Side in pixels of the face that MTCNN's first network looks for."""


@dataclass(kw_only=True)
class MTCNNConfig(DetectorConfig):
    """Multi-task cascaded networks: boxes and five landmarks.

    Attributes:
        min_face: Shorter side of the smallest face to look for, in pixels; halving it takes
            about four times as long.
        thresholds: Least score in [0, 1] that a candidate keeps after each of the three networks.
        factor: Ratio in (0, 1) of one level of the image pyramid to the next larger one.
        weights: Folder of ``pnet.pt``, ``rnet.pt`` and ``onet.pt``; None takes the weights that
            come with facenet-pytorch.
    """

    name: str = "mtcnn"
    min_face: int = 20
    thresholds: list[float] = field(default_factory=lambda: [0.6, 0.7, 0.7])
    factor: float = 0.709
    weights: Path | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.min_face < NETWORK_INPUT:
            raise UserError(
                f"detector.min_face={self.min_face}: give at least {NETWORK_INPUT} pixels"
            )
        if len(self.thresholds) != 3 or not all(0 <= t <= 1 for t in self.thresholds):
            raise UserError(f"detector.thresholds={self.thresholds}: give three numbers in [0, 1]")
        if not 0 < self.factor < 1:
            raise UserError(f"detector.factor={self.factor}: give a ratio in (0, 1)")

    def build(self) -> MTCNN:
        """Load the three networks, onto the GPU where there is one.

        Raises:
            UserError: If ``weights`` does not hold the three networks.
        """
        return MTCNN(self)


class MTCNN:
    """A face detector that behaves as ``facenet_pytorch.MTCNN`` does on each image alone.

    Images are not stacked, although facenet-pytorch can do so: it would suppress overlapping
    boxes of all images of a batch together, told apart by a float32 offset, which moves about
    one face in a hundred by pixels, up to 46 of 350. A CPU gains a quarter of speed from it at
    most, and an archive must not depend on how its images were grouped.
    """

    def __init__(self, config: MTCNNConfig) -> None:
        import facenet_pytorch
        import torch

        self._min_face = config.min_face
        self._cascade: Any = facenet_pytorch.MTCNN(
            min_face_size=config.min_face,
            thresholds=config.thresholds,
            factor=config.factor,
            select_largest=False,
            device=torch.device("cuda" if torch.cuda.is_available() else "cpu"),
        )
        if config.weights is not None:
            _load_weights(self._cascade, config.weights.expanduser())

    def detect(self, images: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        """Find the faces of each image.

        Args:
            images: RGB arrays of shape (H, W, 3), of mixed sizes.

        Returns:
            One list an image, by falling score; empty where there is no face, as in all images
            whose shorter side is under ``min_face``. Boxes may reach beyond the image.
        """
        return [self._detect(image) for image in images]

    def _detect(self, image: NDArray[np.uint8]) -> list[Detection]:
        # facenet-pytorch's own rounding: with no level in its pyramid it fails in torch.cat.
        if min(image.shape[:2]) * (NETWORK_INPUT / self._min_face) < NETWORK_INPUT:
            return []
        boxes, scores, landmarks = self._cascade.detect(image, landmarks=True)
        if boxes is None:
            return []
        # The arrays come with dtype object.
        faces = [
            Detection(b.astype(np.float32), float(s), p.astype(np.float32))
            for b, s, p in zip(boxes, scores, landmarks, strict=True)
        ]
        return sorted(faces, key=lambda face: -face.score)


def _load_weights(cascade: Any, folder: Path) -> None:
    import torch

    for name in ("pnet", "rnet", "onet"):
        path = folder / f"{name}.pt"
        if not path.is_file():
            raise UserError(
                f"detector.weights={folder}: give a folder of pnet.pt, rnet.pt and onet.pt; "
                f"there is no {path.name}"
            )
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
            getattr(cascade, name).load_state_dict(state)
        except Exception as error:  # a foreign file makes torch raise nearly anything
            raise UserError(
                f"detector.weights={folder}: {path.name} does not hold the state dict of "
                "facenet-pytorch's network of that name"
            ) from error
