"""Draws the gallery's sheets of single action units, poses and lights, and a face to edit.

Run as ``python docs/pictures/faces.py FOLDER``. No configuration key asks for one action unit
alone: a corpus draws whole expressions, so these come from the Python interface.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from fer_lightning.data.drawn import FaceParameters, Identity, Light, View, draw_face
from fer_lightning.labels import ACTION_UNITS
from fer_lightning.pictures import labelled_grid

SIDE = 88
"""Side of a face on a sheet in pixels."""
PORTRAIT_SIDE = 256
PERSON = Identity(hair_length=0.4, fringe=0.1, brow_thickness=1.2)
EDITED = Identity(skin=(0.66, 0.46, 0.35))
"""Whose skin lies between those of the drawn datasets."""
STILL = Light(grain=0.0)
"""Without the camera's noise, which would fill the files."""

UNITS = (1, 2, 4, 5, 9, 12, 15, 27)
INTENSITIES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
VIEWS: Mapping[str, Callable[[float], FaceParameters]] = {
    "yaw -30° to 30°": lambda x: FaceParameters(view=View(yaw=30 * x), light=STILL),
    "pitch -20° to 20°": lambda x: FaceParameters(view=View(pitch=20 * x), light=STILL),
    "roll -20° to 20°": lambda x: FaceParameters(view=View(roll=20 * x), light=STILL),
    "lamp from -80° to 80°": lambda x: FaceParameters(
        light=Light(azimuth=80 * x, strength=0.9, grain=0.0)
    ),
    "exposure 0.4 to 1.4": lambda x: FaceParameters(light=Light(exposure=0.9 + 0.5 * x, grain=0.0)),
}


def main(folder: Path) -> None:
    """Write ``action_units.png``, ``views.png`` and ``person.png``, whom no drawn dataset holds."""
    folder.mkdir(parents=True, exist_ok=True)
    units = {
        f"{unit} {ACTION_UNITS[unit]}": [
            FaceParameters(action_units={unit: x}, identity=PERSON, light=STILL)
            for x in INTENSITIES
        ]
        for unit in UNITS
    }
    views = {name: [face(x) for x in np.linspace(-1, 1, 6)] for name, face in VIEWS.items()}
    for name, rows in {"action_units": units, "views": views}.items():
        sheet(rows).save(folder / f"{name}.png", optimize=True)
    person = draw_face(FaceParameters(identity=EDITED, light=STILL), PORTRAIT_SIDE)
    Image.fromarray(person).save(folder / "person.png")


def sheet(rows: Mapping[str, Sequence[FaceParameters]]) -> Image.Image:
    """One row of faces a label."""
    faces = [np.stack([draw_face(one, SIDE) for one in row]) for row in rows.values()]
    return labelled_grid(faces, list(rows))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
