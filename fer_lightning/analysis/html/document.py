"""The page as one file: template, style, script and data together."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Mapping
from importlib.resources import files
from string import Template
from typing import Any

SCRIPTS = (
    "elements",
    "numbers",
    "table",
    "chooser",
    "plot",
    "results",
    "curves",
    "samples",
    "confusion",
    "roc",
    "settings",
    "page",
)
"""Parts of the script, in their order."""


def document(content: Mapping[str, Any]) -> str:
    """The whole page.

    Text of users stands in it only as JSON, which the script puts in as text, and in the title.
    The policy at its top lets a browser run this very script and style, show pictures that stand
    in the file, and ask nobody for anything.

    Args:
        content: From :func:`fer_lightning.analysis.html.content.content`.
    """
    style = _asset("page.css")
    parts = "\n".join(_asset(f"{name}.js") for name in SCRIPTS)
    script = f'"use strict";\n(() => {{\n{parts}\n}})();\n'
    return Template(_asset("page.html")).substitute(
        title=html.escape(str(content["title"])),
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
        data=embedded(content),
    )


def embedded(content: Mapping[str, Any]) -> str:
    """JSON that may stand within a script element: nothing in it ends or opens one."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e")


def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """What names an inline script or style in a Content-Security-Policy."""
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
