"""What a user can mend is told as such; a defect of ours is not."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from fer_lightning.errors import UserError, mendable, naming


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (UserError("model.width=0: give at least 1"), "model.width=0: give at least 1"),
        (PermissionError(errno.EACCES, "Permission denied", "a/b"), "a/b cannot be read or writ"),
        (OSError(errno.ENOSPC, "No space left on device", "a/b"), "a/b cannot be written"),
        (OSError(errno.ENAMETOOLONG, "File name too long", "a/b"), "a/b: no disk has names so"),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory", "a/b"), "a/b: this, or what stands"),
    ],
)
def test_the_user_s_side_is_named(error: Exception, told: str) -> None:
    assert str(mendable(error)).startswith(told)


def test_a_tilde_of_nobody_is_a_mistake_and_a_defect_is_none() -> None:
    with pytest.raises(RuntimeError) as unknown:
        Path("~no such user/x.jpg").expanduser()
    assert "begins with ~" in str(mendable(unknown.value))
    assert mendable(RuntimeError("a defect")) is None
    assert mendable(FileNotFoundError(errno.ENOENT, "No such file", "a")) is None


def test_a_disk_is_told_its_place(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space") as full, naming(tmp_path):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert str(mendable(full.value)).startswith(f"{tmp_path} cannot be written")
