"""Finding faces in photographs: our MTCNN beside facenet-pytorch's, image by image."""

from __future__ import annotations

import multiprocessing
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import facenet_pytorch
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from fer_lightning.benchmarks.comparison import Goal, SideBySide, Way, in_turn, rate
from fer_lightning.config.benchmark import BenchmarkConfig
from fer_lightning.data.corpora.drawn import Drawn
from fer_lightning.data.corpora.layout import files_below
from fer_lightning.data.images import UnusableImage, read_image
from fer_lightning.data.preparation import SHARD
from fer_lightning.detectors.base import DetectorConfig, FaceDetector
from fer_lightning.detectors.mtcnn import MTCNNConfig
from fer_lightning.errors import UserError
from fer_lightning.launchers.slots import core_count
from fer_lightning.progress import progress_bar
from fer_lightning.workers import begin_worker

MOST = 256
"""Photographs that are looked at, evenly chosen by name."""
LEAST = 64
"""Side in pixels of the smallest; facenet-pytorch fails on tiny ones."""
PIXEL = 0.5
"""Boxes that differ by no more, in pixels, are the same."""
OURS, ONE, FACENET = "fer_lightning, a process a core", "fer_lightning, one process", "facenet"

Boxes = NDArray[np.float32]
"""Of one photograph by falling score, shape (faces, 4)."""


def measure(config: BenchmarkConfig) -> Iterator[SideBySide]:
    """Photographs a second, from the file to the boxes; networks are loaded before.

    Raises:
        UserError: If there is no readable photograph.
    """
    detector = config.detector if isinstance(config.detector, MTCNNConfig) else MTCNNConfig()
    with _photographs(config.photographs) as paths:
        chunks = [
            paths[i : i + detector.batch_size] for i in range(0, len(paths), detector.batch_size)
        ]
        facenet = facenet_pytorch.MTCNN(
            keep_all=True,
            min_face_size=detector.min_face,
            thresholds=detector.thresholds,
            factor=detector.factor,
            device="cuda" if torch.cuda.is_available() else "cpu",
        )
        _load(detector)
        found: dict[str, list[Boxes]] = {}
        with ProcessPoolExecutor(
            core_count(), multiprocessing.get_context("spawn"), _start_worker, (detector,)
        ) as pool:
            ways = {
                OURS: _way(OURS, found, paths, lambda: pool.map(find, chunks)),
                ONE: _way(ONE, found, paths, lambda: map(find, chunks)),
                FACENET: _way(FACENET, found, paths, lambda: [_by_facenet(facenet, paths)]),
            }
            result = in_turn("detecting", "images/s", ways, config.rounds)
        if torch.cuda.is_available():  # boxes once more without TF32, which ours never uses
            with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
                ways[FACENET]()
    least = 5.0 if torch.cuda.is_available() else 1.3
    faces = sum(len(boxes) for boxes in found[OURS])
    others = different(found[OURS], found[FACENET])
    result.goals = [
        Goal(f"times {FACENET}", result.ratio(OURS, FACENET), least),
        Goal("photographs with other boxes", others, 0, at_least=False),
    ]
    result.notes = [
        f"{len(paths)} {'drawn' if config.photographs is None else 'real'} photographs with "
        f"{faces} faces of {detector.min_face} pixels or more; boxes within {PIXEL} pixels are the "
        f"same. {core_count()} processes; {FACENET} (facenet-pytorch, image by image) has "
        f"{torch.get_num_threads()} threads. `fer prepare` works so on more than one shard of "
        f"{SHARD} images."
    ]
    yield result


def _way(
    name: str,
    found: dict[str, list[Boxes]],
    paths: Sequence[Path],
    detect: Callable[[], Iterator[list[Boxes]] | list[list[Boxes]]],
) -> Way:
    def work() -> None:
        found[name] = [boxes for chunk in detect() for boxes in chunk]

    return lambda: rate(len(paths), work)


def different(some: Sequence[Boxes], others: Sequence[Boxes]) -> int:
    """Photographs in which the boxes differ in number, or by more than :data:`PIXEL` pixels."""
    return sum(not _same(one, other) for one, other in zip(some, others, strict=True))


def _same(one: Boxes, other: Boxes) -> bool:
    if not len(one) == len(other) > 0:
        return len(one) == len(other)
    apart: NDArray[np.float32] = np.abs(one[:, None] - other).max(
        2
    )  # in any order, since scores may be equal
    return max(float(apart.min(0).max()), float(apart.min(1).max())) <= PIXEL


_detector: FaceDetector


def _start_worker(config: DetectorConfig) -> None:
    begin_worker()
    _load(config)


def _load(config: DetectorConfig) -> None:
    global _detector
    _detector = config.build()


def find(paths: Sequence[Path]) -> list[Boxes]:
    """The boxes of each photograph, by this process's detector."""
    found = _detector.detect([read_image(path) for path in paths])
    return [np.array([face.box for face in faces]).reshape(-1, 4) for faces in found]


def _by_facenet(detector: facenet_pytorch.MTCNN, paths: Sequence[Path]) -> list[Boxes]:
    found = (detector.detect(Image.fromarray(read_image(path)))[0] for path in paths)
    return [
        np.zeros((0, 4), np.float32) if boxes is None else np.asarray(boxes, np.float32)
        for boxes in found
    ]


@contextmanager
def _photographs(folder: Path | None) -> Iterator[list[Path]]:
    """Files that can be read and are large enough for both detectors."""
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="fer-benchmark-") as drawn:
            yield _draw(Path(drawn))
        return
    files = files_below(folder.expanduser())
    chosen = sorted({round(place) for place in np.linspace(0, len(files) - 1, MOST)})
    usable = [files[place] for place in chosen if _usable(files[place])] if files else []
    if not usable:
        raise UserError(f"photographs={folder} holds no image that can be read")
    yield usable


def _usable(path: Path) -> bool:
    try:
        side: int = min(read_image(path).shape[:2])
    except UnusableImage:
        return False
    return side >= LEAST


def _draw(folder: Path) -> list[Path]:
    corpus = Drawn(count=MOST // 4, picture_size=320)
    paths = []
    rows = corpus.rows()
    for number, row in enumerate(progress_bar(rows, desc="Drawing", unit="img", leave=False)):
        paths.append(folder / f"{number:04}.png")
        Image.fromarray(corpus.load(row)).save(paths[-1])
    return paths
