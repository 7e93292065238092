"""Draws the sheet of removed backgrounds into a folder: drawn faces, cut by MTCNN.

Run as ``python docs/pictures/background.py FOLDER``. It sets the same faces under each other in
all ways, which is one archive each on the command line.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from fer_lightning.data.corpora.drawn import Drawn
from fer_lightning.detectors.base import Background
from fer_lightning.detectors.crop import cut_face
from fer_lightning.detectors.mtcnn import MTCNNConfig
from fer_lightning.pictures import labelled_grid

SIDE = 88
"""Side of a crop in pixels."""
WAYS = {
    "keep": MTCNNConfig(),
    "ellipse": MTCNNConfig(background=Background.ellipse),
    "hull": MTCNNConfig(background=Background.hull),
    "hull, align": MTCNNConfig(background=Background.hull, align=True),
}


def main(folder: Path) -> None:
    """Write ``background.png``."""
    folder.mkdir(parents=True, exist_ok=True)
    corpus = Drawn(count=64, subjects=8)
    images = [corpus.load(row) for row in corpus.rows()[::8]]
    found = MTCNNConfig().build().detect(images)
    rows = []
    for config in WAYS.values():
        pairs = zip(images, found, strict=True)
        crops = [cut_face(image, faces, config, SIDE) for image, faces in pairs]
        rows.append(np.stack([crop.image for crop in crops if crop is not None]))
    labelled_grid(rows, list(WAYS)).save(folder / "background.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
