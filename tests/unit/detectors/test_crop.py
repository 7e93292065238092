from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fer_lightning.detectors.background import FACE_OUTLINE
from fer_lightning.detectors.base import (
    Background,
    Detection,
    DetectorConfig,
    Edges,
    FaceChoice,
    FaceDetector,
    NoFace,
)
from fer_lightning.detectors.crop import (
    TEMPLATE,
    FaceCrop,
    Upright,
    choose_face,
    crop_map,
    cut_box,
    cut_face,
    cut_turned,
    fit_similarity,
    frame,
    keep_inside,
)
from fer_lightning.errors import UserError


class Policy(DetectorConfig):
    def build(self) -> FaceDetector:
        raise NotImplementedError


def face(
    *box: float, score: float = 1.0, landmarks: NDArray[np.float32] | None = None
) -> Detection:
    return Detection(np.array(box, np.float32), score, landmarks)


def ramp(height: int, width: int) -> NDArray[np.uint8]:
    """Red grows by one a column, green by one a row."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x, y, np.zeros_like(x)], axis=2).astype(np.uint8)


def cut(image: NDArray[np.uint8], *faces: Detection, size: int, **policy: Any) -> FaceCrop:
    crop = cut_face(image, faces, Policy(name="any", **policy), size)
    assert crop is not None
    assert crop.image.shape == (size, size, 3)
    assert crop.image.dtype == np.uint8
    return crop


def test_choice_among_several_faces() -> None:
    large = face(0, 0, 50, 50, score=0.8)
    central = face(45, 40, 65, 60, score=0.9)
    sure = face(80, 80, 90, 90, score=0.99)
    faces = [sure, central, large]
    assert choose_face(faces, FaceChoice.largest, (100, 110)) is large
    assert choose_face(faces, FaceChoice.central, (100, 110)) is central
    assert choose_face(faces[::-1], FaceChoice.score, (100, 110)) is sure
    assert cut(ramp(100, 110), *faces, size=8, face=FaceChoice.central).detection is central


def test_the_box_is_cut_pixel_for_pixel() -> None:
    image = ramp(40, 60)
    crop = cut(image, face(10, 5, 26, 21), size=16, margin=0.0)
    np.testing.assert_array_equal(crop.image, image[5:21, 10:26])


@pytest.mark.parametrize(
    ("margin", "square", "expected"),
    [
        (0.0, False, [10, 20, 20, 40]),
        (0.0, True, [5, 20, 25, 40]),
        (0.1, False, [8, 18, 22, 42]),
        (0.1, True, [3, 18, 27, 42]),
        (-0.25, True, [10, 25, 20, 35]),
        (-0.35, False, [14.5, 27, 15.5, 33]),
    ],
)
def test_margin_is_a_fraction_of_the_longer_side(
    margin: float, square: bool, expected: list[float]
) -> None:
    box = np.array([10, 20, 20, 40], np.float32)
    assert frame(box, margin, square).tolist() == pytest.approx(expected)


def test_a_box_beyond_the_image_repeats_the_edge() -> None:
    image = ramp(20, 20)
    crop = cut(image, face(-4, 8, 12, 24), size=16, margin=0.0, edges=Edges.replicate).image
    assert (crop[:, :4, 0] == 0).all()
    assert crop[0, 4:, 0].tolist() == list(range(12))
    assert crop[:, 0, 1].tolist() == [*range(8, 20), 19, 19, 19, 19]


def test_a_box_wholly_outside_is_the_nearest_edge() -> None:
    box = face(40, 40, 50, 50)
    crop = cut(ramp(20, 20), box, size=4, margin=0.0, edges=Edges.replicate).image
    assert (crop[..., :2] == 19).all()


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ([-4, 8, 12, 24], [0, 4, 16, 20]),  # moved right and up
        ([5, 5, 15, 15], [5, 5, 15, 15]),
        ([40, 40, 50, 50], [20, 10, 30, 20]),
        ([-5, -5, 35, 35], [5, 0, 25, 20]),  # shrunk to the image's height, still square
        ([-10, 0, 50, 10], [0, 2.5, 30, 7.5]),  # a third as wide again: both sides shrink
    ],
)
def test_a_box_is_kept_inside(box: list[float], expected: list[float]) -> None:
    assert keep_inside(np.array(box, float), (20, 30)).tolist() == pytest.approx(expected)


def test_inside_repeats_no_pixel() -> None:
    crop = cut(ramp(20, 20), face(-4, 8, 12, 24), size=16, margin=0.0).image
    np.testing.assert_array_equal(crop, ramp(20, 20)[4:20, 0:16])


def test_a_wide_image_is_squeezed_only_where_asked() -> None:
    image = np.zeros((20, 40, 3), np.uint8)
    image[:, 10:30] = 255
    whole = face(0, 0, 40, 20)
    padded = cut(image, whole, size=40, margin=0.0, edges=Edges.replicate).image
    assert (padded[:, 10:30] == 255).all()
    squeezed = cut(image, whole, size=20, margin=0.0, square=False).image
    assert (squeezed[:, 6:14] == 255).all()
    assert (squeezed[:, :4] == 0).all()


def checkerboard(side: int) -> NDArray[np.uint8]:
    board = (np.indices((side, side)).sum(0) % 2 * 255).astype(np.uint8)
    return np.repeat(board[..., None], 3, axis=2)


def test_shrinking_a_box_is_antialiased() -> None:
    crop = cut_box(checkerboard(256), np.array([0.0, 0, 256, 256]), 32)
    assert np.abs(crop.astype(int) - 127).max() <= 3


def test_shrinking_an_aligned_face_is_antialiased() -> None:
    angle = 0.3
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    landmarks = ((TEMPLATE - 0.5) * 256 @ turn + 256).astype(np.float32)
    crop = cut_turned(checkerboard(512), *fit_similarity(landmarks, TEMPLATE), 32)
    assert np.abs(crop.astype(int) - 127).max() <= 6


def test_enlarging_is_bilinear() -> None:
    image = np.zeros((2, 2, 3), np.uint8)
    image[:, 1] = 200
    crop = cut_box(image, np.array([0.0, 0, 2, 2]), 4)
    assert crop[0, :, 0].tolist() == [0, 50, 150, 200]


@pytest.mark.parametrize("angle", [0.0, 0.4, -1.2])
def test_similarity_is_recovered(angle: float) -> None:
    a, b = 3 * np.exp(1j * angle), 5 - 7j
    moved = a * (TEMPLATE @ [1, 1j]) + b
    found_a, found_b = fit_similarity(TEMPLATE, np.stack([moved.real, moved.imag], axis=1))
    assert found_a == pytest.approx(a)
    assert found_b == pytest.approx(b)


def test_similarity_is_the_least_squares_one() -> None:
    generator = np.random.default_rng(0)
    source, target = generator.normal(size=(2, 5, 2))
    x, y = source[:, 0], source[:, 1]
    one, zero = np.ones(5), np.zeros(5)
    rows = np.concatenate([np.stack([x, -y, one, zero], 1), np.stack([y, x, zero, one], 1)])
    expected, *_ = np.linalg.lstsq(rows, target.T.ravel())
    a, b = fit_similarity(source, target)
    assert [a.real, a.imag, b.real, b.imag] == pytest.approx(expected.tolist())


@pytest.mark.parametrize("margin", [0.0, 0.25])
@pytest.mark.parametrize(("scale", "angle"), [(100, 0.0), (300, 0.5), (40, -0.7)])
def test_landmarks_land_on_the_template(scale: float, angle: float, margin: float) -> None:
    size = 96
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    landmarks = ((TEMPLATE - 0.5) * scale @ turn + 300).astype(np.float32)
    expected = (TEMPLATE + margin) / (1 + 2 * margin) * size
    y, x = np.mgrid[:600, :600] + 0.5
    for (lx, ly), target in zip(landmarks, expected, strict=True):
        blob = 255 * np.exp(-((x - lx) ** 2 + (y - ly) ** 2) / (2 * (scale / 40) ** 2))
        image = np.repeat(blob.astype(np.uint8)[..., None], 3, axis=2)
        found = face(0, 0, 600, 600, landmarks=landmarks)
        crop = cut(image, found, size=size, margin=margin, align=True).image[..., 0].astype(float)
        rows, columns = np.mgrid[:size, :size] + 0.5
        centre = np.array([(crop * columns).sum(), (crop * rows).sum()]) / crop.sum()
        np.testing.assert_allclose(centre, target, atol=0.2)


def test_an_aligned_face_beyond_the_image_repeats_the_edge() -> None:
    image = np.full((64, 64, 3), 90, np.uint8)
    crop = cut_turned(image, *fit_similarity(TEMPLATE * 60 + 30, (TEMPLATE + 0.1) / 1.2), 32)
    assert (crop == 90).all()


def test_alignment_without_landmarks_is_a_mistake() -> None:
    with pytest.raises(UserError, match=r"detector\.align=true: detector=any"):
        cut(ramp(20, 20), face(0, 0, 10, 10), size=8, align=True)


@pytest.mark.parametrize("align", [False, True])
@pytest.mark.parametrize("edges", Edges)
def test_the_map_is_the_same_for_points_and_as_a_matrix(align: bool, edges: Edges) -> None:
    landmarks = (TEMPLATE * 60 + [50, 30]).astype(np.float32)
    found = face(-10, 20, 70, 110, landmarks=landmarks)
    config = Policy(name="any", align=align, margin=0.1, edges=edges)
    where = crop_map(found, config, (120, 160))
    points = np.array([[0.0, 0.0], [31.0, 57.0], [160.0, 120.0]])
    by_matrix = np.column_stack([points, np.ones(3)]) @ where.affine().T
    np.testing.assert_allclose(where.moved(points), by_matrix, atol=1e-12)
    assert isinstance(where, Upright) is not align
    if isinstance(where, Upright):
        left = 0 if edges is Edges.inside else -24
        assert where.box.tolist() == pytest.approx([left, 11, left + 108, 119])
    else:
        target = (TEMPLATE + 0.1) / 1.2
        np.testing.assert_allclose(where.moved(landmarks.astype(np.float64)), target, atol=1e-6)


def test_an_image_without_a_face_is_dropped() -> None:
    assert cut_face(ramp(20, 30), [], Policy(no_face=NoFace.drop), 8) is None


@pytest.mark.parametrize("align", [False, True])
def test_stand_ins_take_no_margin(align: bool) -> None:
    image = ramp(20, 30)
    centre = cut(image, size=20, margin=0.5, align=align, no_face=NoFace.centre_crop)
    np.testing.assert_array_equal(centre.image, image[:, 5:25])
    whole = cut(image, size=30, margin=0.5, align=align, no_face=NoFace.whole_image)
    np.testing.assert_array_equal(whole.image[5:25], image)
    assert centre.detection.score == whole.detection.score == 0
    assert whole.detection.box.tolist() == [0, 0, 30, 20]


WHITE = np.full((120, 160, 3), 255, np.uint8)


def area(crop: FaceCrop) -> float:
    """Fraction of a white image's crop that was kept."""
    return float(crop.image.mean() / 255)


def polygon_area(corners: NDArray[np.float64]) -> float:
    x, y = corners.T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


@pytest.mark.parametrize("margin", [0.0, 0.25])
def test_the_ellipse_is_inscribed_in_the_box_before_the_margin(margin: float) -> None:
    found = face(50, 30, 90, 90)
    crop = cut(WHITE, found, size=96, margin=margin, background=Background.ellipse)
    side = 60 * (1 + 2 * margin)
    assert area(crop) == pytest.approx(np.pi / 4 * 40 * 60 / side**2, rel=0.01)
    rows, columns = np.nonzero(crop.image[..., 0] > 127)
    assert np.ptp(rows) + 1 == pytest.approx(96 * 60 / side, abs=1)
    assert np.ptp(columns) + 1 == pytest.approx(96 * 40 / side, abs=1)
    assert rows.mean() == pytest.approx(47.5)
    assert columns.mean() == pytest.approx(47.5)


def test_the_ellipse_moves_with_the_face_in_a_crop_that_is_kept_inside() -> None:
    found = face(-30, 30, 30, 90)
    crop = cut(WHITE, found, size=60, margin=0.0, background=Background.ellipse).image
    assert (crop[30, 27:32, 0] > 127).tolist() == [True, True, True, False, False]
    assert crop[30, 0, 0] == 255


def test_inside_the_outline_nothing_changes() -> None:
    image = ramp(120, 160)
    found = face(40, 20, 120, 100, landmarks=(TEMPLATE * 60 + [50, 30]).astype(np.float32))
    for align in (False, True):
        kept = cut(image, found, size=64, align=align).image
        for background in (Background.ellipse, Background.hull):
            masked = cut(image, found, size=64, align=align, background=background).image
            mask = cut(WHITE, found, size=64, align=align, background=background).image
            np.testing.assert_array_equal(masked[mask == 255], kept[mask == 255])
            assert (masked[mask == 0] == 0).all()
            assert 0.05 < (mask == 0).mean() < 0.9
            assert 0 < ((mask > 0) & (mask < 255)).mean() < 0.1


@pytest.mark.parametrize("angle", [0.0, 0.5])
def test_the_hull_is_the_outline_placed_by_the_landmarks(angle: float) -> None:
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    landmarks = ((TEMPLATE - 0.5) * 60 @ turn + [80, 60]).astype(np.float32)
    found = face(30, 10, 130, 110, landmarks=landmarks)
    crop = cut(WHITE, found, size=100, margin=0.0, background=Background.hull)
    assert area(crop) == pytest.approx(polygon_area(FACE_OUTLINE) * 60**2 / 100**2, rel=0.01)
    corners = (FACE_OUTLINE - 0.5) * 60 @ turn + [50, 50]
    rows, columns = np.nonzero(crop.image[..., 0] > 127)
    for found_at, wanted in ((columns, corners[:, 0]), (rows, corners[:, 1])):
        assert found_at.min() == pytest.approx(wanted.min(), abs=1.5)
        assert found_at.max() + 1 == pytest.approx(wanted.max(), abs=1.5)


def test_in_aligned_crops_the_hull_lies_where_the_template_says() -> None:
    generator = np.random.default_rng(0)
    policy: dict[str, Any] = {"size": 96, "align": True, "margin": 0.2}
    masks = []
    for _ in range(3):  # landmarks that no similarity takes onto the template
        landmarks = TEMPLATE * 70 + 30 + generator.normal(0, 4, (5, 2))
        found = face(0, 0, 9, 9, landmarks=landmarks.astype(np.float32))
        masks.append(cut(WHITE, found, background=Background.hull, **policy).image)
    np.testing.assert_allclose(masks[1], masks[0], atol=1)
    np.testing.assert_allclose(masks[2], masks[0], atol=1)
    assert masks[0].mean() / 255 == pytest.approx(polygon_area(FACE_OUTLINE) / 1.4**2, rel=0.01)


def test_a_hull_without_landmarks_is_a_mistake() -> None:
    with pytest.raises(UserError, match=r"detector\.background=hull: detector=any .*=ellipse"):
        cut(ramp(20, 20), face(0, 0, 10, 10), size=8, background=Background.hull)


@pytest.mark.parametrize("background", Background)
def test_stand_ins_keep_their_background(background: Background) -> None:
    crop = cut(WHITE, size=16, no_face=NoFace.centre_crop, background=background)
    assert (crop.image == 255).all()
