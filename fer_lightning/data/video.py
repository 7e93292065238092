"""Frames of video files, decoded one after another and never written to disk."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_lightning.data.images import UnusableImage
from fer_lightning.errors import UserError

SUFFIXES = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv")


@dataclass(kw_only=True)
class VideoConfig:
    """Which frames of a video are taken.

    Attributes:
        every: Each n-th frame, beginning with the first.
        rate: So many frames a second instead; None goes by ``every``.
    """

    every: int = 1
    rate: float | None = None

    def __post_init__(self) -> None:
        if self.every < 1:
            raise UserError(f"data.video.every={self.every}: give at least 1")
        if self.rate is not None and not 0 < self.rate < math.inf:
            raise UserError(f"data.video.rate={self.rate}: give frames a second, over 0, or null")
        if self.rate is not None and self.every != 1:
            raise UserError(
                f"data.video.rate={self.rate} and data.video.every={self.every}: give one of them"
            )

    def chosen(self, count: int, frames_a_second: float) -> list[int]:
        """Numbers of the frames taken out of ``count``, counted from 0."""
        step = self.every if self.rate is None else max(1.0, frames_a_second / self.rate)
        numbers = np.floor(np.arange(0, count, step) + 1e-9).astype(int)
        return [int(number) for number in numbers if number < count]


def is_video(path: Path) -> bool:
    """Whether a file's name is that of a video."""
    return path.suffix.lower() in SUFFIXES


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """What a video's header says.

    Attributes:
        frames: How many there are.
        rate: Frames a second, on average.
    """

    frames: int
    rate: float


def video_facts(path: Path) -> VideoFacts:
    """Read a video's header; a file whose header does not count frames is read through once.

    Raises:
        UnusableImage: With reason ``missing`` or ``unreadable``.
    """
    with _mended(), _opened(path) as container:
        stream = _stream(container)
        rate = float(stream.average_rate or stream.guessed_rate or 0)
        frames = stream.frames or sum(1 for packet in container.demux(stream) if _shown(packet))
        if not frames or not rate:
            raise UnusableImage("unreadable")
        return VideoFacts(frames, rate)


def read_frame(path: Path, number: int) -> NDArray[np.uint8]:
    """Decode one frame; quick where frames of one video are asked for in order.

    Args:
        path: A video.
        number: Which frame, from 0, in the order of display.

    Returns:
        Upright RGB of shape (H, W, 3).

    Raises:
        UnusableImage: With reason ``missing`` (no such file or frame) or ``unreadable``.
    """
    with _mended():
        stat = path.stat()
        return _reader(path, stat.st_size, stat.st_mtime_ns).read(number)


@lru_cache(maxsize=2)
def _reader(path: Path, size: int, changed: int) -> VideoReader:
    """An open video; size and time of change only tell a new file from an old one."""
    return VideoReader(path)


class VideoReader:
    """Random access to the frames of a video, by decoding from the key frame before.

    Args:
        path: A video; it stays open as long as this object lives.
    """

    _last: int | None
    """When the frame that was decoded last is shown; None to seek the next one."""
    _frames: Iterator[Any]

    def __init__(self, path: Path) -> None:
        self.path = path
        with _opened(path) as container:
            packets = [p for p in container.demux(_stream(container)) if _shown(p)]
            # AVI does not say when a frame is shown, only when it is decoded, which is another
            # order where frames lean on later ones. There, frames can only be counted.
            reordered = "avi" in container.format.name and _stream(container).has_b_frames
        told = all(packet.pts is not None for packet in packets) and not reordered
        shown = np.array([packet.pts if told else 0 for packet in packets], np.int64)
        key = np.array([packet.is_keyframe for packet in packets], np.bool_)
        self.times = np.sort(shown) if told and key.any() else None
        self.keys = np.sort(shown[key])
        self._restart()

    def read(self, number: int) -> NDArray[np.uint8]:
        """RGB of frame ``number``, counted from 0."""
        if number < 0:
            raise UnusableImage("missing")
        if self.times is not None:
            if number >= len(self.times):
                raise UnusableImage("missing")
            frame = self._shown_at(int(self.times[number]), self.times)
            if frame is not None:
                return _pixels(frame)
            self.times = None  # the container is wrong about when its frames are shown: count
            self._restart()
        if number < self._next:
            self._restart()
        for frame in self._frames:
            self._next += 1
            if self._next > number:
                return _pixels(frame)
        raise UnusableImage("missing")

    def _shown_at(self, time: int, times: NDArray[np.int64]) -> Any:
        """The frame that is shown at ``time``, one of the container's ``times``.

        Returns:
            None if frames are not shown when the container says.

        Raises:
            UnusableImage: If the frame is damaged; those after the next key frame may not be.
        """
        place = int(np.searchsorted(self.keys, time, side="right")) - 1
        key = int(self.keys[max(place, 0)])
        if self._last is None or not key <= self._last < time:
            self._restart()
            self._container.seek(key, stream=self._stream)
            first = next(self._frames, None)
            if (
                first is None or first.pts is None or first.pts > time
            ):  # not where the container says
                self._restart()
            else:
                self._frames = chain([first], self._frames)
        self._last = None  # whatever goes wrong below, the next frame is sought anew
        for frame in self._frames:
            if frame.pts is not None and frame.pts >= time:
                if frame.pts not in times:
                    return None
                self._last = frame.pts
                if frame.pts == time:
                    return frame
                break
        raise UnusableImage("unreadable")

    def _restart(self) -> None:
        self._container: Any = _opened(self.path)
        self._stream = _stream(self._container)
        self._frames = self._container.decode(self._stream)
        self._next = 0
        self._last = None


def _opened(path: Path) -> Any:
    import av

    return av.open(str(path))


def _stream(container: Any) -> Any:
    if not container.streams.video:
        raise UnusableImage("unreadable")
    return container.streams.video[0]


def _shown(packet: Any) -> bool:
    """Whether a packet holds a frame that is shown; the last one of a stream is empty."""
    return bool(packet.size) and not packet.is_discard


def _pixels(frame: Any) -> NDArray[np.uint8]:
    pixels: NDArray[np.uint8] = frame.to_ndarray(format="rgb24")
    turned = getattr(frame, "rotation", 0)  # as phones write it; degrees counterclockwise
    return np.ascontiguousarray(np.rot90(pixels, round(turned / 90)))


@contextmanager
def _mended() -> Iterator[None]:
    """Say what goes wrong in a decoder as :class:`UnusableImage`."""
    from av.error import FFmpegError

    try:
        yield
    except FileNotFoundError:
        raise UnusableImage("missing") from None
    except (FFmpegError, OSError, ValueError):
        raise UnusableImage("unreadable") from None
