"""Finds and opens Inception's weights; no file can run code."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from fer_lightning.errors import UserError
from fer_lightning.features.base import FeatureUnavailable
from fer_lightning.published import Published, read_state_dict

INCEPTION_FILE = "weights-inception-2015-12-05-6726825d.pth"
"""torch-fidelity's name of the file; the last part begins its SHA-256."""
INCEPTION_URL = (
    f"https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/{INCEPTION_FILE}"
)

INCEPTION = Published(INCEPTION_FILE, INCEPTION_URL, "6726825d")


def inception_weights(given: Path | None) -> Path:
    """The file of Inception's weights: the given one, or the published one, wherever it is found.

    Raises:
        UserError: If the given file is missing.
        FeatureUnavailable: If none is given and it cannot be downloaded.
    """
    if given is not None:
        path = given.expanduser()
        if not path.is_file():
            raise UserError(f"feature.weights={given}: there is no such file")
        return path
    try:
        return INCEPTION.find()
    except (OSError, RuntimeError) as error:  # no network, no place, or another file
        cache = Path(torch.hub.get_dir()) / "checkpoints"
        raise FeatureUnavailable(
            f"feature=inception: its weights are not in {cache} and cannot be downloaded "
            f"({error}): fetch {INCEPTION_FILE} (96 MB) from {INCEPTION_URL} and pass "
            "feature.weights=PATH, or measure with feature=pixels alone"
        ) from error


def read_weights(path: Path) -> dict[str, Tensor]:
    """A state dict of Inception.

    Raises:
        UserError: If the file is truncated, or holds anything but tensors by name.
    """
    try:
        return read_state_dict(path)
    except ValueError as error:
        raise unusable(path, str(error)) from error


def unusable(path: Path, reason: str) -> UserError:
    """What is wrong with a file of weights, and the remedy."""
    return UserError(
        f"feature.weights={path}: these weights cannot be used ({reason}): fetch "
        f"{INCEPTION_FILE} again from {INCEPTION_URL}"
    )
