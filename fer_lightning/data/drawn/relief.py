"""The relief of a drawn face: the skull under the skin, and the folds that muscles make.

All of it is laid into the canvas's surface before the skin is painted, so that bulges and
creases catch the light.
"""

from __future__ import annotations

import math

from fer_lightning.data.drawn.canvas import Canvas
from fer_lightning.data.drawn.parameters import FaceParameters

MOUTH_Y = 0.6
"""Height of the closed mouth, in head units."""


def corner_pull(parameters: FaceParameters, side: int) -> float:
    """Intensity of AU 12 at the lip corner on the image's left (-1) or right (1)."""
    share = min(1.0, 1 + side * parameters.one_sided)
    return max(0.0, share) * parameters.action_units.get(12, 0.0)


def sculpt(canvas: Canvas, parameters: FaceParameters) -> None:
    """Raise and fold the surface of the skin: the skull's relief, then what muscles do."""
    _sculpt_rest(canvas, parameters)
    _sculpt_upper(canvas, parameters)
    _sculpt_lower(canvas, parameters)


def _sculpt_rest(canvas: Canvas, parameters: FaceParameters) -> None:
    identity = parameters.identity
    (wrinkler,) = parameters.units(9)
    spread, long = identity.nose_width, identity.nose_length
    eye = 0.3 * identity.eye_spacing
    tip_x = 0.16 * math.sin(canvas.yaw)
    tip_y = 0.33 * long - 0.14 * math.sin(canvas.pitch) - 0.035 * wrinkler
    canvas.bump(0.35 * tip_x, 0.02, 0.065 * spread, 0.16, 0.06)
    canvas.bump(0.7 * tip_x, 0.2 * long, 0.07 * spread, 0.13, 0.085)
    canvas.bump(tip_x, tip_y, 0.08 * spread, 0.068, 0.12)
    canvas.shade(tip_x, tip_y + 0.125, 0.12 * spread, 0.03, 0.34)
    for side in (-1, 1):
        wing = tip_x * 0.7 + side * (0.105 + 0.015 * wrinkler) * spread
        canvas.bump(wing, tip_y + 0.035 - 0.03 * wrinkler, 0.04, 0.045, 0.06)
        canvas.shade(wing, tip_y + 0.085 - 0.02 * wrinkler, 0.03, 0.02, 0.2)
        canvas.crease(
            (wing + side * 0.02, tip_y - 0.035 - 0.03 * wrinkler),
            (wing + side * 0.005, tip_y + 0.09 - 0.03 * wrinkler),
            -side * 0.03,
            0.4 + 0.3 * wrinkler,
        )
        canvas.bump(side * eye * 1.05, -0.19, 0.17, 0.06, 0.035)
        canvas.bump(side * eye, 0.0, 0.13, 0.075, -0.045)
        canvas.shade(side * (eye - 0.12), -0.05, 0.07, 0.07, 0.22)
        canvas.shade(side * eye, -0.085, 0.14, 0.04, 0.16)
        canvas.bump(side * 0.43, 0.24, 0.15, 0.13, 0.05)
        canvas.bump(side * 0.2, 0.24, 0.09, 0.07, 0.045 * wrinkler)
        canvas.bump(side * 0.42, 0.55, 0.12, 0.16, -0.03)
        nasolabial = 0.12 * identity.age
        canvas.crease((side * 0.15, 0.36), (side * 0.27, 0.6), -side * 0.02, nasolabial, 0.025)
    canvas.shade(0.0, 0.755 + 0.9 * (canvas.chin - 1), 0.13, 0.025, 0.22)
    canvas.bump(0.0, 0.87 * canvas.chin, 0.13, 0.09, 0.045)
    canvas.shade(0.0, 0.475, 0.018, 0.04, 0.1)


def _sculpt_upper(canvas: Canvas, parameters: FaceParameters) -> None:
    """Brow, lid and nose folds: AU 1, 2, 4, 6, 7 and 9."""
    identity = parameters.identity
    inner, outer, lowerer, cheek, tightener, wrinkler = parameters.units(1, 2, 4, 6, 7, 9)
    depth = 0.7 + 0.6 * identity.age
    eye = 0.3 * identity.eye_spacing
    for level in (-0.36, -0.43, -0.5):
        canvas.crease((-0.22, level), (0.22, level), 0.025, 0.36 * inner * depth, 0.014)
    for side in (-1, 1):
        for level in (-0.37, -0.44):
            canvas.crease(
                (side * 0.22, level),
                (side * 0.55, level + 0.07),
                -side * 0.05,
                0.34 * outer * depth,
                0.014,
            )
        canvas.crease(
            (side * 0.045, -0.3), (side * 0.055, -0.1), side * 0.012, 0.75 * lowerer * depth, 0.016
        )
        canvas.bump(side * 0.12, -0.14, 0.07, 0.04, 0.05 * lowerer)
        canvas.shade(side * eye * 0.85, -0.09, 0.13, 0.04, 0.28 * lowerer * (1 - 0.7 * inner))
        corner = side * (eye + 0.15)
        for rise in (-0.07, 0.0, 0.07):
            canvas.crease(
                (corner + side * 0.01, 0.01 + 0.3 * rise),
                (corner + side * 0.12, 0.01 + rise * 1.4),
                -side * rise * 0.15,
                0.6 * cheek * depth,
            )
        canvas.crease(
            (side * (eye - 0.14), 0.075),
            (side * (eye + 0.16), 0.055),
            -side * 0.05,
            0.65 * cheek * depth,
            0.016,
        )
        canvas.bump(side * (eye + 0.07), 0.2, 0.15, 0.08, 0.085 * cheek)
        canvas.crease(
            (side * (eye - 0.14), 0.05),
            (side * (eye + 0.12), 0.045),
            -side * 0.035,
            0.6 * tightener * depth,
        )
        canvas.bump(side * eye, 0.07, 0.1, 0.02, 0.03 * tightener)
        canvas.crease(
            (side * 0.06, 0.05), (side * 0.12, 0.16), side * 0.01, 0.65 * wrinkler * depth
        )
        canvas.crease(
            (side * 0.13, 0.27), (side * 0.27, 0.47), -side * 0.04, 0.9 * wrinkler * depth, 0.026
        )
        canvas.crease(
            (side * (eye - 0.16), 0.07), (side * (eye + 0.06), 0.1), -side * 0.02, 0.45 * wrinkler
        )
    tip_x = 0.16 * math.sin(canvas.yaw)
    for level, reach in ((-0.07, 0.06), (0.0, 0.07), (0.07, 0.075)):
        canvas.crease(
            (0.3 * tip_x - reach, level),
            (0.3 * tip_x + reach, level),
            0.022,
            0.55 * wrinkler * depth,
        )


def _sculpt_lower(canvas: Canvas, parameters: FaceParameters) -> None:
    """Cheek, lip and chin folds: AU 12, 15, 17, 23, 24 and 27."""
    depressor, chin, tightener, pressor, stretch = parameters.units(15, 17, 23, 24, 27)
    depth = 0.7 + 0.6 * parameters.identity.age
    wide = 0.235 * parameters.identity.mouth_width
    for side in (-1, 1):
        pull = corner_pull(parameters, side)
        canvas.crease(
            (side * 0.14, 0.33),
            (side * (0.36 + 0.03 * pull), 0.6 - 0.02 * pull),
            -side * 0.05,
            0.75 * pull * depth,
            0.024,
        )
        canvas.bump(side * 0.39, 0.3, 0.13, 0.1, 0.08 * pull)
        canvas.shade(side * (wide + 0.08), MOUTH_Y - 0.1 * pull, 0.025, 0.05, 0.4 * pull)
        canvas.crease(
            (side * (wide + 0.02), MOUTH_Y + 0.06),
            (side * (wide + 0.05), MOUTH_Y + 0.2),
            -side * 0.02,
            0.5 * depressor * depth,
            0.02,
        )
        canvas.bump(side * (wide + 0.09), MOUTH_Y + 0.1, 0.05, 0.06, 0.035 * depressor)
        canvas.bump(side * 0.06, 0.87, 0.05, 0.05, 0.05 * chin)
        for x, y in ((0.03, 0.82), (0.09, 0.86), (0.045, 0.91), (0.1, 0.93), (0.015, 0.87)):
            canvas.shade(side * x, y, 0.02, 0.017, 0.2 * chin)
        canvas.bump(side * (wide * 0.6), MOUTH_Y + 0.1, 0.08, 0.035, 0.045 * pressor)
        canvas.bump(side * (wide * 0.6), MOUTH_Y - 0.09, 0.08, 0.03, 0.04 * pressor)
        canvas.shade(side * (wide + 0.025), MOUTH_Y, 0.03, 0.035, 0.3 * max(pressor, tightener))
        for x in (0.05, 0.1, 0.15):
            canvas.crease(
                (side * x, MOUTH_Y - 0.11),
                (side * x * 0.93, MOUTH_Y - 0.04),
                0,
                0.28 * tightener,
                0.012,
            )
            canvas.crease(
                (side * x * 0.93, MOUTH_Y + 0.05),
                (side * x, MOUTH_Y + 0.11),
                0,
                0.25 * tightener,
                0.012,
            )
        canvas.crease(
            (side * 0.15, 0.38), (side * 0.34, 0.86), -side * 0.06, 0.5 * stretch * depth, 0.028
        )
        canvas.bump(side * 0.42, 0.62, 0.09, 0.18, -0.07 * stretch)
    canvas.crease((-0.16, 0.775), (0.16, 0.775), -0.045, 0.85 * chin * depth, 0.022)
    canvas.crease((-0.15, MOUTH_Y + 0.125), (0.15, MOUTH_Y + 0.125), 0.02, 0.4 * pressor, 0.02)
