import numpy as np
import pytest

from fer_lightning.detectors.base import Background, NoFace
from fer_lightning.detectors.crop import cut_face
from fer_lightning.detectors.whole_image import WholeImageConfig
from fer_lightning.errors import UserError


def test_every_image_is_one_face_of_its_own_size() -> None:
    images = [np.zeros((4, 6, 3), np.uint8), np.zeros((5, 5, 3), np.uint8)]
    (first,), (second,) = WholeImageConfig().build().detect(images)
    assert first.box.tolist() == [0, 0, 6, 4]
    assert second.box.tolist() == [0, 0, 5, 5]
    assert first.box.dtype == np.float32
    assert first.score == 1.0
    assert first.landmarks is None


def test_a_square_image_of_the_right_size_keeps_its_pixels() -> None:
    config = WholeImageConfig(no_face=NoFace.drop)
    image = np.random.default_rng(0).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    crop = cut_face(image, config.build().detect([image])[0], config, 48)
    assert crop is not None
    np.testing.assert_array_equal(crop.image, image)


def test_alignment_is_refused() -> None:
    with pytest.raises(UserError, match=r"detector\.align=true: .*whole_image"):
        WholeImageConfig(align=True)


def test_a_hull_is_refused() -> None:
    with pytest.raises(UserError, match=r"detector\.background=hull: .*set .*=ellipse"):
        WholeImageConfig(background=Background.hull)


def test_an_ellipse_touches_the_sides_of_the_image() -> None:
    config = WholeImageConfig(background=Background.ellipse)
    image = np.full((40, 40, 3), 200, np.uint8)
    crop = cut_face(image, config.build().detect([image])[0], config, 40)
    assert crop is not None
    assert (crop.image[[0, 0, -1, -1], [0, -1, 0, -1]] == 0).all()
    assert (crop.image[[1, 20, -2, 20], [20, 1, 20, -2]] == 200).all()


def test_shared_keys_are_checked() -> None:
    with pytest.raises(UserError, match=r"detector\.margin=3"):
        WholeImageConfig(margin=3)
