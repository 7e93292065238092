"""Lets docstrings, written with reStructuredText's roles, be rendered as Markdown."""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object


class Roles(Extension):
    """Turns ``:class:`name```, which Markdown would print as it stands, into code."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Rewrite one docstring (called by griffe)."""
        if obj.docstring:
            obj.docstring.value = re.sub(r":\w+:(`[^`]+`)", r"\1", obj.docstring.value)
