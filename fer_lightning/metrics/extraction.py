"""Features of many images; those of real images are computed once and kept."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.data.fingerprint import digest
from fer_lightning.data.loader import FaceStore
from fer_lightning.data.preparation import archives_folder
from fer_lightning.features.network import FeatureNetwork, Features
from fer_lightning.files import whole
from fer_lightning.progress import progress_bar

BATCH = 64
"""Fixed, since a network's last bits depend on it."""


def extract(
    network: FeatureNetwork,
    pieces: Iterable[Tensor],
    count: int,
    what: str,
    device: torch.device,
) -> Features:
    """Features of many images, computed batch by batch and left on ``device``.

    Args:
        network: What to measure by, on ``device``.
        pieces: uint8 faces of shape (up to BATCH, H, W, C).
        count: Images in all.
        what: For the progress bar.
        device: Where to compute.
    """
    vectors, logits = [], []
    title = f"{network.name} of {what}"
    with progress_bar(total=count, desc=title, unit="img", leave=False, delay=1) as bar:
        for piece in pieces:
            found: Features = network(piece.to(device))
            vectors.append(found.vectors)
            if found.logits is not None:
                logits.append(found.logits)
            bar.update(len(piece))
    return Features(torch.cat(vectors), torch.cat(logits) if logits else None)


def real_vectors(
    network: FeatureNetwork,
    faces: FaceDataModule,
    rows: NDArray[np.int64],
    what: str,
    device: torch.device,
) -> Tensor:
    """Feature vectors of rows of archives, from the cache where they have been computed before.

    Returns:
        float32 of shape (N, d), on ``device``.
    """
    archives = [archive.key for archive in faces.archives]
    # A GPU rounds otherwise than a CPU, and another batch otherwise than this.
    key = [archives, rows.tolist(), network.protocol, BATCH, device.type]
    path = archives_folder() / ".features" / f"{digest(key)}.npz"
    kept = _read(path, (len(rows), network.num_features))
    if kept is None:
        store = FaceStore(faces.archives, torch.device("cpu"))
        pieces = (store.gather(rows[i : i + BATCH]) for i in range(0, len(rows), BATCH))
        kept = extract(network, pieces, len(rows), what, device).vectors.cpu().numpy()
        _write(path, kept)
    return torch.from_numpy(kept).to(device)


def _read(path: Path, shape: tuple[int, int]) -> NDArray[np.float32] | None:
    try:
        with np.load(path, allow_pickle=False) as file:
            vectors: NDArray[np.float32] = file["vectors"]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        print(f"fer: warning: {path} is damaged ({error}); computed anew", file=sys.stderr)
        return None
    return vectors if vectors.shape == shape and vectors.dtype == np.float32 else None


def _write(path: Path, vectors: NDArray[np.float32]) -> None:
    """Whole or not at all; the evaluation goes on without."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path, private=True) as unfinished, unfinished.open("wb") as file:
            np.savez(file, vectors=vectors)
    except OSError as error:
        print(f"fer: warning: real features are not kept: {error}", file=sys.stderr)
