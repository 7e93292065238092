"""Where a dataset begins below the folder that a user gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from fer_lightning.data.corpora.layout import contents, files_below, locate, subfolders
from fer_lightning.errors import UserError


def put(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()


@pytest.mark.parametrize("wrapper", ["", "a/", "a/b/"])
def test_the_start_is_found_below_wrappers(tmp_path: Path, wrapper: str) -> None:
    put(tmp_path, f"{wrapper}Emotion/x.txt", ".hidden/Emotion/x.txt")
    assert locate(tmp_path, ["Emotion", "FACS"], "CK+") == tmp_path / wrapper


def test_the_shallowest_counts_and_patterns_match(tmp_path: Path) -> None:
    put(tmp_path, "a/KA.AN1.39.tiff", "a/b/KA.AN1.39.tiff")
    assert locate(tmp_path, ["*.tiff"], "JAFFE") == tmp_path / "a"


def test_two_copies_are_refused(tmp_path: Path) -> None:
    put(tmp_path, "a/Emotion/x", "b/Emotion/x")
    with pytest.raises(UserError, match=r"holds CK\+ more than once \(in \['a', 'b'\]\)"):
        locate(tmp_path, ["Emotion"], "CK+")


def test_nothing_found_says_what_was_looked_for_and_found(tmp_path: Path) -> None:
    put(tmp_path, "a/b/c/Emotion/x", "readme.txt")
    with pytest.raises(UserError) as error:
        locate(tmp_path, ["Emotion", "FACS"], "CK+")
    for part in ("data.root=", "no CK+", "Emotion or FACS", "found a/, readme.txt"):
        assert part in str(error.value)


def test_listings_leave_out_what_is_hidden(tmp_path: Path) -> None:
    put(tmp_path, "b/2.png", "a/1.png", ".git/x", "b/.DS_Store")
    assert subfolders(tmp_path) == [tmp_path / "a", tmp_path / "b"]
    assert files_below(tmp_path) == [tmp_path / "a/1.png", tmp_path / "b/2.png"]
    assert contents(tmp_path, limit=2).endswith("and 1 more")
