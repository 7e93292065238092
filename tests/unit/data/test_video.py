"""Frames of a video by number, whatever the container says of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fer_lightning.data import video
from fer_lightning.data.images import UnusableImage
from fer_lightning.data.video import VideoConfig, VideoReader, is_video, read_frame, video_facts
from fer_lightning.errors import UserError
from tests.helpers.films import film, number_of

CONTAINERS = [
    ("a.mp4", "libx264"),
    ("a.avi", "mpeg4"),
    ("b.avi", "libx264"),  # its packets do not say when their frames are shown
    ("a.mkv", "libx264"),
    ("a.mpg", "mpeg2video"),
    ("a.MOV", "mpeg4"),
]


@pytest.mark.parametrize(("name", "codec"), CONTAINERS)
def test_frames_come_by_number_in_any_order(tmp_path: Path, name: str, codec: str) -> None:
    path = film(tmp_path / name, codec=codec)
    assert is_video(path)
    assert video_facts(path).frames == 60
    assert video_facts(path).rate == pytest.approx(25)
    random = np.random.default_rng(0).permutation(60).tolist()
    for number in [*range(60), *random, 0, 59]:
        image = read_frame(path, number)
        assert image.shape == (48, 64, 3)
        assert number_of(image) == number
    for number in (60, -1):
        with pytest.raises(UnusableImage, match="missing"):
            read_frame(path, number)


def test_a_reader_begins_at_the_key_frame_before(tmp_path: Path) -> None:
    reader = VideoReader(film(tmp_path / "a.mp4", frames=60, distance=10))
    decoded = 0
    restart = reader._restart

    def counted() -> None:
        restart()
        frames = reader._frames

        def each() -> Iterator[object]:
            nonlocal decoded
            for frame in frames:
                decoded += 1
                yield frame

        reader._frames = each()

    reader._restart = counted  # type: ignore[method-assign]
    assert number_of(reader.read(57)) == 57
    assert reader.keys.tolist() == sorted(reader.keys)
    assert len(reader.keys) >= 6
    assert decoded <= 10
    # Forward within the same group of pictures, the same container goes on.
    container = reader._container
    reader.read(58)
    assert reader._container is container
    reader.read(3)
    assert reader._container is not container


def test_a_file_that_changed_is_read_anew(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", frames=10)
    assert number_of(read_frame(path, 9)) == 9
    film(path, frames=20)
    assert number_of(read_frame(path, 19)) == 19


def test_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video at all")
    for read in (video_facts, lambda path: read_frame(path, 0)):
        with pytest.raises(UnusableImage, match="unreadable"):
            read(broken)
        with pytest.raises(UnusableImage, match="missing"):
            read(tmp_path / "none.mp4")


def test_a_truncated_video_gives_what_is_there(tmp_path: Path) -> None:
    data = film(tmp_path / "a.mkv", distance=5).read_bytes()
    path = tmp_path / "cut.mkv"
    path.write_bytes(data[: len(data) // 2])
    frames = video_facts(path).frames
    assert 0 < frames < 60
    assert number_of(read_frame(path, frames // 2)) == frames // 2


def test_chosen_frames() -> None:
    assert VideoConfig().chosen(4, 25) == [0, 1, 2, 3]
    assert VideoConfig(every=10).chosen(35, 25) == [0, 10, 20, 30]
    assert VideoConfig(rate=5).chosen(16, 25) == [0, 5, 10, 15]
    assert VideoConfig(rate=60).chosen(3, 25) == [0, 1, 2]
    third = VideoConfig(rate=10).chosen(30, 29.97)
    assert third[:4] == [0, 2, 5, 8]
    assert len(third) == 11


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"every": 0}, r"data\.video\.every=0: give at least 1"),
        ({"rate": 0.0}, r"data\.video\.rate=0\.0: give frames a second"),
        ({"rate": 2.0, "every": 3}, "give one of them"),
    ],
)
def test_wrong_choices_are_refused(keys: dict[str, float], message: str) -> None:
    with pytest.raises(UserError, match=message):
        VideoConfig(**keys)  # type: ignore[arg-type]


def test_turned_frames_are_upright() -> None:
    class Turned:
        rotation = 90

        def to_ndarray(self, **_: str) -> np.ndarray:
            return np.arange(18, dtype=np.uint8).reshape(2, 3, 3)

    upright = video._pixels(Turned())
    assert upright.shape == (3, 2, 3)
    assert (upright == np.rot90(Turned().to_ndarray())).all()


def test_a_damaged_spot_costs_no_more_than_its_group_of_pictures(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", frames=120, distance=10)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 60] = bytes(60)
    path.write_bytes(data)
    lost, lost_as = [], set()
    for number in range(120):
        try:
            right = number_of(read_frame(path, number)) == number
        except UnusableImage as error:
            right = False
            lost_as.add(error.reason)
        if not right:  # or decoded of damaged bytes
            lost.append(number)
    assert lost_as <= {"unreadable"}
    assert lost
    assert max(lost) - min(lost) < 20
