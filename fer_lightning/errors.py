"""The one exception for mistakes that a user can mend."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}


class UserError(Exception):
    """A mistake outside the code: a wrong key, a missing folder, an impossible value.

    The message names the key or path and the remedy. The command line prints it without a
    traceback and exits with status 2; anything else that is raised is a defect of ours.

    Attributes:
        run: Run folder of the training that it ended; None if it ended none.
    """

    run: Path | None = None


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let a disk's error say where it came up: one of a write to an open file does not."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno in _UNWRITABLE:
            error.filename = str(path)
        raise


def mendable(error: Exception) -> UserError | None:
    """The user's side of an exception: a full or foreign disk, a file for a folder, a long name."""
    if isinstance(error, UserError):
        return error
    if isinstance(error, PermissionError):
        return UserError(
            f"{error.filename or 'a file'} cannot be read or written ({error.strerror}): give it "
            "the permissions, or choose another place; what was written is kept, and the same "
            "command goes on from there"
        )
    if isinstance(error, OSError) and error.errno in _UNWRITABLE:
        return UserError(
            f"{error.filename or 'the disk'} cannot be written ({error.strerror}): make room or "
            "choose another place; what was written is kept, and the same command goes on from "
            "there"
        )
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        return UserError(f"{error.filename}: no disk has names so long; give a shorter one")
    if isinstance(error, RuntimeError) and "home directory" in str(error):  # of pathlib
        return UserError("a path begins with ~ and no user of that name is known: give it whole")
    if isinstance(error, NotADirectoryError | FileExistsError) and error.filename:
        return UserError(
            f"{error.filename}: this, or what stands above it, is a file; give a folder"
        )
    return None
