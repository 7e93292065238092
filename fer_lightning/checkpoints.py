"""From a run folder back to its model, without its data."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import torch
from omegaconf.errors import OmegaConfBaseException

from fer_lightning.config.plain import from_plain
from fer_lightning.errors import UserError
from fer_lightning.models.base import TrainingModule
from fer_lightning.models.config import FaceFormat
from fer_lightning.registry import models

OURS = {"description", "images_seen"}
"""What a checkpoint of ours has always held besides Lightning's parts: enough to measure it."""
CONTINUED_BY = {"random", "threads"}
"""What a training needs of it, too, to go on as if it had not stopped."""


def checkpoint_of(run: Path, key: str = "run") -> Path:
    """The newest weights of a run folder.

    Args:
        run: The folder.
        key: That it was given by.

    Raises:
        UserError: If the folder is missing or holds none.
    """
    path = run.expanduser() / "checkpoints" / "last.ckpt"
    if not path.is_file():
        raise UserError(
            f"{key}={run}: there is no checkpoints/last.ckpt; give a folder that `fer train` wrote"
        )
    return path


def read_checkpoint(path: Path, content: bytes | None = None) -> dict[str, Any]:
    """Read a checkpoint of ours; no file can run code, since only plain data is admitted.

    Args:
        path: The file.
        content: Its bytes, where they have been read already.

    Raises:
        UserError: If it is truncated, foreign, or holds anything but plain data.
    """
    try:
        source = path if content is None else io.BytesIO(content)
        saved: dict[str, Any] = torch.load(source, map_location="cpu", weights_only=True)
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(
            f"{path} is no checkpoint that can be read safely ({reason}); delete it to start anew"
        ) from error
    ours = saved.get("fer") if isinstance(saved, dict) else None
    if not isinstance(ours, dict) or not ours.keys() >= OURS or "state_dict" not in saved:
        raise UserError(f"{path} was not written by fer_lightning; delete it to start anew")
    return saved


def read_to_go_on(path: Path) -> dict[str, Any]:
    """As :func:`read_checkpoint`, for a training that goes on as if it had not stopped.

    Raises:
        UserError: Also if an earlier version wrote it, without the random states.
    """
    saved = read_checkpoint(path)
    if not saved["fer"].keys() >= CONTINUED_BY:
        raise UserError(
            f"{path} is of an earlier version: it can be measured, but its training cannot go on; "
            "pass force=true to start anew, or another run_dir="
        )
    return saved


def load_model(path: Path) -> TrainingModule:
    """Build the model that a checkpoint describes and load its weights, in eval mode.

    Raises:
        UserError: If it cannot be read, or describes what is not to be built here.
    """
    return _built(path, read_checkpoint(path))


def load_hashed(path: Path) -> tuple[TrainingModule, str]:
    """As :func:`load_model`, and the file's hash, both of the very same bytes.

    A training that publishes its next checkpoint meanwhile changes neither. The hash is that of
    :func:`fer_lightning.data.fingerprint.file_digest`.

    Raises:
        UserError: As :func:`load_model`.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror})") from error
    module = _built(path, read_checkpoint(path, content))
    return module, hashlib.blake2b(content, digest_size=16).hexdigest()


def _built(path: Path, saved: dict[str, Any]) -> TrainingModule:
    try:
        description = saved["fer"]["description"]
        config = from_plain(models, description["model"])
        faces = FaceFormat(**description["faces"])
        module: TrainingModule = config.build(faces, description["seed"])
        module.load_state_dict(saved["state_dict"])
        module.restore(saved["fer"])
    except (KeyError, TypeError, RuntimeError, OmegaConfBaseException) as error:
        reason = " ".join(str(error).split())
        raise UserError(
            f"{path} is damaged or of another version of its model ({reason[:200]}); train again"
        ) from error
    return module.eval()
