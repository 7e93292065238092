"""Pages of the repository in the site: nothing is copied, and their links lead somewhere."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def hook(load_hook: Callable[[str], ModuleType]) -> ModuleType:
    return load_hook("repository")


class Page:
    """What MkDocs hands to a hook."""

    def __init__(self, uri: str) -> None:
        self.file = type("File", (), {"src_uri": uri})


def test_a_file_is_included_without_its_title(hook: ModuleType) -> None:
    text = hook.on_page_markdown('# Changelog\n\n--8<-- "CHANGELOG.md"\n', Page("changelog.md"))
    assert text.count("# Changelog") == 1
    assert "## [Unreleased]" in text
    assert "--8<--" not in text


def test_links_of_an_included_file_are_led(hook: ModuleType) -> None:
    text = hook.included("fer_lightning/models/cgan/README.md", "models/cgan.md")
    assert "(../results/cgan.md)" in text
    assert "../../../" not in text


@pytest.mark.parametrize(
    ("link", "source", "page", "led"),
    [
        (
            "../../multirun/published/a/b.md",
            "docs/results/x.md",
            "results/x.md",
            "published/a/b.md",
        ),
        (
            # Beside the page that MkDocs makes of a/b.md, not in its place.
            "../multirun/published/a/b.html",
            "docs/x.md",
            "x.md",
            "results/published/a/b/index.html",
        ),
        ("../models/cgan.md#keys", "docs/results/x.md", "results/x.md", "../models/cgan.md#keys"),
        ("docs/results/cgan.md", "README.md", "index.md", "results/cgan.md"),
        ("picture.png", "multirun/published/a/b.md", "results/published/a/b.md", "picture.png"),
        ("https://arxiv.org/abs/2206.09479", "docs/x.md", "x.md", None),
        ("#here", "docs/x.md", "x.md", None),
        ("conf/train.yaml", "README.md", "index.md", None),
    ],
)
def test_links_are_led_where_the_site_has_them(
    hook: ModuleType, link: str, source: str, page: str, led: str | None
) -> None:
    assert hook.led(f"a [b]({link}) c", source, page) == f"a [b]({led or link}) c"


def test_a_published_page_keeps_its_own_links(hook: ModuleType) -> None:
    text = hook.on_page_markdown("![p](p.png)", Page("results/published/study/comparison.md"))
    assert text == "![p](p.png)"
