"""Brings pages of the repository into the site, so that nothing is written twice.

A MkDocs hook. A line ``--8<-- "path"`` is replaced by the Markdown file of that path, without its
title. Files below ``MOUNTED`` are published as they are. Links that leave ``docs/``, right as they
are for who reads the repository, are led to where the site has their targets.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from posixpath import dirname, normpath, relpath
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
MOUNTED = {"multirun/published": "results/published"}
"""Folder of the repository to its place in the site."""


def on_files(files: Any, config: Any) -> Any:
    """Publish the mounted folders."""
    from mkdocs.structure.files import File  # the rest of this module needs no MkDocs

    for folder, place in MOUNTED.items():
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file():
                uri = f"{place}/{published(path.relative_to(ROOT / folder).as_posix())}"
                files.append(File.generated(config, uri, abs_src_path=str(path)))
    return files


def published(path: str) -> str:
    """Where the site has a mounted file; ``NAME.html`` would be the page made of ``NAME.md``."""
    return re.sub(r"\.html$", "/index.html", path)


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Expand what is included and lead links that leave ``docs/``."""
    here = page.file.src_uri
    mounted = next((f for f, place in MOUNTED.items() if here.startswith(f"{place}/")), None)
    source = here.replace(MOUNTED[mounted], mounted, 1) if mounted else f"docs/{here}"
    text = led(markdown, source, here)
    return re.sub(r'^--8<-- "(.+)"$', lambda m: included(m[1], here), text, flags=re.MULTILINE)


def included(path: str, page: str) -> str:
    """A Markdown file of the repository without its title, for the site's ``page``."""
    text = re.sub(r"\A# .*\n", "", (ROOT / path).read_text(encoding="utf-8"))
    return led(text.strip(), path, page)


def led(text: str, source: str, page: str) -> str:
    """The links of ``source``, a path in the repository, as the site's ``page`` writes them."""

    def link(match: re.Match[str]) -> str:
        target = normpath(os.path.join(dirname(source), match[2]))
        for folder, place in {**MOUNTED, "docs": ""}.items():
            if target.startswith(f"{folder}/"):
                inside = target[len(folder) + 1 :]
                inside = published(inside) if folder in MOUNTED else inside
                target = normpath(os.path.join(place, inside))
                return f"{match[1]}{relpath(target, dirname(page) or '.')}{match[3]}"
        return match[0]

    return re.sub(r"(\]\()(?![a-z]+:|#|/)([^)#\s]+)((?:#[^)\s]*)?\))", link, text)
