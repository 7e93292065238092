"""Writes a face archive in shards beside its final place, and publishes it whole."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from fer_lightning.data.archive import (
    FORMAT,
    UNKNOWN,
    FaceArchive,
    as_list,
    partial_path,
    read_metadata,
    read_table,
)
from fer_lightning.data.duplicate_search import Rows
from fer_lightning.data.duplicates import count_duplicates
from fer_lightning.data.perceptual_hash import perceptual_hash
from fer_lightning.errors import UserError
from fer_lightning.labels import EMOTIONS

TOGETHER = 64
"""Shards whose tables are joined at once: larger row groups are read faster."""

SHARDS = 2
"""Version of the shards; those that another one left unfinished are discarded."""


class DetectionCost(NamedTuple):
    """What detection took.

    Attributes:
        images: Images that a detector looked at.
        seconds: In how long, summed over processes.
    """

    images: int = 0
    seconds: float = 0.0

    def __add__(self, other: tuple[Any, ...]) -> DetectionCost:
        """Both together."""
        return DetectionCost(self.images + other[0], self.seconds + other[1])


class ArchiveWriter:
    """Gathers shards beside an archive's final place and publishes it when all are there.

    Shards are numbered; each is written once, whole, whatever order they come in. A writer that
    finds shards of an earlier, killed attempt with the same key goes on from them.

    Args:
        path: The archive's final folder; an archive that stands there is replaced when this one
            is published.
        key: Hash of all that decides the content.

    Raises:
        UserError: If ``path`` holds anything but an archive.
    """

    def __init__(self, path: Path, key: str) -> None:
        if path.is_dir() and any(path.iterdir()):
            FaceArchive.open(path)  # only an archive may be replaced
        self.path = path
        self.key = key
        self.partial = partial_path(path)
        self.joined = path.with_name(path.name + ".joined")
        self.retired = path.with_name(path.name + ".retired")
        for leftover in (self.joined, self.retired):
            shutil.rmtree(leftover, ignore_errors=True)
        stamp, mark = self.partial / "key", f"{key} {SHARDS}"
        if self.partial.is_dir() and (not stamp.is_file() or stamp.read_text() != mark):
            shutil.rmtree(self.partial)
        if not self.partial.is_dir():
            self.partial.mkdir(parents=True)
            stamp.write_text(mark)

    def missing(self, shards: int) -> list[int]:
        """Numbers of the shards still to be written."""
        return [n for n in range(shards) if not shard_path(self.partial, n).is_dir()]

    def publish(self, shards: int, manifest: Mapping[str, Any]) -> FaceArchive:
        """Join the shards in order and rename the whole into place.

        An archive that already stands there is replaced.

        Args:
            shards: How many there are.
            manifest: What the archive was made from; count, sizes and class counts are added.

        Raises:
            UserError: If there is not one face; gives the reasons.
        """
        folders = [shard_path(self.partial, n) for n in range(shards)]
        index, excluded = (
            pa.concat_tables(read_table(f / file, columns) for f in folders)
            for file, columns in (
                ("index.parquet", ["emotion", "split", "phash"]),
                ("excluded.parquet", ["emotion", "reason", "path"]),
            )
        )
        if not len(index):
            reasons = Counter(excluded.column("reason").to_pylist())
            named = ", ".join(f"{reason} {count:,}" for reason, count in reasons.most_common())
            remedy = f"look at the first of them, {excluded.column('path')[0].as_py()}"
            if reasons["no_face"]:
                remedy = "detector.no_face=centre_crop keeps images without one"
            raise UserError(f"none of the {len(excluded):,} images gave a face ({named}); {remedy}")
        joined = self.joined
        joined.mkdir()
        shape = _join_faces([f / "faces.npy" for f in folders], joined / "faces.npy", len(index))
        for name in ("index.parquet", "excluded.parquet"):
            _join_tables([f / name for f in folders], joined / name)
        content = {
            "format": FORMAT,
            "key": self.key,
            "count": shape[0],
            "image_size": shape[1],
            "channels": shape[3],
            **manifest,
            "classes": class_counts(index, excluded),
            "near_duplicates": count_duplicates(
                index.column("phash").to_numpy(),
                lambda rows: _read_faces(joined / "faces.npy", rows),
                as_list(index.column("split")),
            ),
        }
        cost = sum((_read_cost(folder) for folder in folders), DetectionCost())
        if cost.images:
            content["detection"] = {"images": cost.images, "seconds": round(cost.seconds, 3)}
        text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        (joined / "manifest.json").write_text(text, encoding="utf-8")
        if self.path.exists():
            self.path.rename(self.retired)
            joined.rename(self.path)
            shutil.rmtree(self.retired)
        else:
            joined.rename(self.path)
        shutil.rmtree(self.partial)
        return FaceArchive.open(self.path)


def shard_path(partial: Path, number: int) -> Path:
    """Folder of one shard."""
    return partial / f"shard-{number:06d}"


def write_shard(
    partial: Path,
    number: int,
    faces: NDArray[np.uint8],
    index: pa.Table,
    excluded: pa.Table,
    cost: DetectionCost | None = None,
) -> None:
    """Write one shard, whole or not at all; safe in any process.

    Args:
        partial: The writer's :attr:`ArchiveWriter.partial`.
        number: Position of the shard in the archive.
        faces: uint8 of shape (n, H, W, C), n may be 0.
        index: n rows; the faces' perceptual hashes are added as ``phash``.
        excluded: The rows that gave no face.
        cost: What detection took; None where nothing was detected.
    """
    final = shard_path(partial, number)
    unfinished = final.with_name(final.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    with (unfinished / "faces.npy").open("wb") as file:
        _write_header(file, faces.shape)
        _write_faces(file, faces)
    hashes = pa.array(perceptual_hash(faces))
    _write_table(index.append_column("phash", hashes), unfinished / "index.parquet")
    _write_table(excluded, unfinished / "excluded.parquet")
    if cost is not None:
        (unfinished / "cost.json").write_text(json.dumps(cost), encoding="utf-8")
    unfinished.rename(final)


def _read_cost(folder: Path) -> DetectionCost:
    path = folder / "cost.json"
    if not path.is_file():
        return DetectionCost()
    return DetectionCost(*json.loads(path.read_text(encoding="utf-8")))


def _write_table(table: pa.Table, path: Path) -> None:
    with path.open("wb") as file:
        pq.write_table(table, file)


def _join_faces(parts: Sequence[Path], target: Path, count: int) -> tuple[int, ...]:
    """Append the parts to one .npy file, holding one part in memory at a time."""
    shape: tuple[int, ...] = ()
    with target.open("wb") as file:
        for part in parts:
            faces = np.load(part, allow_pickle=False)
            if not shape:
                shape = (count, *faces.shape[1:])
                _write_header(file, shape)
            _write_faces(file, faces)
    return shape


def _read_faces(path: Path, rows: Rows) -> NDArray[np.uint8]:
    # Not by a memory map, which counts as memory of the process all that lies around a row.
    with path.open("rb") as file:
        np.lib.format.read_magic(file)
        (_, *shape), _, _ = np.lib.format.read_array_header_1_0(file)
        start = file.tell()
        faces = np.empty((len(rows), *shape), np.uint8)
        for face, row in zip(faces, rows.tolist(), strict=True):
            file.seek(start + row * face.size)
            file.readinto(face.reshape(-1).data)
    return faces


def _join_tables(parts: Sequence[Path], target: Path) -> None:
    """Append Parquet files, holding some of them in memory at a time."""
    schema = read_metadata(parts[0]).schema.to_arrow_schema()
    with target.open("wb") as file, pq.ParquetWriter(file, schema) as writer:
        for first in range(0, len(parts), TOGETHER):
            writer.write_table(pa.concat_tables(map(read_table, parts[first : first + TOGETHER])))


def _write_header(file: BinaryIO, shape: tuple[int, ...]) -> None:
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)


def _write_faces(file: BinaryIO, faces: NDArray[np.uint8]) -> None:
    # Not by numpy's tofile, whose error on a full disk does not say that the disk is full.
    file.write(np.ascontiguousarray(faces).reshape(-1).data)


def class_counts(index: pa.Table, excluded: pa.Table) -> dict[str, dict[str, Any]]:
    """Images of each class in the source and in the archive, and reasons for the difference.

    This is paper C's Table 1: ``{emotion: {"source": n, "archive": n, "excluded": {reason: n}}}``.
    """
    kept = Counter(as_list(index.column("emotion")))
    reasons_of = zip(*(as_list(excluded.column(c)) for c in ("emotion", "reason")), strict=True)
    left_out: dict[str | None, Counter[str]] = {}
    for (emotion, reason), count in Counter(reasons_of).items():
        left_out.setdefault(emotion, Counter())[reason] += count
    counts = {}
    for emotion in (*EMOTIONS, None):
        reasons = left_out.get(emotion, Counter())
        if kept[emotion] or reasons:
            counts[emotion or UNKNOWN] = {
                "source": kept[emotion] + reasons.total(),
                "archive": kept[emotion],
                "excluded": dict(sorted(reasons.items())),
            }
    return counts
