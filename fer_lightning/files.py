"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fer_lightning.errors import naming


@contextmanager
def whole(path: Path, *, private: bool = False) -> Iterator[Path]:
    """Where to write a file, beside its place, which it takes once it is written.

    What was in that place stays until then. A failure leaves nothing behind; what a killed process
    leaves is overwritten by the next, unless it is private.

    Args:
        path: Its place.
        private: The unfinished file is named after this process and not after the file, of which
            several processes may write one, or whose name has no room for more.

    Raises:
        OSError: What writing raises, with the place's name where it has none.
    """
    unfinished = path.with_name(f"{os.getpid() if private else path.name}.unfinished")
    try:
        with naming(path):
            yield unfinished
            unfinished.replace(path)
    except BaseException:
        with suppress(OSError):  # the first error is the one to tell
            unfinished.unlink(missing_ok=True)
        raise
