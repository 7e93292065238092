"""From source images to an archive: what is kept, what is excluded, and when it is made anew."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_lightning.data import preparation
from fer_lightning.data.archive import read_table
from fer_lightning.data.corpora.base import SourceRow
from fer_lightning.data.corpora.folder import Folder
from fer_lightning.data.preparation import Recipe, prepare, to_channels
from fer_lightning.data.video import VideoConfig
from fer_lightning.detectors.whole_image import WholeImageConfig
from fer_lightning.errors import UserError
from tests.helpers.films import film
from tests.helpers.small import class_folders, content


def recipe(root: Path, size: int = 16, channels: int | None = 1) -> Recipe:
    return Recipe.of(Folder(root=root), WholeImageConfig(), size, channels)


def test_faces_are_the_source_pixels(tmp_path: Path) -> None:
    root = class_folders(tmp_path / "faces")
    archive = prepare(recipe(root, size=24))
    assert archive.faces.shape == (36, 24, 24, 1)
    for row in (0, 20, 35):
        source = np.asarray(Image.open(root / archive.column("path")[row]))
        assert np.array_equal(archive.faces[row, :, :, 0], source)


def test_bad_files_are_excluded_with_reasons(tmp_path: Path) -> None:
    root = class_folders(tmp_path / "faces", each=3)
    (root / "anger" / "empty.png").touch()
    (root / "anger" / "text.jpg").write_text("no image")
    whole = (root / "anger" / "0.png").read_bytes()
    (root / "anger" / "truncated.png").write_bytes(whole[: len(whole) // 2])
    archive = prepare(recipe(root))
    assert len(archive) == 9
    assert archive.manifest["classes"]["anger"]["excluded"] == {"unreadable": 3}


@dataclass(kw_only=True)
class Told(Folder):
    """A corpus that says more of its rows, and leaves one out itself."""

    remark = "Stands in for another."

    def rows(self) -> list[SourceRow]:
        first, second, *rest = super().rows()
        return [
            replace(first, votes={"fear": 0.75, "anger": 0.25}, source="a", time=0.5),
            replace(second, unusable="misnamed", source="b"),
            *rest,
        ]


def test_what_a_corpus_knows_is_kept_and_what_it_leaves_out_is_counted(tmp_path: Path) -> None:
    root = class_folders(tmp_path / "faces", each=2)
    (root / "anger" / "1.png").write_text("is not decoded")
    archive = prepare(Recipe.of(Told(root=root), WholeImageConfig(), 16, 1))
    assert archive.manifest["remark"] == "Stands in for another."
    assert archive.manifest["classes"]["anger"]["excluded"] == {"misnamed": 1}
    assert archive.manifest["detection"]["images"] == 5
    assert archive.manifest["detection"]["seconds"] >= 0
    assert archive.column("vote_fear") == [0.75, None, None, None, None]
    assert archive.column("vote_happiness")[:2] == [0, None]
    assert archive.column("time") == [0.5, None, None, None, None]
    assert archive.column("source") == ["a", None, None, None, None]
    excluded = read_table(archive.path / "excluded.parquet").to_pylist()
    assert [(row["path"], row["source"], row["reason"]) for row in excluded] == [
        ("anger/1.png", "b", "misnamed")
    ]
    plain = prepare(recipe(root), tmp_path / "plain")
    assert not {"time", "source", "vote_fear"} & set(plain.columns)
    assert "remark" not in plain.manifest


@pytest.mark.parametrize("workers", [1, 2])
def test_frames_of_videos_need_no_files_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    monkeypatch.setattr(preparation, "SHARD", 7)
    root = class_folders(tmp_path / "faces", each=1)
    film(root / "fear" / "a.mp4", frames=40, rate=20)
    (root / "fear" / "broken.avi").write_bytes(b"no video")
    corpus = Folder(root=root, video=VideoConfig(every=2))
    archive = prepare(Recipe.of(corpus, WholeImageConfig(), 48, 3), workers=workers)
    rows = archive.table().to_pylist()
    frames = [(row["frame"], row["time"]) for row in rows if row["path"] == "fear/a.mp4"]
    assert frames == [(2 * i, pytest.approx(i / 10)) for i in range(20)]
    wide = archive.faces[[i for i, row in enumerate(rows) if row["time"] is not None]]
    # The face is the whole frame, 64 x 48, padded to a square: its bars are six pixels wide.
    bits = wide.mean((1, 3)).reshape(20, 8, 6).mean(2) > 128
    assert (bits @ 2 ** np.arange(8)).tolist() == list(range(0, 40, 2))
    assert archive.manifest["classes"]["fear"]["excluded"] == {"unreadable": 1}
    assert sorted(p.name for p in root.rglob("*.mp4")) == ["a.mp4"]


def test_a_folder_without_videos_keeps_its_name(tmp_path: Path) -> None:
    root = class_folders(tmp_path / "faces", each=1)
    settings = Folder(root=root).source_settings()
    assert settings == {"labels": {}, "codes": None}
    assert Folder(root=root, video=VideoConfig(every=2)).source_settings() != settings


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_attempt_goes_on_to_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    monkeypatch.setattr(preparation, "SHARD", 8)
    root = class_folders(tmp_path / "faces")
    whole = content(prepare(recipe(root), tmp_path / "whole", workers=1).path)
    write, written = preparation.write_shard, []

    def die_at_the_third(*arguments: object) -> None:
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(write(*arguments))  # type: ignore[arg-type]

    monkeypatch.setattr(preparation, "write_shard", die_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        prepare(recipe(root), tmp_path / "killed", workers=1)
    assert not (tmp_path / "killed").exists()
    monkeypatch.setattr(preparation, "write_shard", write)
    resumed = content(prepare(recipe(root), tmp_path / "killed", workers=workers).path)
    assert resumed == whole


def test_a_finished_archive_is_reused_and_a_changed_source_noticed(tmp_path: Path) -> None:
    root = class_folders(tmp_path / "faces")
    first = prepare(recipe(root))
    assert prepare(recipe(root)).path == first.path
    named = prepare(recipe(root), tmp_path / "named")
    Image.new("L", (24, 24), 7).save(root / "anger" / "0.png")
    assert prepare(recipe(root)).path != first.path
    with pytest.raises(UserError, match=r"source changed.*force=true"):
        prepare(recipe(root), named.path)
    assert prepare(recipe(root), named.path, force=True).key != named.key


def test_equal_sources_in_different_places_have_one_key(tmp_path: Path) -> None:
    one, two = class_folders(tmp_path / "one"), class_folders(tmp_path / "two")
    assert prepare(recipe(one)).key == prepare(recipe(two)).key


def test_what_changes_the_faces_changes_the_key(tmp_path: Path) -> None:
    root = class_folders(tmp_path / "faces")
    margin = Recipe.of(Folder(root=root), WholeImageConfig(margin=0.2), 16, 1)
    recipes = [recipe(root), recipe(root, size=32), recipe(root, channels=3), margin]
    assert len({prepare(r).key for r in recipes}) == 4
    workers = Recipe.of(Folder(root=root), WholeImageConfig(batch_size=3), 16, 1)
    assert prepare(workers).key == prepare(recipe(root)).key


def test_no_face_at_all_names_the_remedy(tmp_path: Path) -> None:
    folder = tmp_path / "faces" / "anger"
    folder.mkdir(parents=True)
    (folder / "a.png").write_text("no image")
    with pytest.raises(
        UserError,
        match=r"none of the 1 images gave a face \(unreadable 1\); look at the first of them, ",
    ):
        prepare(recipe(tmp_path / "faces"))


def test_gray_is_luma() -> None:
    image = np.zeros((2, 2, 3), np.uint8)
    image[0, 0], image[0, 1], image[1, 0], image[1, 1] = (255, 0, 0), (0, 255, 0), (0, 0, 255), 255
    assert to_channels(image, 1)[:, :, 0].tolist() == [[76, 150], [29, 255]]
    assert to_channels(image, 3) is image
