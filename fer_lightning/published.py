"""Weights that others have published: read without running code, downloaded without hanging."""

from __future__ import annotations

import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from fer_lightning import prefetched
from fer_lightning.files import whole

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


@dataclass(frozen=True, slots=True)
class Published:
    """A published file of weights.

    Attributes:
        name: Of the file.
        url: Where it is published.
        digest: First digits of its SHA-256.
    """

    name: str
    url: str
    digest: str

    def find(self) -> Path:
        """The file: laid ready by ``fer prefetch``, or in torch's cache, or downloaded into that.

        Raises:
            OSError: If there is no network, it must not be reached, or there is no place.
            RuntimeError: If another file came.
        """
        ready, cache = prefetched.folder(), _cache() / self.name
        places = [cache] if ready is None else [prefetched.weights_folder(ready) / self.name, cache]
        for place in places:
            if place.is_file():
                return place
        if ready is not None:
            raise OSError(
                f"{prefetched.VARIABLE}={ready} holds no such file, and no network is reached "
                "where that is set"
            )
        self._download(cache)
        return cache

    def lay(self, folder: Path) -> Path:
        """The file in a folder: found there, copied from torch's cache, or downloaded.

        Raises:
            OSError: If there is no network, or no place.
            RuntimeError: If another file came.
        """
        path, cache = folder / self.name, _cache() / self.name
        if path.is_file():
            return path
        if not cache.is_file():
            self._download(path)
            return path
        folder.mkdir(parents=True, exist_ok=True)
        with whole(path) as unfinished:
            shutil.copyfile(cache, unfinished)
        return path

    def _download(self, path: Path) -> None:
        print(f"Downloading {self.url} to {path}", file=sys.stderr)
        path.parent.mkdir(parents=True, exist_ok=True)
        with _timeout(DOWNLOAD_TIMEOUT):
            torch.hub.download_url_to_file(self.url, str(path), hash_prefix=self.digest)


def _cache() -> Path:
    return Path(torch.hub.get_dir()) / "checkpoints"


@contextmanager
def _timeout(seconds: float) -> Iterator[None]:
    """torch.hub has no timeout of its own."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
