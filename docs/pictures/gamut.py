"""Makes ``gamut.png`` of a sheet of ``fer edit``: smaller, and still marked as synthetic.

Run as ``python docs/pictures/gamut.py SHEET FOLDER``.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

from fer_lightning.editing.photograph import read_note, save_noted


def main(sheet: Path, folder: Path) -> None:
    """Write ``gamut.png``: three quarters of the sheet's size, 256 colours, the sheet's note."""
    note = read_note(sheet)
    if note is None:
        raise SystemExit(f"{sheet}: this is no sheet of `fer edit`")
    with Image.open(sheet) as image:
        size = [round(side * 3 / 4) for side in image.size]
        small = image.convert("RGB").resize((size[0], size[1]), Image.Resampling.LANCZOS)
    save_noted(small.quantize(256), folder / "gamut.png", note)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
