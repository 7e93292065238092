"""Finds and opens the weights of feature networks; no file can run code."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from fer_lightning.errors import UserError
from fer_lightning.features.base import FeatureUnavailable

INCEPTION_FILE = "weights-inception-2015-12-05-6726825d.pth"
"""torch-fidelity's name of the file; the last part begins its SHA-256."""
INCEPTION_URL = (
    f"https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/{INCEPTION_FILE}"
)
DOWNLOAD_TIMEOUT = 30.0
"""Seconds without an answer, as behind a firewall, after which a download is given up."""


def inception_weights(given: Path | None) -> Path:
    """The file of Inception's weights: the given one, torch's cache, or a download into it.

    Raises:
        UserError: If the given file is missing.
        FeatureUnavailable: If none is given and it cannot be downloaded.
    """
    if given is not None:
        path = given.expanduser()
        if not path.is_file():
            raise UserError(f"feature.weights={given}: there is no such file")
        return path
    path = Path(torch.hub.get_dir()) / "checkpoints" / INCEPTION_FILE
    if path.is_file():
        return path
    print(f"Downloading {INCEPTION_URL} to {path}", file=sys.stderr)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _timeout(DOWNLOAD_TIMEOUT):
            torch.hub.download_url_to_file(INCEPTION_URL, str(path), hash_prefix="6726825d")
    except (OSError, RuntimeError) as error:  # no network, no place, or another file
        raise FeatureUnavailable(
            f"feature=inception: its weights are not in {path.parent} and cannot be downloaded "
            f"({error}): fetch {INCEPTION_FILE} (96 MB) from {INCEPTION_URL} and pass "
            "feature.weights=PATH, or measure with feature=pixels alone"
        ) from error
    return path


def read_weights(path: Path) -> dict[str, Tensor]:
    """A state dict; only tensors are admitted, so that a foreign file can run no code.

    Raises:
        UserError: If the file is truncated, or holds anything but tensors by name.
    """
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises nearly anything on a damaged file
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise unusable(path, reason) from error
    if not isinstance(weights, dict) or not all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in weights.items()
    ):
        raise unusable(path, "it is no state dict, tensors by name")
    return weights


def unusable(path: Path, reason: str) -> UserError:
    """What is wrong with a file of weights, and the remedy."""
    return UserError(
        f"feature.weights={path}: these weights cannot be used ({reason}): fetch "
        f"{INCEPTION_FILE} again from {INCEPTION_URL}"
    )


@contextmanager
def _timeout(seconds: float) -> Iterator[None]:
    """torch.hub has no timeout of its own."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
