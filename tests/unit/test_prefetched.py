"""An archive that was laid ready is found by what asks for it, without its source."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fer_lightning.data.corpora.folder import Folder
from fer_lightning.data.preparation import Recipe, prepare
from fer_lightning.detectors.retinaface import RetinaFaceConfig
from fer_lightning.detectors.whole_image import WholeImageConfig
from fer_lightning.errors import UserError
from fer_lightning.prefetched import INDEX, VARIABLE, Prefetched, asked
from tests.helpers.small import class_folders


def recipe(root: Path, size: int = 16, **settings: int) -> Recipe:
    return Recipe.of(Folder(root=root, **settings), WholeImageConfig(), size, 1)  # type: ignore[arg-type]


def test_what_is_asked_is_told_apart_by_source_and_crop_alone(tmp_path: Path) -> None:
    one = recipe(tmp_path / "a")
    assert asked(one) == asked(recipe(tmp_path / "a", batch_size=7))  # how it is fed
    others = [recipe(tmp_path / "b"), recipe(tmp_path / "a", size=32)]
    weights = [RetinaFaceConfig(weights=tmp_path / name) for name in ("x.pth", "y.pth")]
    found = [Recipe.of(one.corpus, detector, 16, 1) for detector in weights]
    assert len({asked(each) for each in (one, *others, found[0])}) == 4
    assert asked(found[0]) == asked(found[1])  # wherever the detector's weights lie


def test_an_archive_is_found_without_its_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = recipe(class_folders(tmp_path / "faces"))
    laid = Prefetched.open(tmp_path / "out")
    archive = prepare(wanted, tmp_path / "out" / "faces")
    laid.keep(wanted, archive.path)
    laid.save()
    shutil.rmtree(tmp_path / "faces")
    with pytest.raises(UserError, match="no such folder"):
        prepare(wanted)
    shutil.move(tmp_path / "out", tmp_path / "moved")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "moved"))
    found = prepare(wanted)
    assert (found.path, found.key) == (tmp_path / "moved" / "faces", archive.key)
    assert prepare(wanted, found.path).key == archive.key
    with pytest.raises(UserError, match="no such folder"):  # at another place it would be made
        prepare(wanted, tmp_path / "elsewhere")


def test_two_at_a_time_share_a_folder(tmp_path: Path) -> None:
    wanted = [recipe(tmp_path / name) for name in "ab"]
    laid = [Prefetched.open(tmp_path) for _ in wanted]
    for one, asks in zip(laid, wanted, strict=True):
        one.keep(asks, tmp_path / "faces")
        one.save()
    found = Prefetched.open(tmp_path)
    assert [found.archive(asks) for asks in wanted] == [tmp_path / "faces"] * 2


def test_a_folder_that_nobody_filled_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    with pytest.raises(UserError, match=rf"{VARIABLE}=.*: there is no {INDEX}; give the folder"):
        prepare(recipe(class_folders(tmp_path / "faces")))
    (tmp_path / INDEX).write_text("{")
    with pytest.raises(UserError, match=f"{INDEX} is damaged"):
        prepare(recipe(tmp_path / "faces"))
