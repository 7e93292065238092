import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import facenet_pytorch
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from fer_lightning.detectors import mtcnn
from fer_lightning.detectors.base import Detection
from fer_lightning.detectors.mtcnn import MTCNN, WEIGHTS, MTCNNConfig
from fer_lightning.detectors.mtcnn_cascade import SummedAreas, covering
from fer_lightning.errors import UserError

Picture: TypeAlias = NDArray[np.uint8]
Pictures: TypeAlias = list[Picture]
Found: TypeAlias = list[list[Detection]]
WHEEL = Path(facenet_pytorch.__file__).parent / "data"


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Where other programs compute, threads that wait for one another take ten times as long."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def detector() -> MTCNN:
    return MTCNNConfig().build()


@pytest.fixture(scope="module")
def photographs(muxspace_root: Path) -> Pictures:
    """60 photographs: half of one size and grey, half of sizes of their own and in colour."""
    chosen: dict[bool, Pictures] = {True: [], False: []}
    for path in sorted((muxspace_root / "images").glob("*.jpg"))[::5]:
        with Image.open(path) as photograph:
            kind = chosen[photograph.size == (350, 350)]
            if len(kind) < 30:
                kind.append(np.asarray(photograph.convert("RGB")))
    # Neighbours differ in size.
    return [photograph for pair in zip(*chosen.values(), strict=True) for photograph in pair]


@pytest.fixture(scope="module")
def found(detector: MTCNN, photographs: Pictures) -> Found:
    return detector.detect(photographs)


def assert_equal(faces: list[Detection], others: list[Detection]) -> None:
    """As equal as float32 in batches of another size allows."""
    assert len(faces) == len(others)
    for face, other in zip(faces, others, strict=True):
        np.testing.assert_allclose(face.box, other.box, atol=1e-2)
        points = np.array([face.landmarks, other.landmarks], np.float32)
        np.testing.assert_allclose(points[0], points[1], atol=1e-2)
        assert face.score == pytest.approx(other.score, abs=1e-4)


@cache
def their_cascade(**options: Any) -> facenet_pytorch.MTCNN:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return facenet_pytorch.MTCNN(select_largest=False, device=device, **options)


def found_by_facenet_pytorch(picture: Picture, **options: Any) -> list[Detection]:
    boxes, scores, points = their_cascade(**options).detect(picture, landmarks=True)
    if boxes is None:
        return []
    faces = zip(boxes.astype(np.float32), scores, points.astype(np.float32), strict=True)
    return [Detection(*face) for face in faces]


def collage(pictures: Pictures) -> Picture:
    """Pictures of 160 x 160 in a row."""
    row = Image.new("RGB", (240 * len(pictures), 240))
    for i, picture in enumerate(pictures):
        row.paste(Image.fromarray(picture).resize((160, 160)), (40 + 240 * i, 40))
    return np.asarray(row)


def test_equals_facenet_pytorch_on_each_photograph_alone(
    photographs: Pictures, found: Found
) -> None:
    assert 50 <= sum(map(bool, found)) < 60
    for photograph, faces in zip(photographs, found, strict=True):
        assert_equal(faces, found_by_facenet_pytorch(photograph))


@pytest.mark.parametrize(
    ("key", "value"), [("min_face", 40), ("factor", 0.5), ("thresholds", (0.5, 0.5, 0.5))]
)
def test_equals_facenet_pytorch_with_options(photographs: Pictures, key: str, value: Any) -> None:
    pictures = [*photographs[:4], collage(photographs[:6:2]), collage(photographs[6:16:2])]
    found = MTCNNConfig(**{key: value}).build().detect(pictures)
    scores = [face.score for face in found[-1]]
    assert len(scores) > 1
    assert scores == sorted(scores, reverse=True)
    for picture, faces in zip(pictures, found, strict=True):
        theirs = {"min_face": "min_face_size"}.get(key, key)
        assert_equal(faces, found_by_facenet_pytorch(picture, **{theirs: value}))


def test_result_does_not_depend_on_the_company(
    detector: MTCNN, photographs: Pictures, found: Found
) -> None:
    alone = [faces for i in range(0, 60, 10) for faces in detector.detect([photographs[i]])]
    backwards = detector.detect(photographs[::-1])
    for faces, others in zip(alone + backwards, found[::10] + found[::-1], strict=True):
        assert_equal(faces, others)


def test_result_does_not_depend_on_the_limits(
    monkeypatch: pytest.MonkeyPatch, photographs: Pictures, found: Found
) -> None:
    monkeypatch.setattr(mtcnn, "LIMITS", dict.fromkeys(mtcnn.LIMITS, mtcnn.Limits(1, 1)))
    for faces, others in zip(MTCNNConfig().build().detect(photographs[:6]), found, strict=False):
        assert_equal(faces, others)


def test_pictures_without_a_face_do_not_disturb_the_others(
    detector: MTCNN, photographs: Pictures, found: Found
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    empty = [np.zeros((350, 350, 3), np.uint8), noise, photographs[0][:15, :15], noise[:1, :1]]
    together = detector.detect([*empty, photographs[0], *empty, photographs[1]])
    assert_equal(together.pop(4), found[0])
    assert_equal(together.pop(), found[1])
    assert together == [[]] * 8
    assert detector.detect([]) == []


def test_training_settings_neither_matter_nor_change(
    detector: MTCNN, photographs: Pictures, found: Found
) -> None:
    torch.set_float32_matmul_precision("medium")
    try:
        (faces,) = detector.detect(photographs[:1])
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision("highest")
    assert_equal(faces, found[0])


@pytest.mark.parametrize("side", [24, 48])
def test_scaling_is_that_of_facenet_pytorch(photographs: Pictures, side: int) -> None:
    pictures = sorted(photographs[:4], key=np.shape)
    areas = SummedAreas(pictures, torch.device("cpu"))
    image = torch.tensor([3, 0, 2, 1, 0])
    boxes = [[0, 0, 350, 350], [3, 5, 4, 6], [7, 0, 90, 31], [2, 2, 26, 50], [0, 0, 20, 20]]
    crops = areas.crops(image, torch.tensor(boxes), side)
    for crop, i, (left, top, right, bottom) in zip(crops, image, boxes, strict=True):
        part = torch.from_numpy(pictures[i][top:bottom, left:right].copy()).permute(2, 0, 1).float()
        area = torch.nn.functional.interpolate(part[None], (side, side), mode="area")[0]
        assert torch.equal(crop, (area - 127.5) / 128)


def test_sums_may_overflow() -> None:
    white = np.full((2, 5_000_000, 3), 255, np.uint8)
    areas = SummedAreas([white], torch.device("cpu"))
    corners = torch.tensor([[4_900_000, 0, 4_900_100, 2]])
    assert areas.crops(torch.tensor([0]), corners, 24).eq(127.5 / 128).all()


def test_the_worse_of_two_boxes_goes_if_the_smaller_is_covered() -> None:
    boxes = torch.tensor([[0, 0, 99, 99], [10, 10, 29, 29], [95, 95, 120, 120], [20, 20, 39, 39.0]])
    assert covering(boxes, torch.tensor([0.8, 0.9, 0.7, 0.6]), 0.7).tolist() == [1, 2, 3]
    assert covering(boxes, torch.tensor([0.9, 0.8, 0.7, 0.6]), 0.7).tolist() == [0, 2]
    assert covering(boxes[:0], torch.zeros(0), 0.7).tolist() == []


def test_detections_keep_the_contract(found: Found) -> None:
    for face in (face for faces in found for face in faces):
        assert face.landmarks is not None
        assert face.box.dtype == face.landmarks.dtype == np.float32
        assert (face.box.shape, face.landmarks.shape) == ((4,), (5, 2))
        assert 0.7 <= face.score <= 1
        left_eye, right_eye, nose, left_mouth, right_mouth = face.landmarks
        assert left_eye[0] < right_eye[0]
        assert left_mouth[0] < right_mouth[0]
        assert left_eye[1] < nose[1] < left_mouth[1]


@pytest.mark.parametrize("shape", [(1, 1), (15, 15), (19, 200), (20, 20), (64, 64)])
def test_blank_and_tiny_images_have_no_face(detector: MTCNN, shape: tuple[int, int]) -> None:
    assert detector.detect([np.full((*shape, 3), 127, np.uint8)]) == [[]]


@pytest.mark.parametrize("min_face", [13, 22, 49])
def test_an_image_of_the_smallest_face_is_searched(min_face: int) -> None:
    image = np.zeros((min_face, min_face, 3), np.uint8)
    assert MTCNNConfig(min_face=min_face).build().detect([image]) == [[]]


def test_own_weights_are_used(tmp_path: Path, photographs: Pictures, found: Found) -> None:
    for name in WEIGHTS:
        state = torch.load(WHEEL / name, weights_only=True)
        torch.save({k: torch.zeros_like(value) for k, value in state.items()}, tmp_path / name)
    config = MTCNNConfig(weights=tmp_path)
    assert config.files() == [tmp_path / name for name in WEIGHTS]
    seen = next(i for i, faces in enumerate(found) if faces)
    assert config.build().detect([photographs[seen]]) == [[]]
    assert MTCNNConfig().files() == []


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"detector\.weights=.*no pnet\.pt"):
        MTCNNConfig(weights=tmp_path)


@pytest.mark.parametrize("content", [b"", b"no checkpoint", (WHEEL / "rnet.pt").read_bytes()])
def test_foreign_weights_are_named(tmp_path: Path, content: bytes) -> None:
    for name in WEIGHTS:
        (tmp_path / name).write_bytes(content)
    config = MTCNNConfig(weights=tmp_path)
    with pytest.raises(UserError, match=r"detector\.weights=.*pnet\.pt does not hold"):
        config.build()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("min_face", 11),
        ("thresholds", [0.6, 0.7]),
        ("thresholds", [0.6, 0.7, 1.1]),
        ("factor", 1.0),
        ("factor", 0.0),
        ("batch_size", 0),
    ],
)
def test_impossible_values_are_refused(key: str, value: object) -> None:
    with pytest.raises(UserError, match=rf"^detector\.{key}="):
        MTCNNConfig(**{key: value})  # type: ignore[arg-type]


def test_the_configuration_is_light() -> None:
    check = (
        "import sys, fer_lightning.detectors.mtcnn as m; m.MTCNNConfig(); "
        "assert not {'torch', 'facenet_pytorch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", check], check=True)
