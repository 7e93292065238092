"""What was trained on is found across archives, corpora and people's names, or unknown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fer_lightning.data.archive_writer import ArchiveWriter, write_shard
from fer_lightning.data.corpora.base import SourceRow
from fer_lightning.data.corpora.drawn import Drawn
from fer_lightning.data.corpora.folder import Folder
from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.data.index import Columns, excluded_table, index_table
from fer_lightning.detectors.whole_image import WholeImageConfig
from fer_lightning.metrics.exposure import exposure, training_record

NOBODY = (None,) * 6
PEOPLE = ("S0", "S1", "S2") * 2
NAMES = tuple(f"{n}.png" for n in range(6))
WHOLE = np.arange(6)


def faces_of(
    folder: Path,
    manifest: Mapping[str, Any],
    subjects: Sequence[str | None] = PEOPLE,
    paths: Sequence[str] = NAMES,
    sources: Sequence[str | None] = NOBODY,
) -> FaceDataModule:
    """Six faces under a key of their own; the first four are of the training part."""
    rows = [
        SourceRow(
            path=path,
            emotion="fear",
            subject=subject,
            split="train" if n < 4 else "test",
            source=source,
        )
        for n, (path, subject, source) in enumerate(zip(paths, subjects, sources, strict=True))
    ]
    writer = ArchiveWriter(folder, f"key of {folder}")
    index = index_table(rows, [None] * 6, Columns.of(rows))
    pixels = np.zeros((6, 4, 4, 1), np.uint8)
    write_shard(writer.partial, 0, pixels, index, excluded_table([], Columns.of(rows)))
    writer.publish(1, dict(manifest))
    data = Folder(archive=folder, batch_size=1)
    found = FaceDataModule(data, WholeImageConfig(), 4, 1, 0, ["fear"])
    found.setup()
    return found


def of(corpus: str, source: str | None = None, **settings: Any) -> dict[str, Any]:
    """A manifest."""
    return {"corpus": corpus, "source": source, "settings": settings}


def drawn(**settings: Any) -> dict[str, Any]:
    return of("drawn", "by count", **Drawn(**settings).source_settings())


def found(
    measured: FaceDataModule, trained_on: FaceDataModule | None, rows: Sequence[int] = range(6)
) -> tuple[int | None, int | None]:
    both = exposure(measured, np.array(rows), trained_on)
    return both["seen"], both["people_seen"]


def test_rows_of_one_archive_are_compared_by_number(tmp_path: Path) -> None:
    faces = faces_of(tmp_path / "a", of("folder"), ["S0", "S1", "S2", "S0", "S0", "S4"])
    assert found(faces, faces) == (4, 3)
    assert found(faces, faces, [4, 5]) == (0, 1)
    assert found(faces, faces, [5]) == (0, 0)
    assert found(faces, None) == (None, None)
    assert exposure(faces, WHOLE, faces, np.array([5])) == {"seen": 1, "people_seen": 1}
    record = training_record(faces, WHOLE, faces)
    assert record is not None
    assert record["seen"] == 4
    assert record["archives"] == [faces.archives[0].key]
    assert training_record(faces, WHOLE, None) is None


def test_people_without_names_are_unknown_unless_the_corpora_differ(tmp_path: Path) -> None:
    one = faces_of(tmp_path / "a", of("fer2013", "f"), NOBODY)
    other = faces_of(tmp_path / "b", of("raf_db", "r"), NOBODY)
    assert found(one, one, [4]) == (0, None)
    assert found(one, other) == (0, 0)


def test_drawn_people_and_pictures_follow_their_settings(tmp_path: Path) -> None:
    own = faces_of(tmp_path / "own", drawn())
    smaller = faces_of(tmp_path / "smaller", drawn(picture_size=64, gray=True, count=900))
    assert found(own, smaller) == (4, 3)
    posed = faces_of(tmp_path / "posed", drawn(pose=0.5))
    assert found(own, posed) == (0, 3)
    # The seed draws people, too.
    assert found(own, faces_of(tmp_path / "seeded", drawn(seed=1))) == (0, 0)
    strangers = faces_of(tmp_path / "strangers", drawn(), ["S8"] * 6)
    assert found(own, strangers) == (4, 0)


def test_a_published_dataset_is_one_wherever_it_lies(tmp_path: Path) -> None:
    own = faces_of(tmp_path / "own", of("rafd", "one"))
    cut = faces_of(tmp_path / "cut", of("rafd", "one"))
    assert found(own, cut) == (4, 3)
    assert found(own, cut, [4]) == (0, 1)
    moved = faces_of(tmp_path / "moved", of("rafd", "other"), paths=[f"x/{n}" for n in NAMES])
    assert found(own, moved) == (None, 3)
    more = faces_of(tmp_path / "more", of("rafd", "other"))
    assert found(own, more) == (4, 3)
    images = faces_of(tmp_path / "images", of("fer2013", "f"), NOBODY)
    votes = faces_of(tmp_path / "votes", of("fer_plus", "v"), NOBODY)
    assert found(images, votes) == (4, None)
    assert found(votes, images) == (4, None)


def test_folders_of_the_same_names_may_be_others(tmp_path: Path) -> None:
    own = faces_of(tmp_path / "own", of("folder", "one"))
    assert found(own, faces_of(tmp_path / "cut", of("folder", "one"))) == (4, 3)
    assert found(own, faces_of(tmp_path / "foreign", of("folder", "other"))) == (None, None)
    assert found(own, faces_of(tmp_path / "silent", {"corpus": "folder"})) == (None, None)


def test_a_combined_corpus_is_compared_part_by_part(tmp_path: Path) -> None:
    rafd = faces_of(tmp_path / "rafd", of("rafd", "one"))
    folder = faces_of(tmp_path / "folder", of("folder", "two"), paths=["a", "b", "c"] * 2)
    parts = {"lab": {"corpus": "rafd"}, "wild": {"corpus": "folder"}}
    both = faces_of(
        tmp_path / "both",
        of("combined", "both", classes="all", parts=parts),
        ["lab/S0", "wild/S9", "lab/S1", "wild/S8", "lab/S7", "wild/S6"],
        ["0.png", "0.png", "2.png", "9.png", "4.png", "5.png"],
        ["lab", "wild"] * 3,
    )
    assert found(rafd, both) == (2, 2)
    assert found(both, rafd) == (2, 2)
    assert found(both, rafd, [1, 3, 5]) == (0, 0)
    assert found(folder, both) == (None, None)
    assert found(both, both) == (4, 4)
    assert found(both, both, [4, 5]) == (0, 0)
    assert found(faces_of(tmp_path / "drawn", drawn()), both) == (0, 0)


def test_what_is_certain_counts_beside_what_is_not(tmp_path: Path) -> None:
    few = faces_of(tmp_path / "few", of("rafd", "one"), ["S0", None, None, "S1", "S2", None])
    assert found(few, few) == (4, 2)
    assert found(few, few, [4]) == (0, None)
