"""The canvas that drawn faces are painted on, and its coordinates on the head."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fer_lightning.data.drawn.parameters import Colour, FaceParameters

# All arrays are float32; the stubs of numpy take a product with a Python float for float64.
Array: TypeAlias = NDArray[np.floating[Any]]
Window: TypeAlias = tuple[slice, slice]

_DEPTH = 0.85  # of the front of the head, in head units; decides how far features shift in a turn


def smoothstep(start: float, end: float, value: Array) -> Array:
    """0 before ``start``, 1 past ``end``, smooth between; ``start`` may be above ``end``."""
    t = np.clip((value - start) * (1 / (end - start)), 0, 1)
    smooth: Array = t * t * (3 - 2 * t)
    return smooth


def planes(colour: Colour) -> Array:
    """The colour as an array of shape (3, 1, 1)."""
    return np.asarray(colour, np.float32)[:, None, None]


class Canvas:
    """A picture with the coordinates of every pixel, on the picture and on the head.

    Attributes:
        side: Pixels along each side.
        pixel: Size of a pixel in head units.
        rgb: The picture, (3, side, side) in [0, 1].
        dx: Pixel centres from the head's centre in head units, along the picture's axes.
        dy: Likewise, down.
        u: The same turned by the roll: along the eyes.
        v: Likewise: from crown to chin.
        radius: 0 in the middle of the head, 1 at its outline.
        depth: Height of the head's smooth base surface towards the camera, in head units.
        x: Head coordinate that shows at each pixel, after yaw and roll.
        y: Likewise, after pitch and roll.
        height: What features add to ``depth``; shading follows from both.
        occlusion: Light that reaches creases and hollows, in [0, 1].
    """

    def __init__(self, parameters: FaceParameters, side: int) -> None:
        view, identity = parameters.view, parameters.identity
        self.side = side
        self.pixel = 2 / (side * view.scale)
        self.rgb: Array = np.zeros((3, side, side), np.float32)
        self.height: Array = np.zeros((side, side), np.float32)
        self.occlusion: Array = np.ones((side, side), np.float32)

        ticks = (np.arange(side, dtype=np.float32) + 0.5) * self.pixel
        self.dx, self.dy = np.meshgrid(
            ticks - view.x * side * self.pixel,
            ticks - view.y * side * self.pixel,
        )
        roll = math.radians(view.roll)
        self._cos, self._sin = math.cos(roll), math.sin(roll)
        self.u: Array = self.dx * self._cos + self.dy * self._sin
        self.v: Array = self.dy * self._cos - self.dx * self._sin

        self.yaw, self.pitch = math.radians(view.yaw), math.radians(view.pitch)
        self.chin = 1 + 0.14 * parameters.action_units.get(27, 0.0)
        below = np.clip(self.v, 0, None) / self.chin
        low = below * below
        # The chin stands out, so that it turns with the face rather than with the skull.
        across = self.u - 0.3 * math.sin(self.yaw) * low
        # Far below the chin the cubic would cross zero.
        taper = np.maximum(1 - (0.42 - 0.2 * identity.jaw) * low * below, 0.05)
        tall = np.where(self.v > 0, below, self.v)
        half = 0.73 * identity.width * taper
        self.half_width = 0.73 * identity.width
        square = (across / half) ** 2 + tall * tall
        self.radius: Array = np.sqrt(square)
        self.depth: Array = _DEPTH * np.sqrt(np.clip(1 - square, 0.002, 1))
        self.x: Array = self.u * math.cos(self.yaw) - self.depth * math.sin(self.yaw)
        self.y: Array = self.v * math.cos(self.pitch) + self.depth * math.sin(self.pitch)

    def window(self, x: float, y: float, reach_x: float, reach_y: float) -> Window:
        """The pixels that can show head coordinates within ``reach`` of (x, y)."""
        inside = max(0.05, 1 - (x / self.half_width) ** 2 - min(y, 1.0) ** 2)
        depth = _DEPTH * math.sqrt(inside)
        u = (x + depth * math.sin(self.yaw)) / math.cos(self.yaw)
        v = (y - depth * math.sin(self.pitch)) / math.cos(self.pitch)
        slack = 1.15 + 0.6 * (abs(math.sin(self.yaw)) + abs(math.sin(self.pitch)))
        return self.area(u, v, slack * reach_x, slack * reach_y)

    def area(self, u: float, v: float, reach_u: float, reach_v: float) -> Window:
        """The pixels within ``reach`` of (u, v)."""
        column = (u * self._cos - v * self._sin - float(self.dx[0, 0])) / self.pixel
        row = (v * self._cos + u * self._sin - float(self.dy[0, 0])) / self.pixel
        wide = (reach_u * self._cos + reach_v * abs(self._sin)) / self.pixel + 2
        high = (reach_v * self._cos + reach_u * abs(self._sin)) / self.pixel + 2
        return (
            slice(max(0, int(row - high)), max(0, int(row + high) + 1)),
            slice(max(0, int(column - wide)), max(0, int(column + wide) + 1)),
        )

    def cover(self, distance: Array, soft: float = 0.0) -> Array:
        """Share of each pixel that is inside, from the distance to the edge in head units."""
        covered: Array = np.clip(distance * (1 / (self.pixel + soft)) + 0.5, 0, 1)
        return covered

    def paint(self, window: Window, coverage: Array, colour: Array) -> None:
        """Lay ``colour``, of shape (3, 1, 1) or (3, h, w), over a window by ``coverage`` (h, w)."""
        area = self.rgb[:, window[0], window[1]]
        area += coverage * (colour - area)

    def bump(self, x: float, y: float, wide: float, high: float, height: float) -> None:
        """Raise (or sink) the surface by a Gaussian of the given deviations, in head units."""
        at = self.window(x, y, 2.6 * wide, 2.6 * high)
        self.height[at] += height * self.hill(at, x, y, wide, high)

    def shade(self, x: float, y: float, wide: float, high: float, darkness: float) -> None:
        """Darken the surface by a Gaussian of the given deviations, in head units."""
        at = self.window(x, y, 2.6 * wide, 2.6 * high)
        self.occlusion[at] *= 1 - darkness * self.hill(at, x, y, wide, high)

    def hill(self, at: Window, x: float, y: float, wide: float, high: float) -> Array:
        """Close to a Gaussian, but exactly 0 beyond 2.6 deviations: a step would show as a line."""
        across, along = (self.x[at] - x) * (1 / wide), (self.y[at] - y) * (1 / high)
        inside: Array = np.clip(1 - (across * across + along * along) * (1 / 6.76), 0, 1)
        return inside * inside * inside

    def stroke(
        self,
        start: tuple[float, float],
        end: tuple[float, float],
        sag: float,
        width: float,
    ) -> tuple[Window, Array]:
        """A curved line with tapered ends.

        Args:
            start: Where it begins on the head.
            end: Where it ends.
            sag: How far its middle bends to the right of the way from start to end.
            width: Half its thickness.

        Returns:
            Its window and its strength there, in [0, 1].
        """
        (x0, y0), (x1, y1) = start, end
        half = max(math.hypot(x1 - x0, y1 - y0) / 2, 1e-3)
        ex, ey = (x1 - x0) / (2 * half), (y1 - y0) / (2 * half)
        width = max(width, 0.6 * self.pixel)
        reach = abs(sag) + 2 * width
        at = self.window(
            (x0 + x1) / 2, (y0 + y1) / 2, half * abs(ex) + reach, half * abs(ey) + reach
        )
        px = self.x[at] - (x0 + x1) / 2
        py = self.y[at] - (y0 + y1) / 2
        along = (px * ex + py * ey) * (1 / half)
        inside = np.clip(1 - along * along, 0, 1)
        across = (py * ex - px * ey - sag * inside) * (1 / width)
        return at, np.exp(-across * across) * np.minimum(1, 2 * inside)

    def crease(
        self,
        start: tuple[float, float],
        end: tuple[float, float],
        sag: float,
        depth: float,
        width: float = 0.016,
    ) -> None:
        """A wrinkle or fold along :meth:`stroke`, as deep as ``depth`` in [0, 1]."""
        if depth > 0.01:
            at, line = self.stroke(start, end, sag, width)
            self.height[at] -= (1.1 * depth * width) * line
            self.occlusion[at] *= 1 - min(0.42 * depth, 0.7) * line
