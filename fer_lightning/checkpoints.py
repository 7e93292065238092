"""From a run folder back to its model, without its data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from fer_lightning.config.plain import from_plain
from fer_lightning.errors import UserError
from fer_lightning.models.base import TrainingModule
from fer_lightning.models.config import FaceFormat
from fer_lightning.registry import models


def checkpoint_of(run: Path) -> Path:
    """The newest weights of a run folder.

    Raises:
        UserError: If the folder is missing or holds none.
    """
    path = run.expanduser() / "checkpoints" / "last.ckpt"
    if not path.is_file():
        raise UserError(
            f"run={run}: there is no checkpoints/last.ckpt; give a folder that `fer train` wrote"
        )
    return path


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint of ours; no file can run code, since only plain data is admitted.

    Raises:
        UserError: If it is truncated, foreign, or holds anything but plain data.
    """
    try:
        saved: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(
            f"{path} is no checkpoint that can be read safely ({reason}); delete it to start anew"
        ) from error
    if not isinstance(saved, dict) or "fer" not in saved:
        raise UserError(f"{path} was not written by fer_lightning")
    return saved


def load_model(path: Path) -> TrainingModule:
    """Build the model that a checkpoint describes and load its weights, in eval mode."""
    saved = read_checkpoint(path)
    description = saved["fer"]["description"]
    config = from_plain(models, description["model"])
    module: TrainingModule = config.build(FaceFormat(**description["faces"]), description["seed"])
    module.load_state_dict(saved["state_dict"])
    module.images_seen = saved["fer"]["images_seen"]
    return module.eval()
