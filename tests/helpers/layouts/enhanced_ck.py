"""What stands in for the Enhanced Cohn-Kanade is laid out as CK+."""

from __future__ import annotations

from pathlib import Path

from tests.helpers.layouts import ck_plus


def build(root: Path, size: int = 96) -> Path:
    """See :func:`tests.helpers.layouts.ck_plus.build`."""
    return ck_plus.build(root, size)
