"""One hash for the content of many files, cheap when nothing has changed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from stat import S_ISREG
from typing import Any

from fer_lightning.files import whole
from fer_lightning.progress import progress_bar

_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False)


def digest(value: Any) -> str:
    """Hash of plain data (dicts, lists, strings, numbers), independent of key order."""
    return hashlib.blake2b(_ENCODER.encode(value).encode(), digest_size=16).hexdigest()


def digest_of_items(items: Iterable[Any]) -> str:
    """:func:`digest` of the list of ``items``, which need not be in memory together."""
    hasher = hashlib.blake2b(b"[", digest_size=16)
    for number, item in enumerate(items):
        hasher.update((", " * (number > 0) + _ENCODER.encode(item)).encode())
    hasher.update(b"]")
    return hasher.hexdigest()


def file_digest(path: Path) -> str:
    """Hash of a file's bytes."""
    hasher = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            hasher.update(block)
    return hasher.hexdigest()


def fingerprint(files: Iterable[Path], root: Path, cache: Path) -> str:
    """Hash of the names and contents of ``files``; equal on every machine that holds them.

    Reading a large dataset takes minutes, so the result is kept in ``cache`` under a hash of
    names, sizes and modification times: only when one of those differ are contents read again.

    Args:
        files: Paths below ``root``; missing ones count by name.
        root: Names are taken relative to it.
        cache: Folder for remembered results.
    """
    paths = [os.fspath(path) for path in files]
    start = os.path.join(os.fspath(root), "")
    stats = ((_name(path, start), _stat(path)) for path in paths)
    seen = cache / digest([str(root.resolve()), digest_of_items(stats)])
    if seen.is_file():
        return seen.read_text(encoding="utf-8")
    bar = progress_bar(paths, desc="Reading source", unit="file", leave=False, delay=1)
    result = digest_of_items(
        (_name(path, start), file_digest(Path(path)) if _stat(path) else None) for path in bar
    )
    cache.mkdir(parents=True, exist_ok=True)
    with whole(seen, private=True) as unfinished:
        unfinished.write_text(result, encoding="utf-8")
    return result


def _name(path: str, start: str) -> str:
    """A path without the ``start`` that its root is, with forward slashes."""
    return path.removeprefix(start).replace(os.sep, "/")


def _stat(path: str) -> tuple[int, int] | None:
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return (stat.st_size, stat.st_mtime_ns) if S_ISREG(stat.st_mode) else None
