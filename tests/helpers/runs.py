"""Run folders of untrained models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightning
import torch

from fer_lightning.models.base import TrainingModule
from fer_lightning.models.config import FaceFormat, ModelConfig


def saved_run(folder: Path, config: ModelConfig, faces: FaceFormat, seed: int = 0) -> Path:
    """A run folder with a checkpoint of the model as it is built."""
    return save(config.build(faces, seed), folder)


def save(module: TrainingModule, folder: Path) -> Path:
    """A run folder with a checkpoint of the model as it is."""
    checkpoint: dict[str, Any] = {"state_dict": module.state_dict()}
    module.on_save_checkpoint(checkpoint)
    checkpoint["pytorch-lightning_version"] = lightning.__version__
    (folder / "checkpoints").mkdir(parents=True)
    torch.save(checkpoint, folder / "checkpoints" / "last.ckpt")
    return folder
