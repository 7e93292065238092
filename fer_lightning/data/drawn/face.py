"""Draws faces from action units, identity, pose and light, with labels that are exact.

A face is a lit surface: a smooth head, onto which the features add relief and action units add
bulges and creases (:func:`~fer_lightning.data.drawn.relief.sculpt`); brows, eyes, mouth and
hair are painted over it with soft edges.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fer_lightning.data.drawn import features, head
from fer_lightning.data.drawn.canvas import Canvas, planes
from fer_lightning.data.drawn.parameters import (
    Background,
    Colour,
    FaceParameters,
    Identity,
    Light,
    View,
)
from fer_lightning.data.drawn.relief import sculpt
from fer_lightning.labels import EMOTION_ACTION_UNITS

VERSION = 1
"""Raised whenever the same parameters come to look otherwise, for archives are named by it."""

DRAWN_ACTION_UNITS: tuple[int, ...] = tuple(
    sorted({unit for units in EMOTION_ACTION_UNITS.values() for unit in units})
)
"""The fourteen action units that change a drawn face: those of paper D, Table VI."""

_SKINS: tuple[Colour, ...] = (
    (0.94, 0.79, 0.69),
    (0.93, 0.75, 0.63),
    (0.89, 0.70, 0.56),
    (0.80, 0.60, 0.45),
    (0.66, 0.46, 0.33),
    (0.50, 0.33, 0.23),
    (0.39, 0.25, 0.18),
)
_HAIRS: tuple[Colour, ...] = (
    (0.07, 0.06, 0.06),
    (0.14, 0.09, 0.06),
    (0.28, 0.18, 0.11),
    (0.42, 0.28, 0.16),
    (0.70, 0.54, 0.32),
    (0.52, 0.22, 0.10),
    (0.60, 0.58, 0.56),
)
_IRISES: tuple[Colour, ...] = (
    (0.24, 0.15, 0.09),
    (0.36, 0.24, 0.13),
    (0.35, 0.37, 0.22),
    (0.30, 0.44, 0.55),
)


def generator(seed: int, kind: str, number: int) -> np.random.Generator:
    """Random numbers of their own for each picture, person or sequence of a corpus.

    Args:
        seed: The corpus's seed.
        kind: What is drawn; other kinds get other numbers.
        number: Number of the picture, person or sequence, from 0.
    """
    return np.random.default_rng([seed, *kind.encode(), number])


def emotion_action_units(
    emotion: str, intensity: float, rng: np.random.Generator
) -> dict[int, float]:
    """Action units of an emotion by paper D, Table VI, with a little natural variation.

    Args:
        emotion: Canonical name.
        intensity: In [0, 1]; scales all units alike, so that for one state of ``rng`` they rise
            together with it.
        rng: Draws, for every unit, a factor in [0.85, 1].

    Returns:
        FACS number to intensity in [0, 1] for all of :data:`DRAWN_ACTION_UNITS`, exactly 0 for
        those that the emotion lacks.
    """
    factors = rng.uniform(0.85, 1.0, len(DRAWN_ACTION_UNITS))
    active = EMOTION_ACTION_UNITS[emotion]
    return {
        unit: round(intensity * float(factor), 4) if unit in active else 0.0
        for unit, factor in zip(DRAWN_ACTION_UNITS, factors, strict=True)
    }


def _between(rng: np.random.Generator, low: Colour, high: Colour) -> Colour:
    red, green, blue = (float(c) for c in rng.uniform(low, high))
    return red, green, blue


def _tinted(rng: np.random.Generator, gray: float) -> Colour:
    red, green, blue = (gray * float(c) for c in rng.uniform(0.8, 1.15, 3))
    return red, green, blue


def sample_identity(rng: np.random.Generator) -> Identity:
    """Draw a person."""
    tone = rng.uniform(0, len(_SKINS) - 1)
    lighter, darker = _SKINS[int(tone)], _SKINS[int(tone) + 1]
    red, green, blue = (a + (tone % 1) * (b - a) for a, b in zip(lighter, darker, strict=True))
    dark = tone > 3.2
    hair = _HAIRS[int(rng.choice(len(_HAIRS), p=(0.2, 0.2, 0.2, 0.14, 0.12, 0.07, 0.07)))]
    if dark:
        hair = _HAIRS[int(rng.integers(0, 2))]
    long = rng.random() < 0.5
    bearded = not long and rng.random() < 0.4
    return Identity(
        skin=(red, green, blue),
        hair=hair,
        iris=_IRISES[0] if dark else _IRISES[int(rng.integers(0, len(_IRISES)))],
        cloth=_between(rng, (0.1, 0.1, 0.12), (0.8, 0.7, 0.75)),
        width=rng.uniform(0.92, 1.08),
        jaw=rng.uniform(0.0, 0.5) if long else rng.uniform(0.3, 1.0),
        forehead=rng.uniform(0.9, 1.12),
        eye_size=rng.uniform(0.92, 1.12),
        eye_spacing=rng.uniform(0.94, 1.06),
        eye_tilt=rng.uniform(-0.006, 0.012),
        brow_thickness=rng.uniform(0.65, 1.0) if long else rng.uniform(0.85, 1.35),
        brow_arch=rng.uniform(0.5, 1.3),
        nose_width=rng.uniform(0.85, 1.2),
        nose_length=rng.uniform(0.92, 1.08),
        mouth_width=rng.uniform(0.9, 1.12),
        lip_thickness=rng.uniform(0.75, 1.3),
        lip_redness=rng.uniform(0.4, 1.0) if long else rng.uniform(0.1, 0.6),
        hair_length=rng.uniform(0.45, 1.0) if long else rng.uniform(0.0, 0.25),
        hair_volume=rng.uniform(0.06, 0.2) if long else rng.uniform(0.02, 0.14),
        hair_parting=rng.uniform(-0.8, 0.8),
        fringe=rng.uniform(0, 0.5) * (rng.random() < 0.5),
        curl=rng.uniform(0.4, 1.0) * (rng.random() < 0.3),
        beard=rng.uniform(0.15, 1.0) * bearded,
        glasses=bool(rng.random() < 0.12),
        age=rng.uniform(0.1, 0.9),
    )


def sample_view(rng: np.random.Generator, moment: float = 0.0, spread: float = 1.0) -> View:
    """Draw a moderate pose: yaw within 20 degrees, pitch within 10, roll within 12.

    Args:
        rng: Draws the pose and how it drifts.
        moment: Time in a sequence, in [0, 1]; for one state of ``rng`` the head moves smoothly
            with it.
        spread: Factor on the three angles, in [0, 2]: 0 is frontal. Place, size and gaze stay.
    """
    yaw, pitch, roll = rng.normal(0, (9, 4.5, 5)) + moment * rng.normal(0, (3, 2, 2))
    gaze_x, gaze_y = rng.normal(0, 0.3, 2)
    return View(
        yaw=spread * float(np.clip(yaw, -20, 20)),
        pitch=spread * float(np.clip(pitch, -10, 10)),
        roll=spread * float(np.clip(roll, -12, 12)),
        x=rng.uniform(0.43, 0.57),
        y=rng.uniform(0.45, 0.54),
        scale=rng.uniform(0.56, 0.74),
        gaze_x=float(np.clip(gaze_x, -1, 1)),
        gaze_y=float(np.clip(gaze_y, -1, 1)),
    )


def sample_light(rng: np.random.Generator, spread: float = 1.0) -> Light:
    """Draw the light of a picture.

    Args:
        rng: Draws the light.
        spread: Factor on the ranges around their middle, in [0, 1.5]: 0 is one light for all.
    """

    def between(low: float, high: float) -> float:
        # Exact at 0 and at 1: one light is equal everywhere, and the usual one as it ever was.
        return spread * rng.uniform(low, high) + (1 - spread) * (low + high) / 2

    return Light(
        azimuth=between(-55, 55),
        elevation=between(10, 55),
        strength=between(0.4, 0.85),
        exposure=between(0.88, 1.08),
        warmth=between(-0.6, 0.8),
        grain=between(0.003, 0.012),
    )


def sample_background(rng: np.random.Generator) -> Background:
    """Draw what is behind the head."""
    return Background(
        top=_tinted(rng, rng.uniform(0.3, 0.85)),
        bottom=_tinted(rng, rng.uniform(0.2, 0.7)),
        seed=int(rng.integers(2**32)),
        shapes=int(rng.integers(2, 7)),
    )


def draw_face(parameters: FaceParameters, size: int) -> NDArray[np.uint8]:
    """Draw one face.

    Args:
        parameters: What to draw.
        size: Side of the picture in pixels, at least 16.

    Returns:
        RGB of shape (size, size, 3); the same for the same arguments.
    """
    if size < 16:
        raise ValueError(f"size={size}: a face needs at least 16 pixels")
    side = size * max(2, -(-160 // size))
    canvas = Canvas(parameters, side)
    head.paint_background(canvas, parameters.background)
    head.paint_back(canvas, parameters)
    sculpt(canvas, parameters)
    head.paint_skin(canvas, parameters)
    head.paint_beard(canvas, parameters)
    features.paint_nostrils(canvas, parameters)
    features.paint_mouth(canvas, parameters)
    features.paint_eyes(canvas, parameters)
    features.paint_brows(canvas, parameters)
    head.paint_hair(canvas, parameters)
    features.paint_glasses(canvas, parameters)
    return _photograph(canvas, parameters, size)


def _photograph(canvas: Canvas, parameters: FaceParameters, size: int) -> NDArray[np.uint8]:
    """Bring the canvas to its final size, with the light's colour and the camera's noise."""
    light = parameters.light
    factor = canvas.side // size
    picture = np.zeros((3, size, size), np.float32)
    for row in range(factor):
        for column in range(factor):
            picture += canvas.rgb[:, row::factor, column::factor]
    picture *= 1 / factor**2
    tint = planes((1 + 0.07 * light.warmth, 1.0, 1 - 0.09 * light.warmth))
    picture *= light.exposure * tint
    noise = np.random.default_rng(parameters.background.seed).standard_normal(
        (size, size), np.float32
    )
    picture += light.grain * noise
    return np.ascontiguousarray(
        (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8).transpose(1, 2, 0)
    )
