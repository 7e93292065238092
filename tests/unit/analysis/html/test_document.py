"""The page's style can be read by everybody."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files

import pytest

from fer_lightning.analysis.html.document import SCRIPTS, embedded

CSS = files("fer_lightning.analysis.html").joinpath("page.css").read_text(encoding="utf-8")
LIGHT, DARK, _PRINT = (
    dict(re.findall(r"--(\w+): ([^;]+);", block))
    for block in re.findall(r":root \{(.*?)\}", CSS, re.S)
)
TEXTS = ("text", "quiet", "link", "bad")
COLOURS = tuple(f"c{number}" for number in range(8))

Colour = tuple[float, ...]


def colour(text: str) -> Colour:
    """``#rgb``, ``#rrggbb`` or three numbers, in [0, 1]."""
    if not text.startswith("#"):
        return tuple(int(part) / 255 for part in text.split())
    digits = text[1:] if len(text) == 7 else "".join(2 * digit for digit in text[1:])
    return tuple(int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4))


def luminance(given: Colour) -> float:
    """As WCAG 2 defines it."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in given]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(first: Colour, second: Colour) -> float:
    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
def test_contrasts(scheme: Mapping[str, str]) -> None:
    ground, raised = colour(scheme["ground"]), colour(scheme["raised"])
    for name in TEXTS:
        for behind in (ground, raised):
            assert contrast(colour(scheme[name]), behind) >= 4.5, name
    for name in (*COLOURS, "focus"):
        assert contrast(colour(scheme[name]), ground) >= 3, name
    heat = colour(scheme["heat"])
    for share in re.findall(r"\.h\d+ \{ background: rgb\(var\(--heat\) / ([\d.]+)\)", CSS):
        behind = tuple(
            float(share) * h + (1 - float(share)) * g for h, g in zip(heat, ground, strict=True)
        )
        assert contrast(colour(scheme["text"]), behind) >= 4.5, share


def test_every_script_is_part_of_the_page() -> None:
    there = files("fer_lightning.analysis.html").iterdir()
    assert {f"{name}.js" for name in SCRIPTS} == {f.name for f in there if f.name.endswith(".js")}


def test_embedded_data_holds_no_markup() -> None:
    assert embedded({"a": "</script><!--"}) == '{"a":"\\u003c/script\\u003e\\u003c!--"}'
