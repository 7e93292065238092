"""An archive is complete or absent, describes every face, and reads safely."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from fer_lightning.data.archive import FaceArchive, report
from fer_lightning.data.archive_writer import ArchiveWriter, write_shard
from fer_lightning.data.corpora.base import SourceRow
from fer_lightning.data.index import Columns, Exclusion, excluded_table, index_table
from fer_lightning.detectors.base import Detection
from fer_lightning.errors import UserError
from tests.helpers.small import small_archive


def shard(writer: ArchiveWriter, number: int, emotions: list[str | None], lost: int = 0) -> None:
    rows = [SourceRow(path=f"{number}/{i}", emotion=e) for i, e in enumerate(emotions)]
    box = Detection(np.array([1, 2, 3, 4], np.float32), 0.5, np.ones((5, 2), np.float32))
    faces = np.full((len(rows), 4, 4, 3), number, np.uint8)
    excluded = excluded_table([Exclusion(SourceRow(path="x", emotion="fear"), "no_face")] * lost)
    index = index_table(rows, [box] * len(rows), Columns((12,)))
    write_shard(writer.partial, number, faces, index, excluded)


def test_shards_join_in_order_whatever_order_they_came_in(tmp_path: Path) -> None:
    writer = ArchiveWriter(tmp_path / "a", "k")
    shard(writer, 1, ["fear", None])
    assert writer.missing(3) == [0, 2]
    shard(writer, 2, [], lost=3)
    shard(writer, 0, ["anger"])
    archive = writer.publish(3, {"corpus": "test"})
    assert archive.faces[:, 0, 0, 0].tolist() == [0, 1, 1]
    assert archive.column("path") == ["0/0", "1/0", "1/1"]
    assert archive.column("emotion") == ["anger", "fear", None]
    assert archive.column("box")[0] == [1, 2, 3, 4]
    assert archive.column("landmarks")[0] == [1.0] * 10
    assert archive.column("au_12") == [None] * 3
    assert archive.manifest["classes"]["fear"] == {
        "source": 4,
        "archive": 1,
        "excluded": {"no_face": 3},
    }
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a"]
    table = report(archive.manifest)
    assert "no_face 3 (75.00%)" in table
    assert "unlabelled" in table


def test_another_key_discards_an_unfinished_archive(tmp_path: Path) -> None:
    shard(ArchiveWriter(tmp_path / "a", "old"), 0, ["fear"])
    assert ArchiveWriter(tmp_path / "a", "old").missing(1) == []
    assert ArchiveWriter(tmp_path / "a", "new").missing(1) == [0]


def test_shards_of_another_version_are_discarded(tmp_path: Path) -> None:
    writer = ArchiveWriter(tmp_path / "a", "k")
    shard(writer, 0, ["fear"])
    (writer.partial / "key").write_text("k")  # without hashes
    assert ArchiveWriter(tmp_path / "a", "k").missing(1) == [0]


def test_hashes_are_stored_and_computed_where_they_are_not(tmp_path: Path) -> None:
    archive = small_archive(tmp_path / "a")
    stored = archive.column("phash")
    assert archive.hashes.tolist() == stored
    assert len(set(stored)) == len(archive)
    pq.write_table(archive.table().drop_columns(["phash"]), archive.path / "index.parquet")
    before = FaceArchive.open(archive.path)
    assert before.hashes.dtype == np.uint64
    assert before.hashes.tolist() == stored


def test_publishing_replaces(tmp_path: Path) -> None:
    small_archive(tmp_path / "a", count=12)
    assert len(small_archive(tmp_path / "a", count=18)) == 18
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a"]


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda a: (a / "manifest.json").unlink(), "no face archive"),
        (lambda a: (a / "manifest.json").write_text("{"), "cannot be read"),
        (lambda a: (a / "faces.npy").write_bytes(b"abc"), "cannot be read"),
        (lambda a: (a / "index.parquet").write_bytes(b"abc"), "cannot be read"),
        (lambda a: np.save(a / "faces.npy", np.zeros((3, 16, 16, 1), np.uint8)), "damaged"),
        (lambda a: np.save(a / "faces.npy", np.array([{}], object)), "cannot be read"),
    ],
)
def test_damage_is_one_clear_error(tmp_path: Path, break_it, message: str) -> None:  # type: ignore[no-untyped-def]
    path = small_archive(tmp_path / "a").path
    break_it(path)
    with pytest.raises(UserError, match=message):
        FaceArchive.open(path)


def test_another_format_is_refused(tmp_path: Path) -> None:
    manifest = small_archive(tmp_path / "a").path / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"format": 99}))
    with pytest.raises(UserError, match="prepare it again"):
        FaceArchive.open(tmp_path / "a")
