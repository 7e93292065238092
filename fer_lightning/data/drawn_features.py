"""The parts of a drawn face that act: brows, eyes, nostrils and mouth.

They are painted onto the skin, each by the intensities of the action units that move it.
"""

from __future__ import annotations

import math

import numpy as np

from fer_lightning.data.drawn_canvas import Array, Canvas, planes, smoothstep
from fer_lightning.data.drawn_head import lamp
from fer_lightning.data.drawn_parameters import FaceParameters
from fer_lightning.data.drawn_relief import MOUTH_Y, corner_pull


def paint_brows(canvas: Canvas, parameters: FaceParameters) -> None:
    """The eyebrows: AU 1 raises the inner ends, AU 2 the outer ones, AU 4 lowers and knits."""
    identity = parameters.identity
    inner, outer, lowerer, wrinkler = (parameters.action_units.get(n, 0.0) for n in (1, 2, 4, 9))
    lower = lowerer * (1 - 0.8 * inner)
    base = -0.185
    arch = 0.05 * identity.brow_arch
    start_x = 0.125 * identity.eye_spacing - 0.045 * lowerer
    end_x = 0.48 * identity.eye_spacing
    start_y = base - 0.115 * inner + 0.08 * lower - 0.015 * outer + 0.05 * wrinkler
    mid_y = (
        base
        - arch
        - 0.05 * inner
        - 0.085 * outer
        + 0.06 * lower
        + 0.03 * lowerer * inner
        + 0.035 * wrinkler
    )
    end_y = base + 0.015 - 0.095 * outer + 0.02 * lowerer + 0.015 * inner
    bright = 0.7 * (0.65 + 0.4 * parameters.light.strength)
    colour = planes(identity.hair) * bright
    for side in (-1, 1):
        at = canvas.window(side * 0.3, -0.22, 0.3, 0.24)
        x, y = canvas.x[at] * side, canvas.y[at]
        t = (x - (start_x)) * (1 / (end_x - start_x))
        rest = 1 - t
        # The Bezier's middle control is set so that the curve passes mid_y at t = 0.6.
        control = (mid_y - 0.16 * start_y - 0.36 * end_y) / 0.48
        curve = rest * rest * start_y + 2 * t * rest * control + t * t * end_y
        thick = 0.034 * identity.brow_thickness * (1 - 0.55 * np.clip(t, 0, 1) ** 2)
        thick = thick * smoothstep(-0.12, 0.12, t) * smoothstep(1.06, 0.8, t)
        strands = np.sin(130 * (x + 1.5 * (y - curve) * (0.4 - t)))
        edge = thick - np.abs(y - curve)
        cover = canvas.cover(edge, 0.02) * (0.74 + 0.14 * strands) * (thick > 0.002)
        canvas.paint(at, cover, colour)


def paint_eyes(canvas: Canvas, parameters: FaceParameters) -> None:
    """Eyes and lids: AU 5 raises the upper lids, AU 6 and 7 raise the lower ones."""
    identity, view = parameters.identity, parameters.view
    raiser, cheek, tightener, lowerer, wrinkler = (
        parameters.action_units.get(n, 0.0) for n in (5, 6, 7, 4, 9)
    )
    size = identity.eye_size
    half = 0.135 * size
    up = size * (0.062 + 0.048 * raiser - 0.02 * tightener - 0.014 * cheek)
    up *= 1 - 0.12 * lowerer * (1 - raiser) - 0.3 * wrinkler
    down = size * 0.042 * (1 - 0.55 * tightener) * (1 - 0.5 * cheek) * (1 - 0.35 * wrinkler)
    down += 0.006 * raiser
    skin = planes(identity.skin)
    shine = lamp(parameters.light)[0]
    for side in (-1, 1):
        centre = side * 0.3 * identity.eye_spacing
        at = canvas.window(centre, 0.0, half + 0.08, 0.2)
        x, y = canvas.x[at] - (centre), canvas.y[at]
        out = x * side
        y = y + out * (identity.eye_tilt / half) + (0.004)
        t = out * (1 / half)
        arc = np.clip(1 - t * t, 0, 1)
        # The upper lid is highest towards the nose, the lower lid deepest away from it.
        upper = -up * arc * (1 - 0.18 * t)
        lower = down * arc**1.2 * (1 + 0.25 * t)
        inside = np.minimum(y - upper, lower - y)
        opening = canvas.cover(inside) * (arc > 0)

        lid = np.clip(1 - t * t * 0.8, 0, 1)
        fold = -(up + 0.012 + 0.022 * (1 - raiser) * (1 - 0.6 * lowerer)) * lid * (1 - 0.12 * t)
        crease = np.exp(-(((y - fold) / 0.011) ** 2)) * smoothstep(1.25, 0.7, np.abs(t))
        canvas.paint(at, 0.5 * crease, skin * planes((0.45, 0.34, 0.3)))

        iris_x = out - (side * 0.03 * view.gaze_x)
        iris_y = y - (-0.004 + 0.016 * view.gaze_y)
        iris = 0.064 * size
        distance = np.sqrt(iris_x * iris_x + iris_y * iris_y)
        ball = 0.93 - 0.28 * t * t - 0.3 * np.exp(-np.clip(y - upper, 0, None) / 0.02)
        canvas.paint(at, opening, ball * planes((1.0, 0.97, 0.95)))
        ring = 1.15 - 0.75 * smoothstep(0.65 * iris, iris, distance) + 0.35 * (iris_y / iris)
        ring = ring * (1 - 0.5 * np.exp(-np.clip(y - upper, 0, None) / 0.015))
        colour = planes(identity.iris) * ring
        canvas.paint(at, opening * canvas.cover(iris - distance), np.clip(colour, 0, 1))
        canvas.paint(at, opening * canvas.cover(0.45 * iris - distance), planes((0.03, 0.03, 0.04)))
        glint = np.hypot(iris_x - (side * 0.022 * (1 if shine > 0 else -1)), iris_y + 0.024)
        canvas.paint(at, opening * canvas.cover(0.016 - glint, 0.006), planes((1.0, 1.0, 1.0)))

        tear = np.exp(-(((t + 0.93) / 0.1) ** 2 + (y / 0.02) ** 2))
        canvas.paint(at, 0.6 * opening * tear, planes((0.78, 0.45, 0.42)))
        lash = np.exp(-(((y - upper + 0.004) / (0.012 + 0.005 * np.clip(t, 0, 1))) ** 2))
        canvas.paint(at, 0.88 * lash * smoothstep(1.1, 0.95, np.abs(t)), planes((0.1, 0.07, 0.06)))
        rim = np.exp(-(((y - lower - 0.004) / 0.008) ** 2)) * smoothstep(1.05, 0.8, np.abs(t))
        canvas.paint(at, 0.4 * rim, skin * planes((0.5, 0.34, 0.3)))


def paint_nostrils(canvas: Canvas, parameters: FaceParameters) -> None:
    """The nostrils; AU 9 raises and widens them."""
    identity = parameters.identity
    wrinkler = parameters.action_units.get(9, 0.0)
    middle = 0.145 * math.sin(canvas.yaw)
    level = 0.33 * identity.nose_length - 0.1 * math.sin(canvas.pitch) - 0.045 * wrinkler + 0.075
    for side in (-1, 1):
        cx = middle + side * 0.055 * identity.nose_width * (1 + 0.15 * wrinkler)
        at = canvas.window(cx, level, 0.07, 0.05)
        x, y = (canvas.x[at] - (cx)) * side, canvas.y[at] - (level)
        ring = np.sqrt((x / (0.034 + 0.008 * wrinkler)) ** 2 + ((y + 0.25 * x) / 0.017) ** 2)
        skin = planes(identity.skin) * planes((0.3, 0.18, 0.16))
        canvas.paint(at, 0.85 * smoothstep(-1.35, -0.6, -ring), skin)


def _lip_colour(parameters: FaceParameters) -> Array:
    """Skin made redder, (3, 1, 1)."""
    identity = parameters.identity
    pale, red = planes((0.93, 0.78, 0.8)), planes((0.85, 0.5, 0.55))
    tint = pale + identity.lip_redness * (red - pale)
    return planes(identity.skin) * tint * (0.82 + 0.18 * parameters.light.strength)


def paint_mouth(canvas: Canvas, parameters: FaceParameters) -> None:
    """Lips, teeth and mouth: AU 9, 12, 15, 17, 23, 24, 25 and 27."""
    identity = parameters.identity
    wrinkler, depressor, chin, tightener, pressor, part, stretch = (
        parameters.action_units.get(n, 0.0) for n in (9, 15, 17, 23, 24, 25, 27)
    )
    pulls = {side: corner_pull(parameters, side) for side in (-1, 1)}
    smile = (pulls[-1] + pulls[1]) / 2
    shift = 0.05 * math.sin(canvas.yaw)
    at = canvas.window(shift, 0.66, 0.46, 0.4)
    x, y = canvas.x[at] - (shift), canvas.y[at]

    widths, lifts = [], []
    for side in (-1, 1):
        wide = 0.235 * identity.mouth_width * (1 + 0.3 * pulls[side] - 0.13 * stretch)
        widths.append(wide * (1 - 0.16 * tightener - 0.04 * pressor + 0.03 * depressor))
        lifts.append(-0.105 * pulls[side] + 0.085 * depressor)
    right = x > 0
    t = np.abs(x) / np.where(right, (widths[1]), (widths[0]))
    arc = np.clip(1 - t * t, 0, 1)
    bow = np.sqrt(arc)
    lift = np.where(right, (lifts[1]), (lifts[0]))
    line = (
        MOUTH_Y
        - 0.012 * np.minimum(t, 1.1) ** 2
        + lift * np.minimum(t, 1.1) ** 1.7
        - 0.035 * chin * arc
        + 0.02 * smile * arc
    )
    line = line + 0.008 * np.cos(9 * x) * arc - 0.022 * wrinkler * arc
    above = 0.012 * part + 0.035 * part * wrinkler + 0.035 * stretch
    below = 0.06 * part + 0.25 * stretch - 0.02 * part * chin
    inner_top = line - above * bow
    inner_bottom = line + below * (bow if stretch > 0.3 else arc**0.7)

    full = identity.lip_thickness * (1 - 0.4 * tightener) * (1 - 0.6 * pressor)
    cupid = (
        1 - 0.3 * np.exp(-((x / 0.035) ** 2)) + 0.12 * np.exp(-(((np.abs(x) - 0.06) / 0.04) ** 2))
    )
    top_lip = full * 0.062 * (1 - 0.2 * smile - 0.2 * stretch) * arc * cupid
    bottom_lip = full * 0.085 * (1 - 0.15 * smile - 0.15 * stretch + 0.2 * chin * (1 - pressor))
    outer_top = inner_top - top_lip
    outer_bottom = inner_bottom + bottom_lip * arc**0.8

    lips = canvas.cover(np.minimum(y - outer_top, outer_bottom - y), 0.008) * (arc > 0)
    colour = _lip_colour(parameters)
    roundness = np.clip((y - inner_bottom) / (max(full * 0.085, 0.01)), 0, 1)
    tone = np.where(y < line, 0.84, 1.02 + 0.2 * np.sin(math.pi * roundness) - 0.25 * roundness)
    tone = tone * (1 - 0.22 * t * t)
    canvas.paint(at, 0.92 * lips, np.clip(colour * tone, 0, 1))

    gap = np.minimum(y - inner_top, inner_bottom - y)
    open_ = canvas.cover(gap) * (arc > 0) * min(1.0, 3 * max(part, stretch))
    depth = np.clip((y - inner_top) * 4, 0, 1)
    cavity = planes((0.3, 0.09, 0.09)) * (1 - 0.55 * depth)
    canvas.paint(at, open_, cavity)
    tongue = np.sqrt((x / 0.15) ** 2 + ((y - inner_bottom - 0.02) / 0.11) ** 2)
    canvas.paint(at, open_ * stretch * smoothstep(1.05, 0.75, tongue), planes((0.66, 0.27, 0.27)))
    gums = 0.012 * stretch
    teeth_end = inner_top + gums + 0.075 * (1 - 0.25 * t * t)
    teeth = canvas.cover(np.minimum(y - inner_top - gums, teeth_end - y)) * open_
    gaps = 1 - 0.1 * np.exp(-((np.mod(x + 0.0275, 0.055) - 0.0275) ** 2) / 0.004**2)
    white = (0.95 - 0.5 * t**3) * gaps * (1 - 0.4 * np.exp(-(y - inner_top) / 0.012))
    canvas.paint(at, teeth, planes((0.97, 0.94, 0.88)) * np.clip(white, 0, 1))

    seam = np.exp(-(((y - line) / (0.011 + 0.004 * pressor)) ** 2)) * smoothstep(1.08, 0.9, t)
    seam *= 1 - min(1.0, 2 * max(part, stretch))
    canvas.paint(at, 0.8 * seam, 0.32 * colour)
    corner = np.exp(-(((t - 1) / 0.07) ** 2 + ((y - line) / 0.022) ** 2))
    canvas.paint(at, 0.5 * corner, 0.4 * planes(identity.skin))


def paint_glasses(canvas: Canvas, parameters: FaceParameters) -> None:
    """Thin rims, which hide little of the eyes."""
    identity = parameters.identity
    if not identity.glasses:
        return
    rim = (0.12, 0.11, 0.12)
    centre = 0.3 * identity.eye_spacing
    for side in (-1, 1):
        at = canvas.window(side * centre, 0.03, 0.26, 0.24)
        x, y = canvas.x[at] * side - (centre), canvas.y[at] - (0.03)
        ring = ((x / 0.215) ** 4 + (y / 0.165) ** 4) ** 0.25
        canvas.paint(at, 0.85 * canvas.cover(0.013 - np.abs(1 - ring) * 0.18), rim)
        at = canvas.window(side * (centre + 0.3), 0.0, 0.12, 0.05)
        canvas.paint(
            at,
            0.8
            * canvas.cover(0.012 - np.abs(canvas.y[at] + 0.02))
            * (np.abs(canvas.x[at]) > centre + 0.21)
            * (canvas.radius[at] < 1),
            rim,
        )
    at, bridge = canvas.stroke((-(centre - 0.205), 0.0), (centre - 0.205, 0.0), -0.02, 0.011)
    canvas.paint(at, 0.85 * np.clip(1.6 * bridge, 0, 1), rim)
