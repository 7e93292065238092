"""What is cut from a picture goes back to where it was, and nothing else changes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from fer_lightning.detectors.base import Background, Detection, DetectorConfig, Edges
from fer_lightning.detectors.crop import TEMPLATE, cut_face
from fer_lightning.detectors.mtcnn import MTCNNConfig
from fer_lightning.detectors.whole_image import WholeImage, WholeImageConfig
from fer_lightning.editing import placement
from fer_lightning.editing.placement import Placed, place, put_back

SIZE = 32
BOX = (60.0, 40.0, 120.0, 115.0)
POLICIES = {
    "box": MTCNNConfig(),
    "not square": MTCNNConfig(square=False, margin=0.0),
    "aligned": MTCNNConfig(align=True),
    "ellipse": MTCNNConfig(background=Background.ellipse),
    "hull": MTCNNConfig(background=Background.hull, align=True),
    "beyond": MTCNNConfig(margin=0.8, edges=Edges.replicate),
    "inside": MTCNNConfig(margin=0.8, edges=Edges.inside),
}


def smooth(height: int = 160, width: int = 200) -> NDArray[np.uint8]:
    """A picture whose values are its coordinates."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x, y, 200 - x // 2], 2).astype(np.uint8)


def turned_face(angle: float = 0.3) -> Detection:
    """A face whose landmarks are the template's, turned."""
    scale, middle = 70.0, np.array([90.0, 78.0])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    landmarks = (TEMPLATE - 0.5) * scale @ turn.T + middle
    return Detection(np.array(BOX, np.float32), 0.99, landmarks.astype(np.float32))


def placed(config: DetectorConfig, size: int = SIZE) -> Placed:
    return place(smooth(), turned_face(), config, size)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_crop_is_the_data_layers_and_its_map_says_where_it_was_cut(policy: str) -> None:
    config, image = POLICIES[policy], smooth()
    found = placed(config)
    cut = cut_face(image, [turned_face()], config, SIZE)
    assert cut is not None
    assert (found.crop == cut.image).all()
    # Red is x and green is y: what the crop shows is where its pixels come from.
    y, x = (np.mgrid[:SIZE, :SIZE] + 0.5) / SIZE
    inverse = np.linalg.inv(np.vstack([found.to_crop, [0, 0, 1]]))
    source = (inverse @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)]))[:2] - 0.5
    inner = np.abs(np.stack([x.ravel(), y.ravel()]) - 0.5).max(0) < 0.4
    kept = inner & (found.mask.ravel() > 0.5) & (source >= 3).all(0)
    kept &= (source[0] < 196) & (source[1] < 156)
    assert kept.sum() > 100
    shown = found.crop[..., :2].reshape(-1, 2)[kept]
    assert np.abs(shown - source[:, kept].T).max() <= 1.5


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("channels", [1, 3])
def test_no_change_gives_the_picture_bit_by_bit(policy: str, channels: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (160, 200, 3), np.uint8)
    found = place(image, turned_face(), POLICIES[policy], SIZE)
    nothing = np.zeros((SIZE, SIZE, channels), np.float32)
    assert (put_back(image, found, nothing) == image).all()


@pytest.mark.parametrize("policy", POLICIES)
def test_outside_of_the_crop_nothing_changes(policy: str) -> None:
    image = np.random.default_rng(0).integers(40, 216, (160, 200, 3), np.uint8)
    found = place(image, turned_face(), POLICIES[policy], SIZE)
    result = put_back(image, found, np.full((SIZE, SIZE, 3), 30, np.float32))
    y, x = np.mgrid[:160, :200] + 0.5
    where = np.tensordot(found.to_crop, np.stack([x, y, np.ones_like(x)]), 1)
    outside = ((where < 0) | (where > 1)).any(0)
    assert (result[outside] == image[outside]).all()
    difference = result.astype(int) - image
    assert difference.max() == 30  # in the middle all of it
    assert difference.min() >= 0
    assert (result[90, 90] == image[90, 90] + 30).all() or policy == "aligned"


@pytest.mark.parametrize("band", [1, 1000])
@pytest.mark.parametrize("policy", POLICIES)
def test_bands_leave_no_trace(policy: str, band: int, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    image = random.integers(0, 256, (160, 200, 3), np.uint8)
    change = random.normal(0, 40, (SIZE, SIZE, 3)).astype(np.float32)
    found = place(image, turned_face(), POLICIES[policy], SIZE)
    whole = put_back(image, found, change)
    monkeypatch.setattr(placement, "BAND", band)
    assert (put_back(image, found, change) == whole).all()
    assert (whole != image).any()


def test_the_seam_is_soft_and_the_detail_stays() -> None:
    image = np.random.default_rng(0).integers(40, 216, (160, 200, 3), np.uint8)
    found = place(image, turned_face(), MTCNNConfig(), SIZE)
    result = put_back(image, found, np.full((SIZE, SIZE, 3), 30, np.float32))
    added = (result.astype(int) - image)[..., 0]
    assert np.abs(np.diff(added, axis=0)).max() <= 5
    assert np.abs(np.diff(added, axis=1)).max() <= 5
    assert set(np.unique(added)) == set(range(31))


def test_a_change_stands_where_it_was_made_at_any_resolution() -> None:
    for scale in (1, 4):
        image = np.full((160 * scale, 200 * scale, 3), 100, np.uint8)
        face = Detection(np.array(BOX, np.float32) * scale, 1.0)
        found = place(image, face, MTCNNConfig(), 64)
        change = np.zeros((64, 64, 3), np.float32)
        change[20:24, 40:44] = 90
        added = put_back(image, found, change).astype(int)[..., 0] - 100
        rows, columns = np.nonzero(added > 45)
        inverse = np.linalg.inv(np.vstack([found.to_crop, [0, 0, 1]]))
        x, y, _ = inverse @ [42 / 64, 22 / 64, 1]
        assert rows.mean() + 0.5 == pytest.approx(y, abs=0.6)
        assert columns.mean() + 0.5 == pytest.approx(x, abs=0.6)


def test_a_gray_change_keeps_the_hue() -> None:
    image = smooth()
    found = place(image, turned_face(), MTCNNConfig(), SIZE)
    result = put_back(image, found, np.full((SIZE, SIZE, 1), 20, np.float32)).astype(int)
    added = result - image
    assert added.max() == 20
    unclipped = (result < 255).all(2)
    assert (np.ptp(added, axis=2)[unclipped] == 0).all()


def test_values_are_clipped() -> None:
    image = np.full((160, 200, 3), 250, np.uint8)
    found = place(image, turned_face(), MTCNNConfig(), SIZE)
    assert put_back(image, found, np.full((SIZE, SIZE, 3), 30, np.float32)).max() == 255
    assert put_back(image, found, np.full((SIZE, SIZE, 3), -300, np.float32)).min() == 0


@pytest.mark.parametrize("shape", [(48, 48), (40, 60)])
def test_a_whole_image_has_no_seam(shape: tuple[int, int]) -> None:
    image = np.full((*shape, 3), 100, np.uint8)
    config = WholeImageConfig()
    ((face,),) = WholeImage().detect([image])
    found = place(image, face, config, SIZE)
    assert (put_back(image, found, np.full((SIZE, SIZE, 3), 30, np.float32)) == 130).all()


def test_where_crop_and_picture_end_together_nothing_fades() -> None:
    image = np.full((100, 100, 3), 100, np.uint8)
    face = Detection(np.array([20, 50, 70, 100], np.float32), 0.9)
    found = place(image, face, MTCNNConfig(margin=0.0), SIZE)
    added = (
        put_back(image, found, np.full((SIZE, SIZE, 3), 30, np.float32))[..., 0].astype(int) - 100
    )
    assert (added[85:, 40:50] == 30).all()
    assert added[50, 40:50].max() < 7
    assert added[50:, 20].max() < 7
    assert not added[:50].any()


def test_a_face_beside_the_picture_changes_nothing() -> None:
    image = smooth()
    face = Detection(np.array([-90, -90, -40, -40], np.float32), 0.9)
    found = place(image, face, MTCNNConfig(edges=Edges.replicate), SIZE)
    assert (put_back(image, found, np.full((SIZE, SIZE, 3), 30, np.float32)) == image).all()
