import subprocess
import sys
from pathlib import Path

import facenet_pytorch
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from fer_lightning.detectors.base import Detection
from fer_lightning.detectors.mtcnn import MTCNN, MTCNNConfig
from fer_lightning.errors import UserError

WHEEL = Path(facenet_pytorch.__file__).parent / "data"


@pytest.fixture(scope="module")
def detector() -> MTCNN:
    return MTCNNConfig().build()


@pytest.fixture(scope="module")
def photographs(muxspace_root: Path) -> list[NDArray[np.uint8]]:
    paths = sorted((muxspace_root / "images").glob("*.jpg"))
    return [np.asarray(Image.open(path).convert("RGB")) for path in paths[:: len(paths) // 24]][:24]


@pytest.fixture(scope="module")
def found(detector: MTCNN, photographs: list[NDArray[np.uint8]]) -> list[list[Detection]]:
    return detector.detect(photographs)


def test_equals_facenet_pytorch_on_single_photographs(
    photographs: list[NDArray[np.uint8]], found: list[list[Detection]]
) -> None:
    theirs = facenet_pytorch.MTCNN(
        select_largest=False, device="cuda" if torch.cuda.is_available() else "cpu"
    )
    assert sum(map(bool, found)) >= 20
    for image, faces in zip(photographs, found, strict=True):
        if min(image.shape[:2]) < 20:
            assert faces == []
            continue
        boxes, scores, points = theirs.detect(Image.fromarray(image), landmarks=True)
        assert len(faces) == (0 if boxes is None else len(boxes))
        for i, face in enumerate(faces):
            assert face.landmarks is not None
            np.testing.assert_allclose(face.box, boxes[i].astype(float), atol=1e-3)
            np.testing.assert_allclose(face.landmarks, points[i].astype(float), atol=1e-3)
            assert face.score == pytest.approx(scores[i], abs=1e-3)


def test_result_does_not_depend_on_the_company(
    detector: MTCNN, photographs: list[NDArray[np.uint8]], found: list[list[Detection]]
) -> None:
    for image, faces in list(zip(photographs, found, strict=True))[::4]:
        (alone,) = detector.detect([image])
        assert [face.box.tolist() for face in alone] == [face.box.tolist() for face in faces]


def test_detections_keep_the_contract(found: list[list[Detection]]) -> None:
    for face in (face for faces in found for face in faces):
        assert face.landmarks is not None
        assert face.box.dtype == face.landmarks.dtype == np.float32
        assert (face.box.shape, face.landmarks.shape) == ((4,), (5, 2))
        assert 0.7 <= face.score <= 1
        left_eye, right_eye, nose, left_mouth, right_mouth = face.landmarks
        assert left_eye[0] < right_eye[0]
        assert left_mouth[0] < right_mouth[0]
        assert left_eye[1] < nose[1] < left_mouth[1]


def test_several_faces_come_by_falling_score(
    detector: MTCNN, photographs: list[NDArray[np.uint8]], found: list[list[Detection]]
) -> None:
    pairs = zip(photographs, found, strict=True)
    faces = [Image.fromarray(image).resize((160, 160)) for image, boxes in pairs if boxes]
    group = Image.new("RGB", (720, 240))
    for i, face in enumerate(faces[:3]):
        group.paste(face, (40 + 240 * i, 40))
    (several,) = detector.detect([np.asarray(group)])
    scores = [detection.score for detection in several]
    assert len(scores) == 3
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("shape", [(1, 1), (15, 15), (19, 200), (20, 20), (64, 64)])
def test_blank_and_tiny_images_have_no_face(detector: MTCNN, shape: tuple[int, int]) -> None:
    assert detector.detect([np.full((*shape, 3), 127, np.uint8)]) == [[]]


@pytest.mark.parametrize("min_face", [13, 22, 49])
def test_an_image_of_the_smallest_face_is_searched(min_face: int) -> None:
    image = np.zeros((min_face, min_face, 3), np.uint8)
    assert MTCNNConfig(min_face=min_face).build().detect([image]) == [[]]


def test_no_images_give_no_lists(detector: MTCNN) -> None:
    assert detector.detect([]) == []


def test_own_weights_are_used(
    tmp_path: Path, photographs: list[NDArray[np.uint8]], found: list[list[Detection]]
) -> None:
    for name in ("pnet", "rnet", "onet"):
        state = torch.load(WHEEL / f"{name}.pt", weights_only=True)
        zeros = {key: torch.zeros_like(value) for key, value in state.items()}
        torch.save(zeros, tmp_path / f"{name}.pt")
    blind = MTCNNConfig(weights=tmp_path).build()
    seen = next(i for i, faces in enumerate(found) if faces)
    assert blind.detect([photographs[seen]]) == [[]]


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"detector\.weights=.*no pnet\.pt"):
        MTCNNConfig(weights=tmp_path).build()


@pytest.mark.parametrize("content", [b"", b"no checkpoint", (WHEEL / "rnet.pt").read_bytes()])
def test_foreign_weights_are_named(tmp_path: Path, content: bytes) -> None:
    for name in ("pnet", "rnet", "onet"):
        (tmp_path / f"{name}.pt").write_bytes(content)
    with pytest.raises(UserError, match=r"detector\.weights=.*pnet\.pt does not hold"):
        MTCNNConfig(weights=tmp_path).build()


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
