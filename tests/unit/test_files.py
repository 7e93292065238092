"""Files that are there whole or not at all."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from fer_lightning.files import whole


@pytest.mark.parametrize("private", [False, True])
def test_a_failure_leaves_what_was_there_and_nothing_else(tmp_path: Path, private: bool) -> None:
    path = tmp_path / "a.txt"
    with whole(path, private=private) as unfinished:
        unfinished.write_text("first")
        assert not path.exists()

    def fail(error: BaseException) -> None:
        with whole(path, private=private) as unfinished:
            unfinished.write_text("second, half of")
            raise error

    for error in (OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()):
        with pytest.raises(type(error)) as caught:
            fail(error)
        assert getattr(caught.value, "filename", str(path)) == str(path)
        assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.txt", "first")]


def test_what_a_killed_process_left_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a.txt.unfinished").write_text("much longer than what follows")
    with whole(tmp_path / "a.txt") as unfinished:
        unfinished.write_text("short")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("a.txt", "short")]


def test_a_private_file_has_room_beside_the_longest_name(tmp_path: Path) -> None:
    path = tmp_path / ("a" * 255)
    with pytest.raises(OSError, match="too long"), whole(path) as unfinished:
        unfinished.write_text("x")
    with whole(path, private=True) as unfinished:
        unfinished.write_text("x")
    assert path.read_text() == "x"


def test_without_a_folder_the_error_of_writing_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), whole(tmp_path / "none" / "a") as unfinished:
        unfinished.write_text("x")
