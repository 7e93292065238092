"""One hash for the content of many files, cheap when nothing has changed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fer_lightning.progress import progress_bar


def digest(value: Any) -> str:
    """Hash of plain data (dicts, lists, strings, numbers), independent of key order."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


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
    names, sizes and modification times: only when one of those differs are contents read again.

    Args:
        files: Paths below ``root``; missing ones count by name.
        root: Names are taken relative to it.
        cache: Folder for remembered results.
    """
    entries = [(_name(path, root), path, _stat(path)) for path in files]
    seen = cache / digest([str(root.resolve()), [(name, stat) for name, _, stat in entries]])
    if seen.is_file():
        return seen.read_text(encoding="utf-8")
    bar = progress_bar(entries, desc="Reading source", unit="file", leave=False, delay=1)
    contents = [(name, file_digest(path) if stat else None) for name, path, stat in bar]
    result = digest(contents)
    cache.mkdir(parents=True, exist_ok=True)
    unfinished = seen.with_suffix(f".{os.getpid()}")
    unfinished.write_text(result, encoding="utf-8")
    unfinished.replace(seen)
    return result


def _name(path: Path, root: Path) -> str:
    try:
        return path.relative_to(root).as_posix()
    except ValueError:
        return path.as_posix()


def _stat(path: Path) -> tuple[int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return (stat.st_size, stat.st_mtime_ns) if path.is_file() else None
