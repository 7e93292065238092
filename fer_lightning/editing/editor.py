"""Edits the faces of whole pictures."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fer_lightning.config.edit import Faces
from fer_lightning.data.batch import to_unit_range
from fer_lightning.data.preparation import to_channels
from fer_lightning.detectors.base import Detection, DetectorConfig, FaceChoice
from fer_lightning.detectors.crop import choose_face
from fer_lightning.editing.batches import edited
from fer_lightning.editing.placement import Placed, place, put_back
from fer_lightning.models.editing import EditingModule


class Editor:
    """Finds the faces of a picture, and gives them another emotion.

    Args:
        module: The model, on the device that edits.
        config: Finds and crops the faces.
        faces: Which of them are edited.
    """

    def __init__(self, module: EditingModule, config: DetectorConfig, faces: Faces) -> None:
        self.module = module
        self.config = config
        self.detector = config.build()
        self.faces = faces
        shape = module.description["faces"]
        self.size: int = shape["image_size"]
        self.channels: int = shape["channels"]

    def find(self, image: NDArray[np.uint8]) -> list[Detection]:
        """The faces to be edited of an RGB picture (H, W, 3), the largest first; maybe none."""
        (found,) = self.detector.detect([image])
        if not found:
            return []
        largest = choose_face(found, FaceChoice.largest, image.shape[:2])
        others = [face for face in found if face is not largest]
        return [largest, *others] if self.faces is Faces.all else [largest]

    def place(self, image: NDArray[np.uint8], face: Detection) -> Placed:
        """A face as the model is shown it, and where it stands."""
        return place(image, face, self.config, self.size)

    def shown(self, placed: Placed) -> NDArray[np.uint8]:
        """What the model sees of a face: (size, size, C)."""
        return to_channels(placed.crop, self.channels)

    def edit(
        self, image: NDArray[np.uint8], faces: list[Detection], point: Tensor
    ) -> NDArray[np.uint8]:
        """The picture with its faces edited, in its own resolution.

        Args:
            image: RGB of shape (H, W, 3).
            faces: From :meth:`find`.
            point: Of shape (1, dimension).
        """
        placed = [self.place(image, face) for face in faces]
        crops = torch.from_numpy(np.stack([self.shown(each) for each in placed]))
        for each, change in zip(placed, self._changes(crops, point), strict=True):
            image = put_back(image, each, change)
        return image

    def _changes(self, crops: Tensor, point: Tensor) -> NDArray[np.float32]:
        """What the model adds to each crop, in grey levels: (N, size, size, C)."""
        faces = to_unit_range(crops)
        change = edited(self.module, faces, point.expand(len(faces), -1)) - faces
        found: NDArray[np.float32] = (change * 127.5).permute(0, 2, 3, 1).numpy()
        return found
