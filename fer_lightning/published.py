"""Weights that others have published: read without running code, downloaded without hanging."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

DOWNLOAD_TIMEOUT = 30.0
"""Seconds without an answer, as behind a firewall, after which a download is given up."""


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """A state dict; only tensors are admitted, so that a foreign file can run no code.

    Raises:
        ValueError: If the file is truncated, or holds anything but tensors by name; says which.
    """
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises nearly anything on a damaged file
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(reason) from error
    if not isinstance(weights, dict) or not all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in weights.items()
    ):
        raise ValueError("it is no state dict, tensors by name")
    return weights


def cached(name: str, url: str, digest: str) -> Path:
    """A file in torch's cache, downloaded into it where it is missing.

    Args:
        name: Of the file.
        url: Where it is published.
        digest: First digits of its SHA-256.

    Raises:
        OSError: If there is no network, or no place.
        RuntimeError: If another file came.
    """
    path = Path(torch.hub.get_dir()) / "checkpoints" / name
    if path.is_file():
        return path
    print(f"Downloading {url} to {path}", file=sys.stderr)
    path.parent.mkdir(parents=True, exist_ok=True)
    with _timeout(DOWNLOAD_TIMEOUT):
        torch.hub.download_url_to_file(url, str(path), hash_prefix=digest)
    return path


@contextmanager
def _timeout(seconds: float) -> Iterator[None]:
    """torch.hub has no timeout of its own."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
