import subprocess
import sys
from pathlib import Path

import cv2
import cv2.data
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from fer_lightning.data.corpora.drawn import Drawn
from fer_lightning.detectors.base import Background, Detection
from fer_lightning.detectors.viola_jones import CASCADE, ViolaJones, ViolaJonesConfig
from fer_lightning.errors import UserError

Pictures = list[NDArray[np.uint8]]
Found = list[list[Detection]]


@pytest.fixture(scope="module")
def detector() -> ViolaJones:
    return ViolaJonesConfig().build()


@pytest.fixture(scope="module")
def drawn() -> Pictures:
    corpus = Drawn(count=14, subjects=2)
    return [corpus.load(row) for row in corpus.rows()]


@pytest.fixture(scope="module")
def found(detector: ViolaJones, drawn: Pictures) -> Found:
    return detector.detect(drawn)


def plain(found: Found) -> list[list[tuple[list[float], float]]]:
    return [[(face.box.tolist(), face.score) for face in faces] for faces in found]


def test_drawn_faces_are_found_where_they_are(found: Found) -> None:
    assert sum(map(bool, found)) >= 12
    for box in (faces[0].box for faces in found if faces):
        centre, sides = (box[:2] + box[2:]) / 2, box[2:] - box[:2]
        assert (np.abs(centre - 80) < 25).all()
        assert (sides > 40).all()


def test_photographs(detector: ViolaJones, muxspace_root: Path) -> None:
    paths = sorted((muxspace_root / "images").glob("*.jpg"))[::50]
    photographs = []
    for path in paths:
        with Image.open(path) as photograph:
            photographs.append(np.asarray(photograph.convert("RGB")))
    found = detector.detect(photographs)
    assert 0.7 < sum(map(bool, found)) / len(found) < 0.95
    for photograph, faces in zip(photographs, found, strict=True):
        height, width = photograph.shape[:2]
        for left, top, right, bottom in (face.box for face in faces):
            assert 0 <= left < right <= width
            assert 0 <= top < bottom <= height


def test_detections_keep_the_contract(detector: ViolaJones, drawn: Pictures) -> None:
    (several,) = detector.detect([np.concatenate(drawn[:6], axis=1)])
    scores = [face.score for face in several]
    assert len(several) >= 4
    assert scores == sorted(scores, reverse=True)
    for face in several:
        assert (face.box.shape, face.box.dtype) == ((4,), np.float32)
        assert face.box[2] - face.box[0] == face.box[3] - face.box[1]
        assert type(face.score) is float
        assert 0 < face.score < 1
        assert face.landmarks is None


def test_the_score_is_a_monotone_map_of_the_level_weight(drawn: Pictures, found: Found) -> None:
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + CASCADE)
    weights, scores = [], []
    for picture, faces in zip(drawn, found, strict=True):
        gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        weight = cascade.detectMultiScale3(gray, 1.1, 3, 0, (24, 24), outputRejectLevels=True)[2]
        weights += sorted(weight, reverse=True)
        scores += [face.score for face in faces]
    assert len(set(scores)) >= 12
    assert np.argsort(weights).tolist() == np.argsort(scores).tolist()


@pytest.mark.parametrize("shape", [(1, 1), (23, 23), (24, 24), (3, 200), (160, 160)])
def test_nothing_is_found_where_nothing_is(detector: ViolaJones, shape: tuple[int, int]) -> None:
    flat = np.full((*shape, 3), 127, np.uint8)
    noise = np.random.default_rng(0).integers(0, 256, flat.shape, dtype=np.uint8)
    assert detector.detect([flat, noise]) == [[], []]
    assert detector.detect([]) == []


def test_gray_images_and_views_are_searched(
    detector: ViolaJones, drawn: Pictures, found: Found
) -> None:
    gray = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in drawn]
    as_rgb = [np.broadcast_to(one[..., None], (*one.shape, 3)) for one in gray]
    assert plain(detector.detect(as_rgb)) == plain(found)


def test_result_depends_neither_on_the_company_nor_on_threads(
    drawn: Pictures, found: Found
) -> None:
    threads = cv2.getNumThreads()
    cv2.setNumThreads(2)
    try:
        other = ViolaJonesConfig().build()
        assert plain(other.detect(drawn[::-1]))[::-1] == plain(found)
        assert plain([other.detect([one])[0] for one in drawn]) == plain(found)
        assert cv2.getNumThreads() == 2
    finally:
        cv2.setNumThreads(threads)


def test_options_reach_opencv(drawn: Pictures, found: Found) -> None:
    (large,) = ViolaJonesConfig(min_face=150).build().detect(drawn[:1])
    assert found[0]
    assert large == []
    strict = ViolaJonesConfig(min_neighbours=60).build().detect(drawn)
    assert sum(map(len, strict)) < sum(map(len, found))
    coarse = ViolaJonesConfig(scale_factor=1.5).build().detect(drawn)
    assert plain(coarse) != plain(found)


def test_an_own_cascade_is_used(tmp_path: Path, drawn: Pictures, found: Found) -> None:
    path = tmp_path / "own.xml"
    path.write_bytes(
        (Path(cv2.data.haarcascades) / "haarcascade_frontalface_alt2.xml").read_bytes()
    )
    config = ViolaJonesConfig(cascade=path)
    assert config.files() == [path]
    assert ViolaJonesConfig().files() == []
    others = config.build().detect(drawn)
    assert any(others)
    assert plain(others) != plain(found)


def test_a_missing_cascade_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"detector\.cascade=.*none\.xml: there is no such file"):
        ViolaJonesConfig(cascade=tmp_path / "none.xml")


@pytest.mark.parametrize(
    "content", ["", "no cascade", "<?xml version='1.0'?><opencv_storage><a>1</a></opencv_storage>"]
)
def test_a_foreign_cascade_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "foreign.xml"
    path.write_text(content)
    with pytest.raises(UserError, match=r"detector\.cascade=.*foreign\.xml: OpenCV does not"):
        ViolaJonesConfig(cascade=path).build()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("scale_factor", 1.0),
        ("scale_factor", 5.0),
        ("min_neighbours", 0),
        ("min_face", 0),
        ("batch_size", 0),
        ("align", True),
        ("background", Background.hull),
    ],
)
def test_impossible_values_are_refused(key: str, value: object) -> None:
    with pytest.raises(UserError, match=rf"^detector\.{key}="):
        ViolaJonesConfig(**{key: value})  # type: ignore[arg-type]


def test_the_configuration_is_light() -> None:
    check = (
        "import sys, fer_lightning.detectors.viola_jones as m; m.ViolaJonesConfig(); "
        "assert not {'torch', 'cv2'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", check], check=True)
