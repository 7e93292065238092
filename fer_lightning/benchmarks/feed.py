"""Feeding faces to a model: the archive's loader beside torchvision's image folder."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder

from fer_lightning.benchmarks.comparison import Goal, SideBySide, in_turn, rate
from fer_lightning.config.benchmark import BenchmarkConfig
from fer_lightning.data.batch import to_bytes
from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.data.loader import FaceLoader, FaceStore
from fer_lightning.errors import UserError
from fer_lightning.progress import progress_bar

MOST = 10_000
"""Images that are written out as files; more would only take longer."""
WORKERS = 2
"""Of the ``DataLoader``."""
OURS, FILES, BARE = (
    "fer_lightning",
    f"ImageFolder + DataLoader({WORKERS} workers)",
    "bare gather by indexing",
)


def measure(config: BenchmarkConfig) -> Iterator[SideBySide]:
    """Images a second of whole epochs, in shuffled batches, as float32 in [-1, 1] on the device.

    The image folder holds the archive's faces as PNG files, cropped and scaled already; that they
    give the same pixels is checked first. The bare gather is torch's indexing of the same uint8
    faces in memory, by as many random rows, without conversion.

    Raises:
        UserError: If there are too few images for a batch.
    """
    faces = FaceDataModule(config.data, config.detector, config.image_size, config.channels, 0)
    faces.setup()
    archive, size = faces.archives[0], config.data.batch_size
    rows = np.sort(faces.division["train"])
    rows = rows[rows < len(archive)]
    if len(rows) < size:
        raise UserError(
            f"data.batch_size={size} exceeds the {len(rows)} training images of the first archive"
        )
    rows = rows[:: -(-len(rows) // MOST)]
    classes, labels = np.unique(faces.labels[rows], return_inverse=True)
    names = [faces.classes[number] for number in classes]
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    store = FaceStore(faces.archives[:1], device)
    loader = FaceLoader(store, rows, labels, size, 0, training=True)
    memory = torch.from_numpy(np.array(archive.faces[rows]))
    there = memory.to(device)
    with tempfile.TemporaryDirectory(prefix="fer-benchmark-") as folder:
        files = _image_folder(Path(folder), memory, labels, names)
        _check_equal(files, memory)
        batches = DataLoader(
            files,
            size,
            shuffle=True,
            num_workers=WORKERS,
            persistent_workers=True,
            pin_memory=device.type == "cuda",
            drop_last=True,
        )
        whole = len(rows) // size * size
        ways = {
            OURS: lambda: rate(whole, lambda: _go_through(loader)),
            FILES: lambda: rate(whole, lambda: _feed(batches, device)),
            BARE: lambda: rate(whole, lambda: _gather(there, size)),
        }
        result = in_turn("feeding", "images/s", ways, config.rounds)
    result.goals = [
        Goal(f"times {FILES}", result.ratio(OURS, FILES), 20),
        Goal(f"times {BARE}", result.ratio(OURS, BARE), 0.5),
    ]
    result.notes = [
        f"{whole:,} faces of {archive.manifest['corpus']}, {'x'.join(map(str, archive.shape[1:]))},"
        f" in batches of {size}; all {len(rows):,} files give the archive's pixels."
    ]
    yield result


def _go_through(loader: FaceLoader) -> None:
    for _ in loader:
        pass


def _feed(batches: DataLoader[tuple[Tensor, Tensor]], device: torch.device) -> None:
    for images, _ in batches:
        images.to(device, non_blocking=True)


def _gather(memory: Tensor, size: int) -> None:
    order = torch.randperm(len(memory), device=memory.device)
    for start in range(0, len(order) - size + 1, size):
        memory[order[start : start + size]]


def _image_folder(
    folder: Path, faces: Tensor, labels: NDArray[np.int64], classes: list[str]
) -> ImageFolder:
    """The faces as files, a folder a class, named such that they sort as they stand."""
    for name in classes:
        (folder / name).mkdir()
    pairs = zip(faces.numpy(), labels, strict=True)
    bar = progress_bar(pairs, total=len(labels), desc="Writing files", unit="img", leave=False)
    for row, (face, label) in enumerate(bar):
        image = Image.fromarray(face[:, :, 0] if face.shape[2] == 1 else face)
        image.save(folder / classes[label] / f"{row:06}.png")
    channels = faces.shape[3]
    steps = [transforms.Grayscale()] if channels == 1 else []
    steps += [transforms.ToTensor(), transforms.Normalize([0.5] * channels, [0.5] * channels)]
    return ImageFolder(str(folder), transforms.Compose(steps))


def _check_equal(files: ImageFolder, faces: Tensor) -> None:
    bar = progress_bar(files.samples, desc="Checking pixels", unit="img", leave=False)
    for number, (path, _) in enumerate(bar):
        read = to_bytes(files[number][0][None])[0]
        if not torch.equal(read, faces[int(Path(path).stem)]):
            raise RuntimeError(f"{path} gives other pixels than the archive")
