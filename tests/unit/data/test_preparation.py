"""From source images to an archive: what is kept, what is excluded, and when it is made anew."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_lightning.data import preparation
from fer_lightning.data.corpora.folder import Folder
from fer_lightning.data.preparation import Recipe, prepare, to_channels
from fer_lightning.detectors.whole_image import WholeImageConfig
from fer_lightning.errors import UserError
from tests.helpers.small import class_folders


def recipe(root: Path, size: int = 16, channels: int | None = 1) -> Recipe:
    return Recipe.of(Folder(root=root), WholeImageConfig(), size, channels)


def content(archive: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in archive.iterdir()}


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
        UserError, match=r"none of the 1 images gave a face \(unreadable 1\).*no_face"
    ):
        prepare(recipe(tmp_path / "faces"))


def test_gray_is_luma() -> None:
    image = np.zeros((2, 2, 3), np.uint8)
    image[0, 0], image[0, 1], image[1, 0], image[1, 1] = (255, 0, 0), (0, 255, 0), (0, 0, 255), 255
    assert to_channels(image, 1)[:, :, 0].tolist() == [[76, 150], [29, 255]]
    assert to_channels(image, 3) is image
