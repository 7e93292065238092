"""Where a dataset begins below the folder that a user gives."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from fer_lightning.data.corpora.layout import (
    contents,
    files_below,
    hidden,
    locate,
    open_text,
    subfolders,
)
from fer_lightning.errors import UserError


def put(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()


@pytest.mark.parametrize("wrapper", ["", "a/", "a/b/"])
def test_the_start_is_found_below_wrappers(tmp_path: Path, wrapper: str) -> None:
    put(tmp_path, f"{wrapper}Emotion/x.txt", ".hidden/Emotion/x.txt")
    assert locate(tmp_path, ["Emotion", "FACS"], "CK+") == tmp_path / wrapper


def test_patterns_match_and_nothing_is_looked_for_below_a_find(tmp_path: Path) -> None:
    put(tmp_path, "a/KA.AN1.39.tiff", "a/b/KA.AN1.39.tiff")
    assert locate(tmp_path, ["*.tiff"], "JAFFE") == tmp_path / "a"


@pytest.mark.parametrize("second", ["b", "b/c"])
def test_two_copies_are_refused_at_whatever_depths(tmp_path: Path, second: str) -> None:
    put(tmp_path, "a/Emotion/x", f"{second}/Emotion/x")
    with pytest.raises(UserError, match=rf"holds CK\+ more than once \(in \['a', '{second}'\]\)"):
        locate(tmp_path, ["Emotion"], "CK+")


def test_what_must_not_be_read_is_not_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "a/Emotion/x", "lost+found/b/Emotion/x")
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "lost+found")
    assert locate(tmp_path, ["Emotion"], "CK+") == tmp_path / "a"


def test_nothing_found_says_what_was_looked_for_and_found(tmp_path: Path) -> None:
    put(tmp_path, "a/b/c/Emotion/x", "readme.txt")
    with pytest.raises(UserError) as error:
        locate(tmp_path, ["Emotion", "FACS"], "CK+")
    for part in ("data.root=", "no CK+", "Emotion or FACS", "found a/, readme.txt"):
        assert part in str(error.value)


def test_listings_leave_out_what_is_hidden(tmp_path: Path) -> None:
    put(tmp_path, "b/2.png", "a/1.png", ".git/x", "b/.DS_Store", "b/Thumbs.db", "a/desktop.ini")
    put(tmp_path, "__MACOSX/a/1.png", "a/__MACOSX/1.png")
    assert subfolders(tmp_path) == [tmp_path / "a", tmp_path / "b"]
    assert files_below(tmp_path) == [tmp_path / "a/1.png", tmp_path / "b/2.png"]
    assert contents(tmp_path, limit=2).endswith("and 2 more")


def test_what_systems_leave_is_known_in_any_case() -> None:
    names = [".DS_Store", "._a.jpg", "__MACOSX", "Thumbs.db", "thumbs.db", "Desktop.ini"]
    assert all(map(hidden, names))
    assert not any(map(hidden, ["a.jpg", "MACOSX", "Thumbs.db.jpg", "_a"]))


def test_text_is_read_without_its_mark_and_lines_are_kept(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfa\r\nb\rc")
    with open_text(tmp_path / "a.txt") as file:
        assert file.read().splitlines() == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("é".encode("latin-1"), r"a\.csv is not UTF-8 .*save it as UTF-8"),
        ("a".encode("utf-16"), r"a\.csv is not UTF-8 .*save it as UTF-8"),
        (b"a" * (csv.field_size_limit() + 1), r"a\.csv is no valid CSV file .*fetch it again"),
    ],
)
def test_what_is_no_text_and_no_csv_is_an_error(
    tmp_path: Path, content: bytes, message: str
) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(UserError, match=message), open_text(tmp_path / "a.csv") as file:
        list(csv.reader(file))
