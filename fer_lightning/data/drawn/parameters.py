"""Everything that decides a drawn face: identity, expression, view, light and background.

Lengths are in head units: half the height of a head, so that its crown is at y = -1 and its chin
at y = 1, with x to the image's right and y down. Colours are sRGB in [0, 1].
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Colour = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What stays the same in all pictures of one person; sizes are factors around 1.

    Attributes:
        skin: Colour of the skin in full light.
        hair: Colour of the hair; the brows are a little darker.
        iris: Colour of the eyes.
        cloth: Colour of the clothes.
        width: Width of the face.
        jaw: 0 for a pointed chin, 1 for a square jaw.
        forehead: Height of the hairline above the brows.
        eye_size: Size of the eyes.
        eye_spacing: Distance between the eyes.
        eye_tilt: Outer corners of the eyes raised (positive) or lowered, in head units.
        brow_thickness: Thickness of the brows.
        brow_arch: Curvature of the brows.
        nose_width: Width of the nose.
        nose_length: Length of the nose.
        mouth_width: Width of the mouth.
        lip_thickness: Fullness of the lips.
        lip_redness: How far the lips differ from the skin, in [0, 1].
        hair_length: 0 cropped, 0.5 over the ears, 1 to the shoulders.
        hair_volume: How far the hair stands off the skull, in head units.
        hair_parting: Where the hair parts, from -1 (image left) to 1; 0 in the middle.
        fringe: Depth of hair that falls over the forehead, in [0, 1].
        curl: 0 straight hair, 1 curly.
        beard: 0 shaven, 0.3 stubble, 1 full beard.
        glasses: Whether the person wears glasses.
        age: How deep wrinkles are, in [0, 1].
    """

    skin: Colour = (0.90, 0.71, 0.58)
    hair: Colour = (0.22, 0.14, 0.09)
    iris: Colour = (0.33, 0.22, 0.13)
    cloth: Colour = (0.25, 0.32, 0.45)
    width: float = 1.0
    jaw: float = 0.5
    forehead: float = 1.0
    eye_size: float = 1.0
    eye_spacing: float = 1.0
    eye_tilt: float = 0.0
    brow_thickness: float = 1.0
    brow_arch: float = 1.0
    nose_width: float = 1.0
    nose_length: float = 1.0
    mouth_width: float = 1.0
    lip_thickness: float = 1.0
    lip_redness: float = 0.5
    hair_length: float = 0.2
    hair_volume: float = 0.1
    hair_parting: float = 0.3
    fringe: float = 0.2
    curl: float = 0.0
    beard: float = 0.0
    glasses: bool = False
    age: float = 0.4


@dataclass(frozen=True, kw_only=True)
class View:
    """How the head stands before the camera.

    Attributes:
        yaw: Turn towards the image's right, in degrees.
        pitch: Turn upwards, in degrees.
        roll: Tilt clockwise, in degrees.
        x: Centre of the head from the left, as a fraction of the picture's side.
        y: Centre of the head from the top, likewise.
        scale: Height of the head, crown to chin, likewise.
        gaze_x: Direction of the eyes, from -1 (image left) to 1.
        gaze_y: Direction of the eyes, from -1 (up) to 1.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    x: float = 0.5
    y: float = 0.5
    scale: float = 0.68
    gaze_x: float = 0.0
    gaze_y: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Light:
    """One soft lamp and what the room adds.

    Attributes:
        azimuth: Direction of the lamp from the camera, to the image's right, in degrees.
        elevation: Its height, in degrees.
        strength: Its brightness beside the room's, in [0, 1].
        exposure: Factor on the whole picture.
        warmth: Colour from -1 (bluish) to 1 (reddish).
        grain: Standard deviation of the camera's noise, in [0, 1].
    """

    azimuth: float = -30.0
    elevation: float = 35.0
    strength: float = 0.6
    exposure: float = 1.0
    warmth: float = 0.0
    grain: float = 0.01


@dataclass(frozen=True, kw_only=True)
class Background:
    """A blurred room behind the head.

    Attributes:
        top: Colour at the top.
        bottom: Colour at the bottom.
        seed: Draws the blurred shapes, and the grain of the camera.
        shapes: Number of blurred shapes.
    """

    top: Colour = (0.62, 0.66, 0.70)
    bottom: Colour = (0.42, 0.45, 0.50)
    seed: int = 0
    shapes: int = 4


@dataclass(frozen=True, kw_only=True)
class FaceParameters:
    """All that :func:`fer_lightning.data.drawn.draw_face` needs to draw one face.

    Attributes:
        action_units: FACS number to intensity in [0, 1]; absent numbers are 0. Those of
            :data:`fer_lightning.labels.EMOTION_ACTION_UNITS` are drawn, others have no effect.
        one_sided: Where AU 12 acts: 0 on both lip corners, -1 on the image's left one alone, 1 on
            the right one alone.
        identity: The person.
        view: Pose, place and gaze.
        light: The light.
        background: What is behind.
    """

    action_units: Mapping[int, float] = field(default_factory=dict)
    one_sided: float = 0.0
    identity: Identity = field(default_factory=Identity)
    view: View = field(default_factory=View)
    light: Light = field(default_factory=Light)
    background: Background = field(default_factory=Background)

    def units(self, *numbers: int) -> tuple[float, ...]:
        """Intensities of the action units of these FACS numbers."""
        return tuple(self.action_units.get(number, 0.0) for number in numbers)
