"""The pictures of the documentation: each has its command, and the script that draws some runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from PIL import Image

from fer_lightning.editing.photograph import read_note, save_noted
from tests.conftest import REPOSITORY

PICTURES = REPOSITORY / "docs" / "pictures"


def test_every_picture_stands_beside_its_command() -> None:
    lines = (PICTURES / "README.md").read_text(encoding="utf-8").splitlines()
    named = [
        name for line in lines for name in re.findall(r"`(\w+\.png)`", line[: line.find(" | ")])
    ]
    assert sorted(named) == sorted(path.name for path in PICTURES.glob("*.png"))


def test_the_script_draws_its_sheets_and_a_face(tmp_path: Path) -> None:
    script = PICTURES / "faces.py"
    subprocess.run([sys.executable, str(script), str(tmp_path)], check=True, cwd=REPOSITORY)
    for name in ("action_units.png", "views.png"):
        with Image.open(tmp_path / name) as drawn, Image.open(PICTURES / name) as shown:
            assert drawn.height == shown.height
            colours = drawn.getcolors(maxcolors=2**24)
            assert colours is not None
            assert len(colours) > 1000
    with Image.open(tmp_path / "person.png") as person:
        assert person.size == (256, 256)


def test_the_published_gamut_says_that_it_is_synthetic(tmp_path: Path) -> None:
    note = read_note(PICTURES / "gamut.png")
    assert note is not None
    assert note["synthetic"] is True
    with Image.open(PICTURES / "gamut.png") as shown:
        save_noted(shown.convert("RGB"), tmp_path / "sheet.png", note)
        script = [sys.executable, str(PICTURES / "gamut.py"), str(tmp_path / "sheet.png")]
        subprocess.run([*script, str(tmp_path)], check=True, cwd=REPOSITORY)
        with Image.open(tmp_path / "gamut.png") as smaller:
            assert smaller.width == round(shown.width * 3 / 4)
    assert read_note(tmp_path / "gamut.png") == note
