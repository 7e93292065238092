"""A small data module, and a model that makes what it is told to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor

from fer_lightning.data.batch import to_unit_range
from fer_lightning.data.corpora.folder import Folder
from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.detectors.whole_image import WholeImageConfig
from fer_lightning.models.cgan.config import CGANConfig
from fer_lightning.models.cgan.module import CGAN
from fer_lightning.models.dcgan.config import DCGANConfig
from fer_lightning.models.dcgan.module import DCGAN
from tests.helpers.small import small_archive


def small_faces(folder: Path, labelled: bool = True, **settings: Any) -> FaceDataModule:
    """42 + 9 + 9 images of three emotions, set up."""
    path = folder / "faces"
    if not path.exists():
        small_archive(path, **settings)
    data = Folder(archive=path, batch_size=8)
    channels = settings.get("channels")
    faces = FaceDataModule(data, WholeImageConfig(), 16, channels, seed=0, labelled=labelled)
    faces.setup()
    return faces


def no_faces() -> FaceDataModule:
    """The data of a training on nothing that is measured."""
    faces = FaceDataModule(Folder(), WholeImageConfig(), 16, None, seed=0)
    faces.division = {"train": np.zeros(0, np.int64)}
    return faces


def small_cgan(faces: FaceDataModule, **settings: Any) -> CGAN:
    return CGAN(CGANConfig(latent_dim=8, width=4, **settings), faces.faces, seed=0)


def small_dcgan(faces: FaceDataModule) -> DCGAN:
    config = DCGANConfig(latent_dim=8, generator_width=4, discriminator_width=4)
    return DCGAN(config, faces.faces, seed=0)


class Parrot(CGAN):
    """Gives the first training images whatever the labels."""

    def __init__(self, faces: FaceDataModule) -> None:
        super().__init__(CGANConfig(latent_dim=8, width=4), faces.faces, seed=0)
        rows = faces.division["train"]
        self.known = torch.from_numpy(faces.archives[0].faces[rows])

    def sample(self, emotions: Tensor, generator: Generator) -> Tensor:
        return to_unit_range(self.known[: len(emotions)])


class FreshNoise(Parrot):
    """Gives images of the training images' distribution, and none of them."""

    def sample(self, emotions: Tensor, generator: Generator) -> Tensor:
        shape = (len(emotions), *self.known.shape[1:])
        return to_unit_range(torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator))
