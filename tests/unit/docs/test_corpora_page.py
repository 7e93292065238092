"""The page of datasets names every one of them, with its terms and a link to its keys."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType, SimpleNamespace

from fer_lightning.registry import corpora
from tests.conftest import REPOSITORY


def test_the_table_stands_on_its_page(load_hook: Callable[[str], ModuleType]) -> None:
    hook = load_hook("corpora")
    text = (REPOSITORY / "docs" / hook.PAGE).read_text(encoding="utf-8")
    page = SimpleNamespace(file=SimpleNamespace(src_uri=hook.PAGE))
    written = hook.on_page_markdown(text, page)
    assert hook.MARK not in written
    for name in corpora.builtin:
        facts = corpora.load(name).facts
        if facts is not None:
            (line,) = [line for line in written.splitlines() if line.startswith(f"| [`{name}`]")]
            assert f"#data-{name})" in line
            assert facts.terms in line
            assert f"]({facts.source})" in line
    assert hook.on_page_markdown("x", SimpleNamespace(file=SimpleNamespace(src_uri="y.md"))) == "x"
