"""From a corpus to a face archive: decode, detect, crop; in parallel and restartable."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    Future,
    ProcessPoolExecutor,
    as_completed,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_lightning.config.plain import identity
from fer_lightning.data.archive import FaceArchive, archive_lock, report
from fer_lightning.data.archive_writer import ArchiveWriter, DetectionCost, write_shard
from fer_lightning.data.corpora.base import Corpus, SourceRow
from fer_lightning.data.fingerprint import digest, file_digest
from fer_lightning.data.images import UnusableImage
from fer_lightning.data.index import Columns, Exclusion, excluded_table, index_table
from fer_lightning.detectors.base import Detection, DetectorConfig, FaceDetector
from fer_lightning.detectors.crop import cut_face
from fer_lightning.errors import UserError
from fer_lightning.prefetched import prefetched_archive
from fer_lightning.progress import progress_bar
from fer_lightning.runs import command_line
from fer_lightning.workers import begin_worker

VERSION = 1
"""Raised whenever the same recipe comes to give other faces, for archives are named by it."""

SHARD = 256
"""Images a shard: what is lost when killed, and how often the progress bar moves."""

MAX_PIXELS = 16_000_000
"""Source pixels decoded at once in a worker, or one image if that is larger."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """All that decides an archive's content, beside the source files.

    Attributes:
        corpus: Reads the source.
        detector: Finds the faces and states the crop policy.
        image_size: Side of the crops in pixels.
        channels: 1 or 3.
    """

    corpus: Corpus
    detector: DetectorConfig
    image_size: int
    channels: int

    @classmethod
    def of(
        cls, corpus: Corpus, detector: DetectorConfig, image_size: int, channels: int | None
    ) -> Recipe:
        """The recipe of a data block within a job: the block's own detector goes first."""
        return cls(
            corpus=corpus,
            detector=corpus.detector or detector,
            image_size=image_size,
            channels=channels or corpus.native_channels,
        )

    def key(self, source: str) -> str:
        """Hash of the recipe applied to a source with the fingerprint ``source``."""
        return digest({**self.settings(), "source": source})

    def settings(self) -> dict[str, Any]:
        """The recipe as plain data without paths, for the key and the manifest."""
        return {
            "preparation": VERSION,
            "corpus": self.corpus.name,
            "settings": self.corpus.source_settings(),
            "detector": identity(self.detector),
            "weights": [file_digest(path) for path in self.detector.files()],
            "image_size": self.image_size,
            "channels": self.channels,
        }


def archives_folder() -> Path:
    """Where archives go that are named by hash: ``$FER_ARCHIVES``, or ``archives`` here."""
    return Path(os.environ.get("FER_ARCHIVES", "archives"))


def prepare(
    recipe: Recipe,
    path: Path | None = None,
    workers: int | None = None,
    force: bool = False,
    show: bool = False,
) -> FaceArchive:
    """The archive of a recipe: reused where it is finished, else made or completed.

    One that ``fer prefetch`` has laid ready is taken as it is, without a look at the source.

    Args:
        recipe: What goes in.
        path: Its folder; None names it by hash.
        workers: Processes; None takes one a core.
        force: Replace an archive at ``path`` that was made from something else.
        show: Print what became of each class also when the archive is reused.

    Raises:
        UserError: If the source cannot be read, gives no face, or ``path`` holds another archive.
    """
    if (ready := prefetched_archive(recipe, path)) is not None:
        found = FaceArchive.open(ready)
        if show:
            print(report(found.manifest))
        return found
    recipe.settings()  # a detector without its weights is refused before the source is read
    corpus = recipe.corpus
    rows = corpus.rows()
    folder = archives_folder() if path is None else path.parent
    folder.mkdir(parents=True, exist_ok=True)
    cache = folder / ".fingerprints"
    source = corpus.fingerprint(rows, cache)
    key = recipe.key(source)
    if path is None:
        name = f"{corpus.name}-{recipe.detector.name}-{recipe.image_size}-{key[:8]}"
        path = folder / name
    with archive_lock(path):
        if path.is_dir() and any(path.iterdir()) and not force:
            archive = _reuse(path, key, recipe, source)
            if show:
                print(report(archive.manifest))
            return archive
        writer = ArchiveWriter(path, key)
        shards = -(-len(rows) // SHARD)
        _fill(recipe, rows, writer, shards, workers or _cores())
        made_from = {**recipe.settings(), "source": source, "command": command_line()}
        if corpus.remarks():
            made_from["remark"] = " ".join(corpus.remarks())
        archive = writer.publish(shards, made_from)
    print(report(archive.manifest))
    return archive


def _reuse(path: Path, key: str, recipe: Recipe, source: str) -> FaceArchive:
    archive = FaceArchive.open(path)
    if archive.key != key:
        changed = [
            name
            for name, value in {**recipe.settings(), "source": source}.items()
            if archive.manifest.get(name) != value
        ]
        raise UserError(
            f"{path} was made from something else: {', '.join(changed)} changed since. "
            "Pass force=true to replace it, or another archive=DIR"
        )
    return archive


def _fill(
    recipe: Recipe, rows: Sequence[SourceRow], writer: ArchiveWriter, shards: int, workers: int
) -> None:
    """Write the missing shards, showing how many images are done."""
    missing = writer.missing(shards)
    columns = Columns.of(rows)
    jobs = (
        (number, rows[number * SHARD : (number + 1) * SHARD], writer.partial, columns)
        for number in missing
    )
    left = sum(min(SHARD, len(rows) - number * SHARD) for number in missing)
    done = len(rows) - left
    with progress_bar(total=len(rows), initial=done, desc="Cutting faces", unit="img") as bar:
        if min(workers, len(missing)) <= 1:
            worker = _Worker(recipe)
            for job in jobs:
                bar.update(worker.shard(*job))
            return
        recipe.detector.build()  # what is wrong with it is said here, not by a dead worker
        with ProcessPoolExecutor(
            min(workers, len(missing)),
            # Forking a process in which torch has started threads can hang.
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_start_worker,
            initargs=(recipe,),
        ) as pool:
            try:
                for done in _run_all(pool, jobs, 2 * workers):
                    bar.update(done)
            except BrokenProcessPool as error:
                raise UserError(
                    "a worker process died, most likely for lack of memory: try workers=1 or a "
                    "smaller detector.batch_size; the same command goes on where it was"
                ) from error
            except BaseException:  # Ctrl-C too: the shards under way are finished, no others
                pool.shutdown(wait=True, cancel_futures=True)
                raise


def _run_all(pool: ProcessPoolExecutor, jobs: Iterable[ShardJob], ahead: int) -> Iterator[int]:
    """Images of each finished shard; no more than ``ahead`` wait in memory for a worker."""
    waiting: set[Future[int]] = set()
    for job in jobs:
        waiting.add(pool.submit(_run_shard, job))
        if len(waiting) >= ahead:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
    yield from (future.result() for future in as_completed(waiting))


ShardJob = tuple[int, Sequence[SourceRow], Path, Columns]
"""Arguments of :meth:`_Worker.shard`."""


class _Worker:
    """Decodes, detects and crops the rows of one shard after another."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self.detector: FaceDetector = recipe.detector.build()

    def shard(self, number: int, rows: Sequence[SourceRow], partial: Path, columns: Columns) -> int:
        """Write shard ``number`` and return how many rows it covers."""
        kept: list[SourceRow] = []
        found: list[Detection | None] = []
        crops: list[NDArray[np.uint8]] = []
        excluded = [Exclusion(row, row.unusable) for row in rows if row.unusable]
        cost = DetectionCost()
        for batch, images in self._decode([row for row in rows if not row.unusable], excluded):
            start = time.perf_counter()
            detections = self.detector.detect(images)
            cost += DetectionCost(len(images), time.perf_counter() - start)
            for row, image, present in zip(batch, images, detections, strict=True):
                cut = cut_face(image, present, self.recipe.detector, self.recipe.image_size)
                if cut is None:
                    excluded.append(Exclusion(row, "no_face"))
                    continue
                kept.append(row)
                found.append(cut.detection)
                crops.append(to_channels(cut.image, self.recipe.channels))
        size = self.recipe.image_size
        shape = (len(crops), size, size, self.recipe.channels)
        faces = np.stack(crops) if crops else np.zeros(shape, np.uint8)
        index = index_table(kept, found, columns)
        write_shard(partial, number, faces, index, excluded_table(excluded, columns), cost)
        return len(rows)

    def _decode(
        self, rows: Sequence[SourceRow], excluded: list[Exclusion]
    ) -> Iterator[tuple[list[SourceRow], list[NDArray[np.uint8]]]]:
        """Batches of decoded images; rows that cannot be decoded go to ``excluded``."""
        batch: list[SourceRow] = []
        images: list[NDArray[np.uint8]] = []
        for row in rows:
            try:
                images.append(self.recipe.corpus.load(row))
                batch.append(row)
            except UnusableImage as error:
                excluded.append(Exclusion(row, error.reason))
            pixels = sum(image.shape[0] * image.shape[1] for image in images)
            if len(images) >= self.recipe.detector.batch_size or pixels >= MAX_PIXELS:
                yield batch, images
                batch, images = [], []
        if batch:
            yield batch, images


_worker: _Worker


def _start_worker(recipe: Recipe) -> None:
    global _worker
    begin_worker()
    _worker = _Worker(recipe)


def _run_shard(job: ShardJob) -> int:
    return _worker.shard(*job)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def to_channels(image: NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    """RGB of shape (H, W, 3) as (H, W, channels); gray is ITU-R 601 luma."""
    if channels == 3:
        return image
    luma: NDArray[np.float64] = image @ np.array([0.299, 0.587, 0.114])
    return np.round(luma)[:, :, None].astype(np.uint8)
