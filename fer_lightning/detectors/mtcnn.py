"""MTCNN (Zhang et al. 2016), with the networks and weights of facenet-pytorch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fer_lightning.detectors.base import Detection, DetectorConfig
from fer_lightning.detectors.repeatable import repeatable
from fer_lightning.errors import UserError

if TYPE_CHECKING:
    from torch import nn

NETWORK_INPUT = 12
"""Side in pixels of the face that MTCNN's first network looks for."""
WEIGHTS = ("pnet.pt", "rnet.pt", "onet.pt")
"""Files of ``MTCNNConfig.weights``, in the order of the networks."""


class Limits(NamedTuple):
    """How much is worked on at once; faces do not depend on it, save for rounding.

    Attributes:
        portion: Pixels of the images that are searched together, which bounds memory.
        batch: Pixels that a network looks at together: on a CPU, so many that its cache holds
            what the first layers make of them; on a GPU, enough to keep it busy.
    """

    portion: int
    batch: int


LIMITS = {"cpu": Limits(1 << 20, 1 << 17), "cuda": Limits(1 << 25, 1 << 21)}
"""By type of device: for a CPU the fastest of 20 pairs on 96 photographs, for CUDA an estimate."""


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
        for path in self.files():
            if not path.is_file():
                raise UserError(
                    f"detector.weights={self.weights}: give a folder of {', '.join(WEIGHTS)}; "
                    f"there is no {path.name}"
                )
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
        networks = [kind(pretrained=config.weights is None) for kind in (PNet, RNet, ONet)]
        if config.weights is not None:
            for network, path in zip(networks, config.files(), strict=True):
                _load_weights(network, path)
        self._scales = partial(_scales, config.min_face, config.factor)
        self._limits = LIMITS[device.type]
        self._cascade = Cascade(
            networks=[network.to(device) for network in networks],
            thresholds=config.thresholds,
            scales=self._scales,
            batch_pixels=self._limits.batch,
            device=device,
        )

    def detect(self, images: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        """Find the faces of each image.

        Args:
            images: RGB arrays of shape (H, W, 3), of mixed sizes.

        Returns:
            One list an image, by falling score; empty where there is no face, as in all images
            whose shorter side is under ``min_face``. Boxes may reach beyond the image.
        """
        import torch

        found: list[list[Detection]] = [[] for _ in images]
        with torch.inference_mode(), repeatable():
            for portion in self._portions([image.shape[:2] for image in images]):
                faces = self._cascade.find([images[i] for i in portion])
                columns = faces.image, faces.box, faces.score, faces.points.view(-1, 2, 5).mT
                for i, box, score, points in zip(*(c.numpy() for c in columns), strict=True):
                    # Copies, for a view would hold the boxes of all images.
                    found[portion[i]].append(Detection(box.copy(), float(score), points.copy()))
        return found

    def _portions(self, sizes: Sequence[tuple[int, int]]) -> Iterator[list[int]]:
        """Indices of images to search together, equal sizes in a row; none of the too small."""
        portion: list[int] = []
        pixels = 0
        for i in sorted(range(len(sizes)), key=sizes.__getitem__):
            if not any(self._scales(min(sizes[i]))):
                continue
            pixels += math.prod(sizes[i])
            if portion and pixels > self._limits.portion:
                yield portion
                portion, pixels = [], math.prod(sizes[i])
            portion.append(i)
        if portion:
            yield portion


def _scales(min_face: int, factor: float, shorter_side: int) -> Iterator[float]:
    """Levels of the pyramid of an image, relative to the image, by falling size."""
    scale = NETWORK_INPUT / min_face
    side = shorter_side * scale
    while side >= NETWORK_INPUT:
        yield scale
        scale *= factor
        side *= factor


def _load_weights(network: nn.Module, path: Path) -> None:
    import torch

    try:
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # a foreign file makes torch raise nearly anything
        raise UserError(
            f"detector.weights={path.parent}: {path.name} does not hold the state dict of "
            "facenet-pytorch's network of that name"
        ) from error
