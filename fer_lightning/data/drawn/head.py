"""The parts of a drawn picture that hold still: background, shoulders, ears, skin and hair."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from PIL import Image

from fer_lightning.data.drawn.canvas import Array, Canvas, Window, planes, smoothstep
from fer_lightning.data.drawn.parameters import Background, FaceParameters, Light


def lamp(light: Light) -> tuple[float, float, float]:
    """Unit vector towards the lamp: right, down, towards the camera."""
    azimuth, elevation = math.radians(light.azimuth), math.radians(light.elevation)
    flat = math.cos(elevation)
    return math.sin(azimuth) * flat, -math.sin(elevation), math.cos(azimuth) * flat


@lru_cache(maxsize=8)
def _mottle(side: int) -> Array:
    """Fixed uneven tone of skin, (side, side), around 1."""
    rng = np.random.default_rng(0)
    total = np.ones((side, side), np.float32)
    for cells, weight in ((24, 0.008), (64, 0.01)):
        coarse = Image.fromarray(rng.standard_normal((cells, cells)).astype(np.float32))
        total += weight * np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC))
    return total


def paint_background(canvas: Canvas, background: Background) -> None:
    """A gradient with blurred shapes; computed small, for it is out of focus."""
    rng = np.random.default_rng(background.seed)
    ticks = np.linspace(0, 1, 24, dtype=np.float32)
    x, y = np.meshgrid(ticks, ticks)
    top, bottom = planes(background.top), planes(background.bottom)
    room = top + (bottom - top) * y
    for _ in range(background.shapes):
        cx, cy = rng.random(), rng.random()
        wide, high = rng.uniform(0.08, 0.4), rng.uniform(0.08, 0.4)
        colour = rng.uniform(-0.2, 0.2) + rng.uniform(-0.05, 0.05, 3).astype(np.float32)
        edge = np.maximum(np.abs(x - cx) / wide, np.abs(y - cy) / high)
        room = room + colour[:, None, None] * smoothstep(1.35, 0.75, edge)
    for plane, coarse in zip(canvas.rgb, np.clip(room, 0.03, 0.97), strict=True):
        picture = Image.fromarray(coarse)
        plane[:] = np.asarray(picture.resize((canvas.side,) * 2, Image.Resampling.BICUBIC))


def paint_back(canvas: Canvas, parameters: FaceParameters) -> None:
    """What the face covers: hair that falls behind it, neck, shoulders and ears."""
    long = parameters.identity.hair_length > 0.3
    if long:
        _paint_long_hair(canvas, parameters)
    _paint_neck(canvas, parameters)
    if not long:
        _paint_ear(canvas, parameters, -1)
        _paint_ear(canvas, parameters, 1)


def _paint_long_hair(canvas: Canvas, parameters: FaceParameters) -> None:
    identity = parameters.identity
    volume, length = identity.hair_volume, identity.hair_length
    end = -0.1 + 1.5 * length
    at = canvas.area(0, end / 2 - 0.6, canvas.half_width + volume + 0.35, end / 2 + 0.7 + volume)
    u, v = canvas.u[at], canvas.v[at]
    wide = canvas.half_width + 0.05 + 0.9 * volume + 0.12 * length * np.clip(v, 0, None)
    wide = wide + 0.04 * identity.curl * np.sin(14 * v)
    across = u / wide
    across *= across
    above = np.clip(v / (1 + volume), None, 0)
    inside = 1 - np.sqrt(across + above * above)
    tips = 0.03 * np.sin(19 * u) + 0.015 * np.sin(47 * u)
    edge = np.minimum(0.8 * inside, end - v + tips - 0.25 * across * across)
    _paint_hair(canvas, at, canvas.cover(edge, 0.025), parameters)


def _paint_neck(canvas: Canvas, parameters: FaceParameters) -> None:
    identity, (lx, _, _) = parameters.identity, lamp(parameters.light)
    first = max(0, int((0.3 - float(canvas.dy[0, 0])) / canvas.pixel))
    at: Window = (slice(first, canvas.side), slice(0, canvas.side))
    dx, dy = canvas.dx[at], canvas.dy[at]
    light = 0.7 + 0.3 * parameters.light.strength * np.clip(0.4 + lx * dx, -0.6, 1)
    across = np.abs(dx - 0.12 * math.sin(canvas.yaw))
    flare = smoothstep(0.95, 1.5, dy)
    neck = canvas.cover(0.36 * identity.width + 0.5 * flare * flare - across, 0.01)
    under_chin = 0.5 + 0.5 * smoothstep(0.9, 1.45, dy + 0.25 * across)
    rounding = 1 - 0.45 * np.clip(across / 0.42, 0, 1) ** 2
    canvas.paint(at, neck, planes(identity.skin) * (light * under_chin * rounding))

    inside = np.clip(across / 0.46, 0, 1)
    collar = 1.5 - 0.2 * inside * inside
    slope = collar + 0.16 * np.clip(across - 0.46, 0, None) ** 1.5
    below = dy - slope
    folds = 1 + 0.05 * np.sin(7 * dx + 5 * dy) - 0.2 * np.clip(across - 0.5, 0, 1)
    folds = folds - 0.25 * np.exp(-(((below - 0.06) / 0.02) ** 2))
    cloth = planes(identity.cloth) * (1.1 * light * folds)
    canvas.paint(at, canvas.cover(below, 0.01), np.minimum(cloth, 1))


def _paint_ear(canvas: Canvas, parameters: FaceParameters, side: int) -> None:
    # An ear is half way back, so that it moves against the face in a turn.
    ear_u = side * (canvas.half_width + 0.01) - 0.12 * math.sin(canvas.yaw)
    ear_v = 0.1 + 0.25 * math.sin(canvas.pitch)
    at = canvas.area(ear_u, ear_v, 0.15, 0.24)
    along = canvas.v[at] - ear_v
    lean = (canvas.u[at] - ear_u) * side + 0.12 * along
    ring = np.sqrt((lean / 0.1) ** 2 + (along / 0.2) ** 2)
    hollow = np.exp(-(((ring - 0.5) / 0.22) ** 2)) * smoothstep(-0.1, 0.0, lean)
    lx = lamp(parameters.light)[0]
    tone = (0.82 + 0.2 * side * lx * parameters.light.strength) * (1 - 0.38 * hollow)
    skin = planes(parameters.identity.skin) * planes((1.0, 0.93, 0.9))
    canvas.paint(at, canvas.cover((1 - ring) * 0.1), skin * tone)


def paint_skin(canvas: Canvas, parameters: FaceParameters) -> None:
    """The face itself, lit by its surface: base shape, what features added, and creases."""
    light = parameters.light
    lx, ly, lz = lamp(light)
    at = canvas.area(0, 0.05, canvas.half_width + 0.15, 1.2)
    # Skin scatters light: its shading is softer than its shape.
    surface = (canvas.depth[at] + canvas.height[at]) * (0.75 / (2 * canvas.pixel))
    slope_x, slope_y = np.zeros_like(surface), np.zeros_like(surface)
    np.subtract(surface[:, 2:], surface[:, :-2], out=slope_x[:, 1:-1])
    np.subtract(surface[2:], surface[:-2], out=slope_y[1:-1])
    facing = 1 / np.sqrt(1 + slope_x * slope_x + slope_y * slope_y)
    lit = np.clip((lz - slope_x * lx - slope_y * ly) * facing * 0.75 + 0.25, 0, 1)
    room = 0.55 + 0.45 * facing
    occlusion = canvas.occlusion[at]
    shade = (0.95 - 0.95 * light.strength) * room + (1.12 * light.strength) * lit + 0.06
    shade *= occlusion

    half = math.sqrt(lx * lx + ly * ly + (lz + 1) ** 2)
    gloss = np.clip((lz + 1 - slope_x * lx - slope_y * ly) * facing * (1 / half), 0, 1)
    for _ in range(4):
        gloss *= gloss
    gloss *= occlusion * (0.13 * light.strength)

    tone = shade * _mottle(canvas.side)[at]
    deep = np.minimum(shade, 1)
    flush = _flush(canvas)[at]
    coverage = canvas.cover((1 - canvas.radius[at]) * 0.75)
    # Shadows of skin are redder than its lights, and blood shines through where it is thin.
    for plane, skin, tint, blood in zip(
        canvas.rgb, parameters.identity.skin, (1.0, 0.9, 0.84), (0.03, -0.09, -0.07), strict=True
    ):
        colour = tone * (skin * tint + skin * (1 - tint) * deep) * (1 + blood * flush) + gloss
        face = plane[at]
        face += coverage * (np.minimum(colour, 1) - face)


def _flush(canvas: Canvas) -> Array:
    """How red the skin is, (side, side) in [0, 1]: cheeks, nose and chin."""
    total = np.zeros_like(canvas.x)
    for x, y, reach in ((-0.38, 0.3, 0.17), (0.38, 0.3, 0.17), (0.0, 0.33, 0.1), (0, 0.9, 0.14)):
        at = canvas.window(x, y, 2.6 * reach, 2.6 * reach)
        total[at] += canvas.hill(at, x, y, reach, reach)
    return total


def paint_beard(canvas: Canvas, parameters: FaceParameters) -> None:
    """Stubble or beard, over the skin and under the lips."""
    beard = parameters.identity.beard
    if beard <= 0:
        return
    at = canvas.window(0, 0.75, 0.75, 0.55)
    x, y = canvas.x[at], canvas.y[at]
    side = np.abs(x)
    jaw = smoothstep(0.0, 0.16, y - 0.88 + 0.42 * smoothstep(0.2, 0.55, side))
    lip = np.exp(-(((y - 0.5) / 0.045) ** 2)) * smoothstep(0.28, 0.18, side)
    chin = smoothstep(0.7, 0.8, y) * smoothstep(0.36, 0.2, side)
    cover = np.maximum(np.maximum(jaw, chin), lip)
    grain = 0.85 + 0.3 * np.sin(150 * x + 40 * y) * np.sin(60 * y - 30 * x)
    cover *= np.clip(grain * (0.2 + 0.65 * beard), 0, 0.9)
    cover *= canvas.cover((1 - canvas.radius[at]) * 0.75)
    bright = 0.75 * (0.6 + 0.5 * parameters.light.strength)
    canvas.paint(at, cover, planes(parameters.identity.hair) * (bright * (0.8 + 0.3 * grain)))


def paint_hair(canvas: Canvas, parameters: FaceParameters) -> None:
    """The hair on top and beside the face, with its shadow on the forehead."""
    identity = parameters.identity
    volume, length, half = identity.hair_volume, identity.hair_length, canvas.half_width
    at = canvas.area(0, -0.25, half + volume + 0.3, 1.0 + volume)
    u, v, x, y = canvas.u[at], canvas.v[at], canvas.x[at], canvas.y[at]
    # Hairline: high on the forehead, rising from the parting, down the temples to the ears.
    side = np.abs(x) / (half * np.sqrt(1 - np.minimum(y * y, 0.8)))
    away = np.abs(x - 0.35 * identity.hair_parting)
    line = -0.2 - 0.42 * identity.forehead + 0.12 * smoothstep(0.4, 0.85, side)
    line += (0.55 + 1.2 * max(0.0, length - 0.2)) * smoothstep(0.8, 0.98, side)
    line += identity.fringe * (0.16 + 0.24 * smoothstep(0.0, 0.5, away))
    line += (0.014 + 0.02 * identity.curl) * np.sin(31 * x + 3 * np.sin(9 * x))
    line += 0.008 * np.sin(83 * x)
    # Short hair tapers into the skull above the ears; long hair falls straight.
    fall = smoothstep(0.15, -0.6, v) if length <= 0.3 else 1.0
    wide = half + 0.015 + (0.02 + 0.75 * volume) * fall
    high = np.minimum(v, 0) if length > 0.3 else v
    edge = 1 - np.sqrt((u / wide) ** 2 + (high / (1.02 + volume)) ** 2)
    edge += 0.012 * np.sin(40 * u) * np.sin(37 * v)
    if identity.curl > 0:
        edge += 0.025 * identity.curl * np.sin(30 * np.arctan2(v, u))
    below = y - line
    shadow = np.exp(-14 * np.clip(below, 0, None)) * canvas.cover((0.98 - canvas.radius[at]) * 0.7)
    canvas.rgb[:, at[0], at[1]] *= 1 - 0.32 * shadow
    _paint_hair(canvas, at, canvas.cover(np.minimum(0.9 * edge, -below), 0.03), parameters)


def _paint_hair(canvas: Canvas, at: Window, coverage: Array, parameters: FaceParameters) -> None:
    """Strands that follow the skull, with a sheen under the lamp."""
    identity, (lx, ly, _) = parameters.identity, lamp(parameters.light)
    curl = identity.curl
    # Most of the window is face or room, and strands are dear.
    hairy = coverage > 0
    u, v, share = canvas.u[at][hairy], canvas.v[at][hairy], coverage[hairy]
    way = (u - 0.25 * identity.hair_parting) / (1.6 - 0.6 * v + 0.2 * np.abs(u))
    wave = (0.02 + 0.1 * curl) * np.sin((9 + 14 * curl) * (v + u * u))
    strands = np.sin(83 * way + 90 * wave) + np.sin(151 * way + 1.3 + 60 * wave)
    if curl > 0:
        strands += (
            2 * curl * np.sin(26 * u + 3 * np.sin(7 * v)) * np.sin(23 * v + 3 * np.sin(9 * u))
        )
    lit = np.clip(u * lx + v * ly, -0.6, 1)
    crown = (np.sqrt((1.25 * u) ** 2 + v * v) - 0.93) * 9
    sheen = (0.5 + 0.5 * np.maximum(lit, 0)) * np.exp(-crown * crown)
    tone = 0.85 + 0.3 * lit + 0.065 * strands + 0.35 * sheen * (1 + 0.5 * strands)
    tone *= 0.6 + 0.5 * parameters.light.strength
    for plane, hair in zip(canvas.rgb, identity.hair, strict=True):
        area = plane[at]
        under = area[hairy]
        area[hairy] = under + share * (np.clip((hair + 0.03) * tone - 0.015, 0, 1) - under)
