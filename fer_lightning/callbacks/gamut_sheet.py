"""Pictures of what a model that edits makes of the same held-out faces every time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from fer_lightning.callbacks.run_pictures import RunPictures
from fer_lightning.callbacks.translation_sheet import drawn
from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.data.loader import FaceStore
from fer_lightning.editing.gamut import gamut_sheet
from fer_lightning.labels import NEUTRAL
from fer_lightning.models.editing import EditingModule


class GamutSheet(RunPictures):
    """Writes ``<images_seen>.png`` every ``interval`` images and at the end: the gamut of faces.

    The faces are of the validation part where there is one, and neutral where there are such, for
    from there all emotions depart.

    Args:
        folder: Where pictures go.
        interval: In real images.
        faces: What the model trains on, set up.
        seed: Of the choice of faces.
        count: How many of them.
    """

    def __init__(
        self, folder: Path, interval: int, faces: FaceDataModule, seed: int, count: int = 2
    ) -> None:
        super().__init__(folder, interval)
        self.faces = faces
        self.seed = seed
        self.count = count

    def grid(self, module: EditingModule) -> Image.Image:
        """The sheet of a model as it is now."""
        rows = self._chosen(module.classes.index(NEUTRAL))
        store = FaceStore(self.faces.archives, torch.device("cpu"))
        return gamut_sheet(module, store.gather(rows))

    def _chosen(self, neutral: int) -> NDArray[np.int64]:
        """Rows of the archives, the same every time."""
        division, labels = self.faces.division, self.faces.labels
        held_out = division["val"] if len(division["val"]) else division["train"]
        rows = held_out[labels[held_out] == neutral]
        return drawn(rows if len(rows) else held_out, self.count, self.seed)
