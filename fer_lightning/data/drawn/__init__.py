"""Drawn faces: the embedded default dataset.

Demo, tests and documentation need no download, and face detectors find these faces. Nothing in
this package imports torch.
"""

from fer_lightning.data.drawn.face import (
    DRAWN_ACTION_UNITS,
    VERSION,
    draw_face,
    emotion_action_units,
    generator,
    sample_background,
    sample_identity,
    sample_light,
    sample_view,
)
from fer_lightning.data.drawn.parameters import Background, FaceParameters, Identity, Light, View

__all__ = [
    "DRAWN_ACTION_UNITS",
    "VERSION",
    "Background",
    "FaceParameters",
    "Identity",
    "Light",
    "View",
    "draw_face",
    "emotion_action_units",
    "generator",
    "sample_background",
    "sample_identity",
    "sample_light",
    "sample_view",
]
