"""The face archive: an immutable folder of equal-sized crops with everything known of each.

``faces.npy`` holds the crops, uint8 of shape (N, H, W, C); row i of ``index.parquet`` describes
``faces[i]``; ``excluded.parquet`` lists the images left out, with reasons; ``manifest.json``
says what it was made from and how. :mod:`fer_lightning.data.archive_writer` publishes one by a
rename, so a folder under its final name is complete.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from fer_lightning.data.perceptual_hash import CHUNK, perceptual_hash
from fer_lightning.errors import UserError, naming
from fer_lightning.progress import progress_bar

FORMAT = 1
UNKNOWN = "unlabelled"


@dataclass(frozen=True)
class FaceArchive:
    """An opened archive; faces stay on disk and are mapped into memory."""

    path: Path
    manifest: Mapping[str, Any]

    @classmethod
    def open(cls, path: Path) -> FaceArchive:
        """Open a finished archive.

        Raises:
            UserError: If ``path`` is no archive, an unfinished one, or of another format.
        """
        try:
            manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            unfinished = (
                " (an unfinished one lies beside it)" if partial_path(path).is_dir() else ""
            )
            raise UserError(
                f"{path} is no face archive{unfinished}: choose an empty folder to write one, or "
                "the folder of one to read"
            ) from None
        except (json.JSONDecodeError, NotADirectoryError, UnicodeDecodeError) as error:
            raise UserError(f"{path}: its manifest.json cannot be read ({error})") from error
        if "format" not in manifest:
            raise UserError(f"{path} is no face archive: its manifest.json is of something else")
        if manifest["format"] != FORMAT:
            raise UserError(
                f"{path} has archive format {manifest.get('format')}, this version reads {FORMAT}: "
                "prepare it again"
            )
        archive = cls(path, manifest)
        if archive.faces.shape != archive.shape or archive._rows() != archive.shape[0]:
            raise UserError(f"{path} is damaged: its files disagree; delete it and prepare again")
        return archive

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(N, H, W, C) as the manifest states it."""
        size = self.manifest["image_size"]
        return (self.manifest["count"], size, size, self.manifest["channels"])

    @property
    def key(self) -> str:
        """Hash of all that decides the content; equal keys mean equal faces and labels."""
        return str(self.manifest["key"])

    @property
    def record(self) -> dict[str, Any]:
        """What results say of it: path, key and count, and a remark where its corpus makes one."""
        remark = {"remark": self.manifest["remark"]} if "remark" in self.manifest else {}
        return {"path": str(self.path), "key": self.key, "count": len(self), **remark}

    @cached_property
    def faces(self) -> NDArray[np.uint8]:
        """Memory map of shape (N, H, W, C)."""
        try:
            faces: NDArray[np.uint8] = np.load(
                self.path / "faces.npy", mmap_mode="r", allow_pickle=False
            )
        except (OSError, ValueError) as error:
            raise UserError(f"{self.path}/faces.npy cannot be read: {error}") from error
        return faces

    def table(self, columns: Sequence[str] | None = None) -> pa.Table:
        """The table whose row i describes ``faces[i]``.

        Args:
            columns: Those to read; None reads all.
        """
        with self._reading_index():
            return read_table(self.path / "index.parquet", columns)

    @cached_property
    def columns(self) -> list[str]:
        """Names of the index's columns."""
        with self._reading_index():
            schema = read_metadata(self.path / "index.parquet").schema
            names: list[str] = schema.to_arrow_schema().names
            return names

    def _rows(self) -> int:
        with self._reading_index():
            return int(read_metadata(self.path / "index.parquet").num_rows)

    @contextmanager
    def _reading_index(self) -> Iterator[None]:
        try:
            yield
        except (OSError, pa.ArrowInvalid) as error:
            raise UserError(f"{self.path}/index.parquet cannot be read: {error}") from error

    @cached_property
    def hashes(self) -> NDArray[np.uint64]:
        """Perceptual hash of every face, (N,): ``phash`` of the index, or computed without it."""
        if "phash" in self.columns:
            stored: NDArray[np.uint64] = self.table(["phash"]).column("phash").to_numpy()
            return stored
        # Written before archives had that column.
        starts = range(0, len(self), CHUNK)
        bar = progress_bar(starts, desc="Hashing faces", unit="chunk", leave=False, delay=1)
        return np.concatenate([perceptual_hash(self.faces[s : s + CHUNK]) for s in bar])

    def column(self, name: str) -> list[Any]:
        """One column of the index as a list, None where unknown."""
        return as_list(self.table([name]).column(name))

    def __len__(self) -> int:
        return int(self.manifest["count"])


@contextmanager
def archive_lock(path: Path) -> Iterator[None]:
    """Hold the place of an archive against other processes; waits for one that holds it."""
    lock = FileLock(path.with_name(f".{path.name}.lock"))
    try:
        lock.acquire(timeout=1)
    except Timeout:
        print(f"Another job is writing {path}; waiting for it …", file=sys.stderr)
        lock.acquire()
    try:
        with naming(path):
            yield
    finally:
        lock.release()


def partial_path(path: Path) -> Path:
    """Where the shards of the archive ``path`` are gathered."""
    return path.with_name(path.name + ".partial")


def read_metadata(path: Path) -> pq.FileMetaData:
    """What a Parquet file says of itself: rows, schema."""
    with path.open("rb") as file:
        return pq.ParquetFile(file).metadata


def read_table(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a Parquet file, or some of its columns."""
    # Through an open file: pyarrow takes a relative path such as ``a:b`` for an address.
    # Not by its `read_table`, whose threads now and then abort a process that ends soon after.
    with path.open("rb") as file:
        return pq.ParquetFile(file).read(columns, use_threads=False)


def as_list(column: pa.ChunkedArray) -> list[Any]:
    """The values of a column; rows of equal text share it, since emotions and splits are few."""
    if not pa.types.is_string(column.type):
        values: list[Any] = column.to_pylist()
        return values
    coded = column.combine_chunks().dictionary_encode()
    texts = [*coded.dictionary.to_pylist(), None]
    return [texts[-1 if code is None else code] for code in coded.indices.to_pylist()]


def report(manifest: Mapping[str, Any]) -> str:
    """The class counts as a table for people, and near-duplicates in a line."""
    classes: Mapping[str, Mapping[str, Any]] = manifest["classes"]
    total = {
        "source": sum(counts["source"] for counts in classes.values()),
        "archive": manifest["count"],
        "excluded": sum((Counter(c["excluded"]) for c in classes.values()), Counter[str]()),
    }
    lines = [f"{'class':<12}{'source':>9}{'archive':>9}{'share':>9}  excluded"]
    for name, counts in {**classes, "total": total}.items():
        share = f"{counts['archive'] / manifest['count']:.2%}"
        why = ", ".join(
            f"{reason} {number} ({number / counts['source']:.2%})"
            for reason, number in sorted(counts["excluded"].items())
        )
        lines.append(
            f"{name:<12}{counts['source']:>9,}{counts['archive']:>9,}{share:>9}  {why or '-'}"
        )
    if "remark" in manifest:
        lines.append(f"remark: {manifest['remark']}")
    if "near_duplicates" in manifest:
        lines.append(_duplicates_line(manifest["near_duplicates"]))
    return "\n".join(lines)


def _duplicates_line(found: Mapping[str, Any]) -> str:
    across = []
    for pair, images in found["across_splits"].items():
        earlier, later = pair.split("-")
        across.append(f"{images:,} of {later} have one in {earlier}")
    return (
        f"near-duplicates: {found['images']:,} images have one in this archive "
        f"({found['identical']:,} the very same pixels)" + "".join(f"; {text}" for text in across)
    )
