"""The parts of a drawn face that act: brows, eyes, nostrils and mouth.

They are painted onto the skin, each by the intensities of the action units that move it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from fer_lightning.data.drawn.canvas import Array, Canvas, Window, planes, smoothstep
from fer_lightning.data.drawn.head import lamp
from fer_lightning.data.drawn.parameters import FaceParameters
from fer_lightning.data.drawn.relief import MOUTH_Y, corner_pull


def paint_brows(canvas: Canvas, parameters: FaceParameters) -> None:
    """The eyebrows: AU 1 raises the inner ends, AU 2 the outer ones, AU 4 lowers and knits."""
    identity = parameters.identity
    inner, outer, lowerer, wrinkler = parameters.units(1, 2, 4, 9)
    # Sadness raises the inner ends although it knits them.
    lower = lowerer * (1 - 0.8 * inner)
    start_x = 0.125 * identity.eye_spacing - 0.045 * lowerer
    end_x = 0.48 * identity.eye_spacing
    start_y = -0.185 - 0.115 * inner - 0.015 * outer + 0.08 * lower + 0.05 * wrinkler
    mid_y = -0.185 - 0.05 * (identity.brow_arch + inner) - 0.085 * outer
    mid_y += 0.06 * lower + 0.03 * lowerer * inner + 0.035 * wrinkler
    end_y = -0.17 + 0.015 * inner - 0.095 * outer + 0.02 * lowerer
    # The middle control point of the Bezier that passes mid_y at t = 0.6.
    control = (mid_y - 0.16 * start_y - 0.36 * end_y) / 0.48
    colour = planes(identity.hair) * (0.45 + 0.28 * parameters.light.strength)
    for side in (-1, 1):
        at = canvas.window(side * 0.3, -0.22, 0.3, 0.24)
        x, y = canvas.x[at] * side, canvas.y[at]
        t = (x - start_x) * (1 / (end_x - start_x))
        rest = 1 - t
        curve = rest * rest * start_y + 2 * t * rest * control + t * t * end_y
        thick = 0.034 * identity.brow_thickness * (1 - 0.55 * np.clip(t, 0, 1) ** 2)
        thick *= smoothstep(-0.12, 0.12, t) * smoothstep(1.06, 0.8, t)
        strands = np.sin(130 * (x + 1.5 * (y - curve) * (0.4 - t)))
        cover = canvas.cover(thick - np.abs(y - curve), 0.02) * (thick > 0.002)
        canvas.paint(at, cover * (0.74 + 0.14 * strands), colour)


def paint_eyes(canvas: Canvas, parameters: FaceParameters) -> None:
    """Eyes and lids: AU 5 raises the upper lids, AU 6 and 7 raise the lower ones."""
    identity = parameters.identity
    lowerer, raiser, cheek, tightener, wrinkler = parameters.units(4, 5, 6, 7, 9)
    size = identity.eye_size
    half = 0.135 * size
    up = size * (0.062 + 0.048 * raiser - 0.02 * tightener - 0.014 * cheek)
    up *= 1 - 0.12 * lowerer * (1 - raiser) - 0.3 * wrinkler
    down = size * 0.042 * (1 - 0.55 * tightener) * (1 - 0.5 * cheek) * (1 - 0.35 * wrinkler)
    down += 0.006 * raiser
    fold_gap = 0.012 + 0.022 * (1 - raiser) * (1 - 0.6 * lowerer)
    skin = planes(identity.skin)
    for side in (-1, 1):
        centre = side * 0.3 * identity.eye_spacing
        at = canvas.window(centre, 0.0, half + 0.08, 0.2)
        x = (canvas.x[at] - centre) * side
        y = canvas.y[at] + x * (identity.eye_tilt / half) + 0.004
        t = x * (1 / half)
        wide = np.abs(t)
        arc = np.clip(1 - t * t, 0, 1)
        # The upper lid is highest towards the nose, the lower lid deepest away from it.
        upper = -up * arc * (1 - 0.18 * t)
        lower = down * arc**1.2 * (1 + 0.25 * t)

        fold = (up + fold_gap) * np.clip(1 - 0.8 * t * t, 0, 1) * (1 - 0.12 * t)
        crease = np.exp(-(((y + fold) / 0.011) ** 2)) * smoothstep(1.25, 0.7, wide)
        canvas.paint(at, 0.5 * crease, skin * planes((0.45, 0.34, 0.3)))
        opening = canvas.cover(np.minimum(y - upper, lower - y)) * (arc > 0)
        _paint_eyeball(canvas, parameters, side, at, x, y, opening, y - upper)

        tear = np.exp(-(((t + 0.93) / 0.1) ** 2 + (y / 0.02) ** 2))
        canvas.paint(at, 0.6 * opening * tear, planes((0.78, 0.45, 0.42)))
        lash = np.exp(-(((y - upper + 0.004) / (0.012 + 0.005 * np.clip(t, 0, 1))) ** 2))
        canvas.paint(at, 0.88 * lash * smoothstep(1.1, 0.95, wide), planes((0.1, 0.07, 0.06)))
        rim = np.exp(-(((y - lower - 0.004) / 0.008) ** 2)) * smoothstep(1.05, 0.8, wide)
        canvas.paint(at, 0.4 * rim, skin * planes((0.5, 0.34, 0.3)))


def _paint_eyeball(
    canvas: Canvas,
    parameters: FaceParameters,
    side: int,
    at: Window,
    x: Array,
    y: Array,
    opening: Array,
    below_lid: Array,
) -> None:
    """White, iris, pupil and glint, where the lids leave them free; ``x`` runs outwards."""
    identity, view = parameters.identity, parameters.view
    lid_shadow = np.exp(-np.clip(below_lid, 0, None) / 0.018)
    white = 0.93 - 0.28 * (x / (0.135 * identity.eye_size)) ** 2 - 0.3 * lid_shadow
    canvas.paint(at, opening, white * planes((1.0, 0.97, 0.95)))
    iris = 0.064 * identity.eye_size
    across = x - side * 0.03 * view.gaze_x
    down = y + 0.004 - 0.016 * view.gaze_y
    distance = np.sqrt(across * across + down * down)
    tone = 1.15 - 0.75 * smoothstep(0.65 * iris, iris, distance) + (0.35 / iris) * down
    colour = planes(identity.iris) * tone * (1 - 0.5 * lid_shadow)
    canvas.paint(at, opening * canvas.cover(iris - distance), np.clip(colour, 0, 1))
    canvas.paint(at, opening * canvas.cover(0.45 * iris - distance), planes((0.03, 0.03, 0.04)))
    lit_side = math.copysign(side, side * lamp(parameters.light)[0])
    glint = np.hypot(across - 0.022 * lit_side, down + 0.024)
    canvas.paint(at, opening * canvas.cover(0.016 - glint, 0.006), planes((1.0, 1.0, 1.0)))


def paint_nostrils(canvas: Canvas, parameters: FaceParameters) -> None:
    """The nostrils; AU 9 raises and widens them."""
    identity = parameters.identity
    (wrinkler,) = parameters.units(9)
    level = 0.075 + 0.33 * identity.nose_length - 0.1 * math.sin(canvas.pitch) - 0.045 * wrinkler
    colour = planes(identity.skin) * planes((0.3, 0.18, 0.16))
    for side in (-1, 1):
        middle = 0.145 * math.sin(canvas.yaw)
        middle += side * 0.055 * identity.nose_width * (1 + 0.15 * wrinkler)
        at = canvas.window(middle, level, 0.07, 0.05)
        x, y = (canvas.x[at] - middle) * side, canvas.y[at] - level
        ring = np.sqrt((x / (0.034 + 0.008 * wrinkler)) ** 2 + ((y + 0.25 * x) / 0.017) ** 2)
        canvas.paint(at, 0.85 * smoothstep(1.35, 0.6, ring), colour)


class _Mouth(NamedTuple):
    """The mouth in its window: coordinates, and heights of its lines at every pixel."""

    at: Window
    x: Array
    y: Array
    wide: Array  # 0 in the middle, 1 at the corners
    arc: Array  # 1 in the middle, 0 at the corners
    line: Array  # where closed lips meet
    upper: tuple[Array, Array]  # outer and inner edge of the upper lip
    lower: tuple[Array, Array]  # inner and outer edge of the lower lip


def _mouth(canvas: Canvas, parameters: FaceParameters) -> _Mouth:
    identity = parameters.identity
    wrinkler, depressor, chin, tightener, pressor, part, stretch = parameters.units(
        9, 15, 17, 23, 24, 25, 27
    )
    left, right = corner_pull(parameters, -1), corner_pull(parameters, 1)
    smile = (left + right) / 2
    shift = 0.05 * math.sin(canvas.yaw)
    at = canvas.window(shift, 0.66, 0.46, 0.4)
    x, y = canvas.x[at] - shift, canvas.y[at]

    # The two corners of the mouth move apart, and are joined in its middle.
    pull = np.where(x > 0, np.float32(right), np.float32(left))
    half = 0.235 * identity.mouth_width * (1 - 0.16 * tightener - 0.04 * pressor)
    wide = np.abs(x) / (half * (1 + 0.3 * pull + 0.03 * depressor - 0.13 * stretch))
    arc = np.clip(1 - wide * wide, 0, 1)
    reach = np.minimum(wide, 1.1) ** 1.8
    line = MOUTH_Y + reach * (0.085 * depressor - 0.012 - 0.105 * pull)
    line += arc * (0.02 * smile - 0.035 * chin - 0.022 * wrinkler + 0.008 * np.cos(9 * x))
    above = part * (0.012 + 0.035 * wrinkler) + 0.035 * stretch
    below = part * (0.06 - 0.02 * chin) + 0.25 * stretch
    inner_upper = line - above * np.sqrt(arc)
    inner_lower = line + below * arc ** (0.7 - 0.2 * stretch)

    full = identity.lip_thickness * (1 - 0.4 * tightener) * (1 - 0.6 * pressor)
    bow = 1 - 0.3 * np.exp(-((x / 0.035) ** 2))
    bow += 0.12 * np.exp(-(((np.abs(x) - 0.06) / 0.04) ** 2))
    thin = 1 - 0.2 * smile - 0.2 * stretch
    outer_upper = inner_upper - 0.062 * full * thin * arc * bow
    pushed = 0.2 * chin * (1 - pressor)
    outer_lower = inner_lower + 0.085 * full * (thin + pushed) * arc**0.8
    return _Mouth(at, x, y, wide, arc, line, (outer_upper, inner_upper), (inner_lower, outer_lower))


def paint_mouth(canvas: Canvas, parameters: FaceParameters) -> None:
    """Lips, teeth and mouth: AU 9, 12, 15, 17, 23, 24, 25 and 27."""
    identity = parameters.identity
    pressor, part, stretch = parameters.units(24, 25, 27)
    mouth = _mouth(canvas, parameters)
    at, y, wide, line = mouth.at, mouth.y, mouth.wide, mouth.line
    pale, red = planes((0.93, 0.78, 0.8)), planes((0.85, 0.5, 0.55))
    colour = planes(identity.skin) * (pale + identity.lip_redness * (red - pale))
    colour = colour * (0.82 + 0.18 * parameters.light.strength)

    inner, outer = mouth.lower
    covered = canvas.cover(np.minimum(y - mouth.upper[0], outer - y), 0.008) * (mouth.arc > 0)
    roundness = np.clip((y - inner) / np.maximum(outer - inner, 0.01), 0, 1)
    tone = 1.02 + 0.2 * np.sin(math.pi * roundness) - 0.25 * roundness
    tone = np.where(y < line, np.float32(0.84), tone) * (1 - 0.22 * wide * wide)
    canvas.paint(at, 0.92 * covered, np.clip(colour * tone, 0, 1))

    _paint_opening(canvas, parameters, mouth)
    seam = np.exp(-(((y - line) / (0.011 + 0.004 * pressor)) ** 2)) * smoothstep(1.08, 0.9, wide)
    canvas.paint(at, (0.8 * max(0.0, 1 - 2 * max(part, stretch))) * seam, 0.32 * colour)
    corner = np.exp(-(((wide - 1) / 0.07) ** 2 + ((y - line) / 0.022) ** 2))
    canvas.paint(at, 0.5 * corner, 0.4 * planes(identity.skin))


def _paint_opening(canvas: Canvas, parameters: FaceParameters, mouth: _Mouth) -> None:
    """What shows between parted lips: the cavity, the tongue and the upper teeth."""
    part, stretch = parameters.units(25, 27)
    at, x, y, top, bottom = mouth.at, mouth.x, mouth.y, mouth.upper[1], mouth.lower[0]
    opening = canvas.cover(np.minimum(y - top, bottom - y)) * (mouth.arc > 0)
    opening *= min(1.0, 3 * max(part, stretch))
    canvas.paint(at, opening, planes((0.3, 0.09, 0.09)) * (1 - 0.55 * np.clip(4 * (y - top), 0, 1)))
    away = np.sqrt((x / 0.15) ** 2 + ((y - bottom - 0.02) / 0.11) ** 2)
    tongue = stretch * smoothstep(1.05, 0.75, away)
    canvas.paint(at, opening * tongue, planes((0.66, 0.27, 0.27)))
    below_gums = y - top - 0.012 * stretch
    length = 0.075 * (1 - 0.25 * mouth.wide * mouth.wide)
    teeth = canvas.cover(np.minimum(below_gums, length - below_gums)) * opening
    between = (np.mod(x + 0.0275, 0.055) - 0.0275) / 0.004
    tone = (0.95 - 0.5 * mouth.wide**3) * (1 - 0.1 * np.exp(-between * between))
    tone *= 1 - 0.4 * np.exp(-np.maximum(y - top, 0) / 0.012)
    canvas.paint(at, teeth, planes((0.97, 0.94, 0.88)) * np.clip(tone, 0, 1))


def paint_glasses(canvas: Canvas, parameters: FaceParameters) -> None:
    """Thin rims, which hide little of the eyes."""
    if not parameters.identity.glasses:
        return
    rim = planes((0.12, 0.11, 0.12))
    centre = 0.3 * parameters.identity.eye_spacing
    for side in (-1, 1):
        at = canvas.window(side * centre, 0.03, 0.26, 0.24)
        x, y = canvas.x[at] * side - centre, canvas.y[at] - 0.03
        ring = ((x / 0.215) ** 4 + (y / 0.165) ** 4) ** 0.25
        canvas.paint(at, 0.85 * canvas.cover(0.013 - 0.18 * np.abs(1 - ring)), rim)
        at = canvas.window(side * (centre + 0.3), 0.0, 0.12, 0.05)
        temple = canvas.cover(0.012 - np.abs(canvas.y[at] + 0.02)) * (canvas.radius[at] < 1)
        temple *= canvas.x[at] * side > centre + 0.21
        canvas.paint(at, 0.8 * temple, rim)
    at, bridge = canvas.stroke((-(centre - 0.205), 0.0), (centre - 0.205, 0.0), -0.02, 0.011)
    canvas.paint(at, 0.85 * np.clip(1.6 * bridge, 0, 1), rim)
