"""What ``fer corpora corpus=NAME`` prints of a published dataset is plain text."""

from __future__ import annotations

import re

import pytest

from fer_lightning import registry

PUBLISHED = sorted(n for n in registry.corpora.builtin if registry.corpora.load(n).facts)


@pytest.mark.parametrize("name", PUBLISHED)
def test_no_markup_that_only_a_page_can_show(name: str) -> None:
    text = registry.corpora.load(name).__doc__ or ""
    assert "data.root" in text
    assert not re.findall(r":\w+:`[^`]*`", text)
