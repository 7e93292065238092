"""MTCNN (Zhang et al. 2016), with the networks and weights of facenet-pytorch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fer_lightning.detectors.base import Detection, DetectorConfig
from fer_lightning.errors import UserError

if TYPE_CHECKING:
    from torch import nn

NETWORK_INPUT = 12
"""Side in pixels of the face that MTCNN's first network looks for."""
WEIGHTS = ("pnet.pt", "rnet.pt", "onet.pt")
"""Files of ``MTCNNConfig.weights``, in the order of the networks."""


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

    def files(self) -> list[Path]:
        """Files that decide what is found: own weights; those of facenet-pytorch go unnamed."""
        if self.weights is None:
            return []
        return [self.weights.expanduser() / name for name in WEIGHTS]

    def build(self) -> MTCNN:
        """Load the three networks, onto the GPU where there is one.

        Raises:
            UserError: If ``weights`` does not hold the three networks.
        """
        return MTCNN(self)


class MTCNN:
    """A face detector that finds what ``facenet_pytorch.MTCNN`` finds in each image alone.

    Networks and weights are facenet-pytorch's, batches are not: it stacks images of one size, but
    then suppresses overlapping boxes of all of them together, told apart by a float32 offset,
    which moves about one face in a hundred by pixels, up to 46 of 350. An archive must not depend
    on how its images were grouped.
    """

    def __init__(self, config: MTCNNConfig) -> None:
        import torch
        from facenet_pytorch import ONet, PNet, RNet

        from fer_lightning.detectors.mtcnn_cascade import Cascade

        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        own = config.files()
        networks = [network(pretrained=not own).to(device) for network in (PNet, RNet, ONet)]
        for network, path in zip(networks, own):
            _load_weights(network, path)
        self._cascade = Cascade(networks, config.thresholds, config.min_face, config.factor, device)

    def detect(self, images: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        """Find the faces of each image.

        Args:
            images: RGB arrays of shape (H, W, 3), of mixed sizes.

        Returns:
            One list an image, by falling score; empty where there is no face, as in all images
            whose shorter side is under ``min_face``. Boxes may reach beyond the image.
        """
        return self._cascade(images)


def _load_weights(network: nn.Module, path: Path) -> None:
    import torch

    if not path.is_file():
        raise UserError(
            f"detector.weights={path.parent}: give a folder of {', '.join(WEIGHTS)}; "
            f"there is no {path.name}"
        )
    try:
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # a foreign file makes torch raise nearly anything
        raise UserError(
            f"detector.weights={path.parent}: {path.name} does not hold the state dict of "
            "facenet-pytorch's network of that name"
        ) from error
