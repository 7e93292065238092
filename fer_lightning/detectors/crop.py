"""From detections to the face that is cut out: choice, margin, alignment, resampling, background.

Coordinates are continuous: the pixel in the top left corner covers [0, 1) x [0, 1), and the box
of an image of shape (H, W) is (0, 0, W, H).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fer_lightning.detectors.background import FACE_OUTLINE, black_outside, ellipse
from fer_lightning.detectors.base import (
    Background,
    Detection,
    DetectorConfig,
    Edges,
    FaceChoice,
    NoFace,
)

FILTER = Image.Resampling.BILINEAR

_X = [38.2946, 73.5318, 56.0252, 41.5493, 70.7299]
_Y = [51.6963, 51.5014, 71.7366, 92.3655, 92.2041]
TEMPLATE: NDArray[np.float64] = np.array([_X, _Y]).T / 112
"""Five landmarks in a square of side 1, in the order of :class:`Detection`: the 112-pixel
template of ArcFace (Deng et al. 2019, ``insightface/utils/face_align.py``)."""


@dataclass(frozen=True, slots=True)
class Upright:
    """A crop that is a box of its image.

    Attributes:
        box: Left, top, right, bottom in pixels.
    """

    box: NDArray[np.float64]

    def cut(self, image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
        """The crop, RGB of shape (size, size, 3)."""
        return cut_box(image, self.box, size)

    def moved(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points of the image, (N, 2), in the crop of side 1."""
        return (points - self.box[:2]) / (self.box[2:] - self.box[:2])

    def affine(self) -> NDArray[np.float64]:
        """The same map, of shape (2, 3)."""
        start, sides = self.box[:2], self.box[2:] - self.box[:2]
        return np.column_stack([np.diag(1 / sides), -start / sides])


@dataclass(frozen=True, slots=True)
class Turned:
    """A crop that is aligned, by the similarity of :func:`fit_similarity` to its side of 1.

    Attributes:
        a: Scale and rotation.
        b: Shift.
    """

    a: complex
    b: complex

    def cut(self, image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
        """The crop, RGB of shape (size, size, 3)."""
        return cut_turned(image, self.a, self.b, size)

    def moved(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points of the image, (N, 2), in the crop of side 1."""
        moved = self.a * (points @ np.array([1, 1j])) + self.b
        return np.stack([moved.real, moved.imag], axis=1)

    def affine(self) -> NDArray[np.float64]:
        """The same map, of shape (2, 3)."""
        a, b = self.a, self.b
        return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


@dataclass(frozen=True, slots=True)
class FaceCrop:
    """A face cut from its image.

    Attributes:
        image: RGB of shape (size, size, 3).
        detection: The face that was cut, in the source image; one of score 0 stands in for it
            where no face was found and the policy keeps such images.
    """

    image: NDArray[np.uint8]
    detection: Detection


def cut_face(
    image: NDArray[np.uint8], detections: Sequence[Detection], config: DetectorConfig, size: int
) -> FaceCrop | None:
    """Cut one face by the policy of ``config``.

    Args:
        image: RGB of shape (H, W, 3).
        detections: What the detector found in it.
        config: Choice, margin, squareness, edges, alignment, background, and what to do without a
            face: a stand-in is cut whole, without margin or alignment, edge pixels repeated, and
            keeps its background.
        size: Side of the crop in pixels.

    Returns:
        The crop, or None where no face was found and such images are dropped.

    Raises:
        UserError: If landmarks are needed and the detector gives none.
    """
    if not detections:
        stand_in = without_face(config.no_face, image.shape[:2])
        if stand_in is None:
            return None
        return FaceCrop(cut_box(image, frame(stand_in.box, 0.0, config.square), size), stand_in)
    face = choose_face(detections, config.face, image.shape[:2])
    if face.landmarks is None:
        config.check_without_landmarks()
    where = crop_map(face, config, image.shape[:2])
    crop = where.cut(image, size)
    outline = where.moved(_outline(face, config.background))
    return FaceCrop(black_outside(crop, outline) if len(outline) else crop, face)


def crop_map(face: Detection, config: DetectorConfig, shape: tuple[int, ...]) -> Upright | Turned:
    """Where the policy of ``config`` cuts a face from an image of height and width ``shape``."""
    if config.align and face.landmarks is not None:
        # The template in a crop of side 1 with the margin around its square.
        template = (TEMPLATE + config.margin) / (1 + 2 * config.margin)
        return Turned(*fit_similarity(face.landmarks, template))
    box = frame(face.box, config.margin, config.square)
    return Upright(keep_inside(box, shape) if config.edges is Edges.inside else box)


def choose_face(
    detections: Sequence[Detection], choice: FaceChoice, shape: tuple[int, ...]
) -> Detection:
    """Pick one of several faces; the first of equals.

    Args:
        detections: At least one.
        choice: Largest box, box centre nearest to the image's, or highest score.
        shape: Height and width of the image.
    """
    centre = np.array([shape[1], shape[0]]) / 2

    def rank(face: Detection) -> float:
        start, end = face.box[:2], face.box[2:]
        if choice is FaceChoice.largest:
            return float(np.prod(end - start))
        if choice is FaceChoice.central:
            return -float(np.linalg.norm((start + end) / 2 - centre))
        return face.score

    return max(detections, key=rank)


def without_face(policy: NoFace, shape: tuple[int, ...]) -> Detection | None:
    """What stands in for the face of an image of height and width ``shape``, with score 0.

    Returns:
        The whole image, its largest centred square, or None where it is dropped.
    """
    height, width = shape
    side = min(height, width)
    left, top = (width - side) // 2, (height - side) // 2
    boxes = {
        NoFace.whole_image: [0, 0, width, height],
        NoFace.centre_crop: [left, top, left + side, top + side],
    }
    return Detection(np.array(boxes[policy], np.float32), 0.0) if policy in boxes else None


def frame(box: NDArray[np.float32], margin: float, square: bool) -> NDArray[np.float64]:
    """Widen a box about its centre, to one pixel at least.

    Args:
        box: Left, top, right, bottom in pixels.
        margin: Added on every side, as a fraction of the box's longer side.
        square: Make the shorter side as long as the longer one.
    """
    start, end = box.astype(np.float64).reshape(2, 2)
    sides = end - start
    longest = sides.max()
    half = np.maximum((longest if square else sides) + 2 * margin * longest, 1) / 2
    centre = (start + end) / 2
    return np.concatenate([centre - half, centre + half])


def keep_inside(box: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Move a box into an image of height and width ``shape``; shrink one that is too large.

    Both sides shrink by one factor, so that a square stays square.
    """
    limit = np.array([shape[1], shape[0]], np.float64)
    start, end = box.reshape(2, 2)
    sides = (end - start) * min(1.0, float((limit / (end - start)).min()))
    start = np.clip((start + end - sides) / 2, 0, limit - sides)
    return np.concatenate([start, start + sides])


def cut_box(image: NDArray[np.uint8], box: NDArray[np.float64], size: int) -> NDArray[np.uint8]:
    """Resample what is in the box to shape (size, size, 3), antialiased where it shrinks."""
    window, (left, top) = _window(image, box)
    inside = box - [left, top, left, top]
    whole = Image.fromarray(window)
    return np.array(whole.resize((size, size), FILTER, box=tuple(inside.tolist())))


def cut_turned(image: NDArray[np.uint8], a: complex, b: complex, size: int) -> NDArray[np.uint8]:
    """Rotate, scale and shift the image, so that landmarks come close to the template.

    Args:
        image: RGB of shape (H, W, 3).
        a: Scale and rotation from pixels to a crop of side 1, of :func:`fit_similarity`.
        b: Shift.
        size: Side of the crop in pixels.

    Returns:
        RGB of shape (size, size, 3).
    """
    # First upright at the source's own scale, then smaller: a warp alone would alias.
    side = max(size, math.ceil(1 / abs(a)))
    corners = (np.array([0, 1, 1j, 1 + 1j]) - b) / a
    points = np.stack([corners.real, corners.imag], axis=1)
    window, (left, top) = _window(image, np.array([points.min(0) - 1, points.max(0) + 1]).ravel())
    step, origin = 1 / (a * side), -b / a - complex(left, top)
    upright = Image.fromarray(window).transform(
        (side, side),
        Image.Transform.AFFINE,
        (step.real, -step.imag, origin.real, step.imag, step.real, origin.imag),
        FILTER,
    )
    return np.array(upright.resize((size, size), FILTER))


def fit_similarity(
    source: NDArray[np.floating], target: NDArray[np.floating]
) -> tuple[complex, complex]:
    """Least-squares rotation, scale and shift between points of shape (N, 2).

    With points as complex numbers x + iy this is a linear regression, and equals the similarity
    without reflection of Umeyama (1991).

    Returns:
        Complex a (scale and rotation) and b (shift) with a * source + b close to target.
    """
    x, y = source @ np.array([1, 1j]), target @ np.array([1, 1j])
    deviation = x - x.mean()
    a = np.vdot(deviation, y) / np.vdot(deviation, deviation)
    return complex(a), complex(y.mean() - a * x.mean())


def _outline(face: Detection, background: Background) -> NDArray[np.float64]:
    """Corners of what is kept of a face, in pixels of the source image; none: all is kept.

    A hull is placed by the inverse of the alignment and not by a fit of the template to the
    landmarks, which is smaller on turned faces and would cut their cheeks. So it lies at one
    place in all aligned crops.
    """
    if background is Background.ellipse:
        return ellipse(face.box)
    if background is Background.hull and face.landmarks is not None:
        a, b = fit_similarity(face.landmarks, TEMPLATE)
        return Turned(1 / a, -b / a).moved(FACE_OUTLINE)
    return np.empty((0, 2))


def _window(
    image: NDArray[np.uint8], box: NDArray[np.float64]
) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """Whole pixels that cover the box, edge pixels repeated, and its left and top."""
    left, top = np.floor(box[:2]).astype(int)
    right, bottom = np.ceil(box[2:]).astype(int)
    rows = np.arange(top, bottom).clip(0, image.shape[0] - 1)
    columns = np.arange(left, right).clip(0, image.shape[1] - 1)
    return image[np.ix_(rows, columns)], (int(left), int(top))
