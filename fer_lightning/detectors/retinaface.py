"""RetinaFace (Deng et al. 2020) in plain torch, for the weights of biubug6/Pytorch_Retinaface."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fer_lightning.detectors.base import Detection, DetectorConfig
from fer_lightning.detectors.repeatable import repeatable
from fer_lightning.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

SOURCE = "github.com/biubug6/Pytorch_Retinaface (MIT)"
VARIABLE = "FER_RETINAFACE_WEIGHTS"
MEANS = (104.0, 117.0, 123.0)
"""Of blue, green and red in training; subtracted from the pixels."""
CANDIDATES = 5000
"""Best-scored boxes of an image that are compared with one another, as in the published code."""
BATCH_PIXELS = {"cpu": 1 << 20, "cuda": 1 << 24}
"""Pixels that the network looks at together, by type of device, or one image: for a CPU
among the fastest of seven on 200 photographs, for CUDA an estimate."""


class Backbone(enum.Enum):
    """What computes the features."""

    mobilenet025 = "mobilenet025"
    resnet50 = "resnet50"


FILES = {
    Backbone.mobilenet025: "mobilenet0.25_Final.pth",
    Backbone.resnet50: "Resnet50_Final.pth",
}
"""Names under which the weights are published."""
FIRST = {
    Backbone.mobilenet025: "body.stage1.0.0.weight",
    Backbone.resnet50: "body.conv1.weight",
}
"""A name in the state dict by which a backbone is known."""


@dataclass(kw_only=True)
class RetinaFaceConfig(DetectorConfig):
    """Single-stage detector of boxes and five landmarks; its weights are not part of the package.

    Attributes:
        backbone: Which network the weights belong to: MobileNet with a quarter of its channels,
            or ResNet-50.
        weights: State dict of that network; None takes ``$FER_RETINAFACE_WEIGHTS``, which also
            suits sweeps over detectors, of which others have no such key.
        threshold: Least score in [0, 1]. At 0.5 a face is likelier than none; the published demo
            shows faces from 0.6. Paper E went from 0.9 to 0.4 and 0.1: lower keeps more images,
            and takes more things for faces.
        nms: Of two boxes whose intersection over union is larger, the one of lower score goes.
        max_side: Larger images are searched at this length of their longer side, in pixels. The
            largest prior box is 512 pixels wide, and a face that fills 1,000 is no longer found;
            raise it where faces are small in large images, such as below 48 of 640 pixels.
    """

    name: str = "retinaface"
    backbone: Backbone = Backbone.mobilenet025
    weights: Path | None = None
    threshold: float = 0.5
    nms: float = 0.4
    max_side: int = 640

    def __post_init__(self) -> None:
        super().__post_init__()
        for key in ("threshold", "nms"):
            if not 0 <= getattr(self, key) <= 1:
                raise UserError(f"detector.{key}={getattr(self, key)}: give a number in [0, 1]")
        if self.max_side < 16:
            raise UserError(f"detector.max_side={self.max_side}: give at least 16 pixels")

    def files(self) -> list[Path]:
        """The weights; their content decides what is found.

        Raises:
            UserError: If there are none. Only who needs them asks: a finished archive that is
                given by its path needs no detector.
        """
        if self.weights is None or self.weights == Path():  # the variable is there, but empty
            raise UserError(
                f"detector=retinaface has no weights: fetch {FILES[self.backbone]} from {SOURCE} "
                f"and pass detector.weights=PATH, or export {VARIABLE}=PATH"
            )
        path = self.weights.expanduser()
        if not path.is_file():
            raise UserError(
                f"detector.weights={self.weights}: there is no such file (without the key, "
                f"{VARIABLE} gives it); give {FILES[self.backbone]} from {SOURCE}"
            )
        return [path]

    def build(self) -> RetinaFace:
        """Load the network, onto the GPU where there is one.

        Raises:
            UserError: If there are no weights, or not those of ``backbone``.
        """
        return RetinaFace(self)


class RetinaFace:
    """A face detector that finds what the published code finds in each image alone.

    Images of equal size share a batch. Padding others to a common size would move their faces,
    for the layers have biases and see the padding; an archive must not depend on how its images
    were grouped.
    """

    def __init__(self, config: RetinaFaceConfig) -> None:
        import torch

        from fer_lightning.detectors.retinaface_network import RetinaFaceNetwork

        self._config = config
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        (path,) = config.files()
        weights = _read_weights(path, config.backbone)
        network = RetinaFaceNetwork(config.backbone)
        try:
            network.load_state_dict(weights)
        except RuntimeError as error:
            raise _foreign(path, config.backbone) from error
        self._network = network.eval().to(self._device)

    def detect(self, images: Sequence[NDArray[np.uint8]]) -> list[list[Detection]]:
        """Find the faces of each image.

        Args:
            images: RGB arrays of shape (H, W, 3), of mixed sizes.

        Returns:
            One list an image, by falling score; empty where no score reaches the threshold.
            Boxes may reach beyond the image.
        """
        import torch

        found: list[list[Detection]] = [[] for _ in images]
        sizes = [_fitted(image.shape[:2], self._config.max_side) for image in images]
        with torch.inference_mode(), repeatable():
            for batch in _batches(sizes, BATCH_PIXELS[self._device.type]):
                size = sizes[batch[0]]
                faces = self._search(np.stack([_resized(images[i], size) for i in batch]))
                for i, (boxes, scores, landmarks) in zip(batch, faces, strict=True):
                    height, width, _ = images[i].shape
                    scale = np.array([width / size[1], height / size[0]], np.float32)
                    boxes, landmarks = boxes * np.tile(scale, 2), landmarks * scale
                    for box, score, points in zip(boxes, scores, landmarks, strict=True):
                        # Copies, for a view would hold the boxes of all images.
                        found[i].append(Detection(box.copy(), float(score), points.copy()))
        return found

    def _search(
        self, images: NDArray[np.uint8]
    ) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]]:
        """Boxes, scores and landmarks in each of some images (N, H, W, 3), by falling score."""
        import torch
        from torchvision.ops import nms

        from fer_lightning.detectors.retinaface_anchors import (
            decode_boxes,
            decode_landmarks,
            prior_boxes,
        )

        # Colours stay innermost in memory: in that order a CPU runs the network faster.
        pixels = torch.from_numpy(images).to(self._device).permute(0, 3, 1, 2)
        means = torch.tensor(MEANS, device=self._device)[:, None, None]
        inputs = pixels.flip(1).float().sub_(means)
        priors = prior_boxes(*images.shape[1:3])
        for scores, shifts, points in zip(*self._network(inputs), strict=True):
            rows = (scores >= self._config.threshold).nonzero()[:, 0]
            rows = rows[scores[rows].argsort(descending=True, stable=True)[:CANDIDATES]]
            score, shift, point = (part[rows].cpu() for part in (scores, shifts, points))
            prior = priors[rows.cpu()]
            boxes, landmarks = decode_boxes(prior, shift), decode_landmarks(prior, point)
            # The published code counts the right and bottom pixel as part of a box.
            kept = nms(boxes + torch.tensor([0, 0, 1, 1]), score, self._config.nms)
            yield boxes[kept].numpy(), score[kept].numpy(), landmarks[kept].numpy()


def _fitted(shape: tuple[int, ...], max_side: int) -> tuple[int, int]:
    """Height and width at which an image of that height and width is searched."""
    scale = min(1.0, max_side / max(shape))
    return max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))


def _resized(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """An image at a size (height, width), antialiased; untouched where it has that size."""
    if image.shape[:2] == size:
        return image
    return np.asarray(Image.fromarray(image).resize(size[::-1], Image.Resampling.BILINEAR))


def _batches(sizes: Sequence[tuple[int, int]], limit: int) -> Iterator[list[int]]:
    """Indices of images of equal size, of at most ``limit`` pixels together or one image."""
    order = sorted(range(len(sizes)), key=sizes.__getitem__)
    for (height, width), equal in groupby(order, key=sizes.__getitem__):
        rows = list(equal)
        step = max(1, limit // (height * width))
        yield from (rows[i : i + step] for i in range(0, len(rows), step))


def _read_weights(path: Path, backbone: Backbone) -> dict[str, Tensor]:
    """What detection needs of a state dict; no file can run code."""
    from fer_lightning.published import read_state_dict

    try:
        loaded = read_state_dict(path)
    except ValueError as error:
        raise _foreign(path, backbone) from error
    state = {name.removeprefix("module."): value for name, value in loaded.items()}
    for other, first in FIRST.items():
        if other is not backbone and first in state:
            raise UserError(
                f"detector.weights={path} holds the backbone {other.name}: pass "
                f"detector.backbone={other.name}, or give {FILES[backbone]} from {SOURCE}"
            )
    # The backbone's classifier, which detection does not use, is in some files.
    return {name: value for name, value in state.items() if not name.startswith("body.fc.")}


def _foreign(path: Path, backbone: Backbone) -> UserError:
    return UserError(
        f"detector.weights={path} does not hold the state dict of RetinaFace with the backbone "
        f"{backbone.name}; give {FILES[backbone]} from {SOURCE}"
    )
