"""Every message on the page of troubleshooting is one that the code can give."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.conftest import REPOSITORY

PAGE = REPOSITORY / "docs" / "troubleshooting.md"
QUOTED = re.compile(r"^### `(.+)`$", re.MULTILINE)
LEAST = 12
"""Characters of a message without its gaps; anything shorter would be found by chance."""


@cache
def messages() -> tuple[str, ...]:
    """Every text of the package but docstrings; what is filled in is a null character."""
    found = []
    for path in sorted((REPOSITORY / "fer_lightning").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                found.append("".join(_piece(part) for part in node.values))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found += [node.value] * (id(node) not in alone)
    return tuple(found)


def _piece(part: ast.expr) -> str:
    if isinstance(part, ast.Constant) and isinstance(part.value, str):
        return part.value
    return "\0"


def is_given(quoted: str) -> bool:
    """Whether a message of the code holds what is quoted, whatever stands for its gaps."""
    pattern = ".*".join(re.escape(piece) for piece in quoted.split("…"))
    return any(re.search(pattern, message, re.DOTALL) for message in messages())


@pytest.mark.parametrize("quoted", QUOTED.findall(PAGE.read_text(encoding="utf-8")))
def test_the_code_gives_what_is_quoted(quoted: str) -> None:
    assert len(quoted.replace("…", "").strip()) >= LEAST, "quote more of it"
    assert is_given(quoted), f"no message of fer_lightning reads {quoted!r}"


def test_what_no_code_says_is_not_found() -> None:
    assert not is_given("run_dir=… holds another pun")
    assert not is_given("Names of corpora, detectors, models and features")  # a docstring


def test_every_heading_quotes() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text.count("\n### ") == len(QUOTED.findall(text)) > 40
