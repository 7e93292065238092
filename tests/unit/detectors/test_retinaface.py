import math
import subprocess
import sys
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from fer_lightning.cli import conf_dir
from fer_lightning.config.compose import to_typed
from fer_lightning.config.registration import register
from fer_lightning.data.corpora.drawn import Drawn
from fer_lightning.data.preparation import Recipe
from fer_lightning.detectors import retinaface
from fer_lightning.detectors.base import Detection
from fer_lightning.detectors.retinaface import (
    VARIABLE,
    Backbone,
    RetinaFace,
    RetinaFaceConfig,
)
from fer_lightning.detectors.retinaface_anchors import decode_boxes, decode_landmarks, prior_boxes
from fer_lightning.detectors.retinaface_network import Head, RetinaFaceNetwork
from fer_lightning.errors import UserError

Picture: TypeAlias = NDArray[np.uint8]


def random_network(backbone: Backbone = Backbone.mobilenet025) -> RetinaFaceNetwork:
    """Of random weights, normalised so that what it finds depends on the picture."""
    torch.manual_seed(0)
    network = RetinaFaceNetwork(backbone)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        network.train()(torch.rand(4, 3, 64, 64) * 255 - 110)
    return network.eval()


def noise(*shape: int, seed: int = 0) -> Picture:
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "random.pth"
    torch.save(random_network().state_dict(), path)
    return path


def assert_equal(faces: list[Detection], others: list[Detection]) -> None:
    """As equal as float32 in batches of another size allows."""
    assert len(faces) == len(others)
    for face, other in zip(faces, others, strict=True):
        np.testing.assert_allclose(face.box, other.box, atol=1e-2)
        points = np.array([face.landmarks, other.landmarks], np.float32)
        np.testing.assert_allclose(points[0], points[1], atol=1e-2)
        assert face.score == pytest.approx(other.score, abs=1e-4)


class Answer(nn.Module):
    """Instead of the network: the same boxes in each picture.

    Args:
        scores: Of the prior boxes.
        shifts: Of the first prior boxes; the others stay where they are.
    """

    def __init__(self, scores: list[float], shifts: list[list[float]]) -> None:
        super().__init__()
        self.scores, self.shifts = torch.tensor(scores), torch.zeros(len(scores), 4)
        self.shifts[: len(shifts)] = torch.tensor(shifts).view(-1, 4)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        count = len(images)
        points = torch.zeros(count, len(self.scores), 10)
        return self.scores.repeat(count, 1), self.shifts.repeat(count, 1, 1), points


def answering(
    config: RetinaFaceConfig, scores: list[float], shifts: list[list[float]]
) -> RetinaFace:
    detector = config.build()
    detector._network = Answer(scores, shifts)  # type: ignore[assignment]
    return detector


def test_prior_boxes_are_those_of_the_paper() -> None:
    priors = prior_boxes(40, 20)
    assert priors.shape == (2 * (5 * 3 + 3 * 2 + 2 * 1), 3)
    assert priors[:4].tolist() == [[4, 4, 16], [4, 4, 32], [12, 4, 16], [12, 4, 32]]
    assert priors[6].tolist() == [4, 12, 16]  # the second row
    assert priors[[30, 31, 32]].tolist() == [[8, 8, 64], [8, 8, 128], [24, 8, 64]]
    assert priors[42:].tolist() == [[16, 16, 256], [16, 16, 512], [16, 48, 256], [16, 48, 512]]


def test_shifts_count_in_sides_of_the_prior_box() -> None:
    priors = torch.tensor([[100.0, 50, 32], [10, 20, 64]])
    shifts = torch.tensor([[1, -2, 0, math.log(2) / 0.2], [0, 0, math.log(0.5) / 0.2, 0]])
    expected = [[103.2 - 16, 43.6 - 32, 103.2 + 16, 43.6 + 32], [-6, -12, 26, 52]]
    torch.testing.assert_close(decode_boxes(priors, shifts), torch.tensor(expected))
    points = torch.arange(20.0).view(2, 10)
    landmarks = decode_landmarks(priors, points)
    assert landmarks.shape == (2, 5, 2)
    torch.testing.assert_close(landmarks[0, 1], torch.tensor([100 + 0.2 * 32, 50 + 0.3 * 32]))
    torch.testing.assert_close(landmarks[1, 4], torch.tensor([10 + 1.8 * 64, 20 + 1.9 * 64]))


@pytest.mark.parametrize("backbone", list(Backbone))
@pytest.mark.parametrize("size", [(1, 1), (33, 65), (64, 31)])
def test_a_prior_box_for_every_output(backbone: Backbone, size: tuple[int, int]) -> None:
    with torch.inference_mode():
        outputs = RetinaFaceNetwork(backbone).eval()(torch.zeros(2, 3, *size))
    count = len(prior_boxes(*size))
    assert [part.shape for part in outputs] == [(2, count), (2, count, 4), (2, count, 10)]


def test_outputs_are_in_the_order_of_the_prior_boxes() -> None:
    head = Head(3, 4)
    level = torch.rand(2, 3, 5, 7)
    values, maps = head(level), head.conv1x1(level)
    row, column, box = 3, 2, 1
    place = (row * 7 + column) * 2 + box
    assert torch.equal(values[:, place], maps[:, 4 * box : 4 * box + 4, row, column])


@pytest.mark.parametrize(
    ("backbone", "expected"),
    [
        (
            Backbone.mobilenet025,
            {
                "body.stage1.0.0.weight": (8, 3, 3, 3),
                "body.stage1.5.3.weight": (64, 64, 1, 1),
                "body.stage3.1.0.weight": (256, 1, 3, 3),
                "fpn.output1.0.weight": (64, 64, 1, 1),
                "ssh3.conv7x7_3.0.weight": (16, 16, 3, 3),
                "LandmarkHead.2.conv1x1.weight": (20, 64, 1, 1),
            },
        ),
        (
            Backbone.resnet50,
            {
                "body.conv1.weight": (64, 3, 7, 7),
                "body.bn1.running_var": (64,),
                "body.layer4.2.conv3.weight": (2048, 512, 1, 1),
                "fpn.output1.0.weight": (256, 512, 1, 1),
                "fpn.merge2.0.weight": (256, 256, 3, 3),
                "ssh1.conv3X3.0.weight": (128, 256, 3, 3),
                "ssh2.conv5X5_1.1.bias": (64,),
                "ClassHead.0.conv1x1.weight": (4, 256, 1, 1),
                "BboxHead.1.conv1x1.bias": (8,),
                "LandmarkHead.2.conv1x1.weight": (20, 256, 1, 1),
            },
        ),
    ],
)
def test_names_and_shapes_are_those_of_the_published_files(
    backbone: Backbone, expected: dict[str, tuple[int, ...]]
) -> None:
    state = RetinaFaceNetwork(backbone).state_dict()
    assert {name: tuple(state[name].shape) for name in expected} == expected
    assert not any(name.startswith("body.fc") for name in state)


@pytest.mark.parametrize("backbone", list(Backbone))
def test_a_file_saved_from_several_gpus_with_its_classifier_is_read(
    tmp_path: Path, backbone: Backbone
) -> None:
    state = random_network(backbone).state_dict()
    torch.save(state, tmp_path / "plain.pth")
    wrapped = {f"module.{name}": value for name, value in state.items()}
    wrapped["module.body.fc.weight"] = wrapped["module.body.fc.bias"] = torch.zeros(9)
    torch.save(wrapped, tmp_path / "wrapped.pth")
    picture = noise(48, 64)
    (faces,), (others,) = (
        RetinaFaceConfig(backbone=backbone, weights=tmp_path / name).build().detect([picture])
        for name in ("plain.pth", "wrapped.pth")
    )
    assert faces
    assert_equal(faces, others)


def test_result_does_not_depend_on_the_company(
    monkeypatch: pytest.MonkeyPatch, weights: Path
) -> None:
    sizes = [(64, 64), (40, 90), (64, 64), (33, 65), (64, 64), (40, 90)]
    pictures = [noise(*size, seed=seed) for seed, size in enumerate(sizes)]
    detector = RetinaFaceConfig(weights=weights, nms=0.0).build()
    alone = [detector.detect([picture])[0] for picture in pictures]
    assert all(alone)
    together = detector.detect(pictures)
    backwards = detector.detect(pictures[::-1])[::-1]
    monkeypatch.setattr(retinaface, "BATCH_PIXELS", dict.fromkeys(retinaface.BATCH_PIXELS, 1))
    one_by_one = detector.detect(pictures)
    for found in (together, backwards, one_by_one):
        for faces, others in zip(found, alone, strict=True):
            assert_equal(faces, others)


def test_the_network_sees_equal_sizes_within_the_limit(
    monkeypatch: pytest.MonkeyPatch, weights: Path
) -> None:
    monkeypatch.setattr(retinaface, "BATCH_PIXELS", dict.fromkeys(retinaface.BATCH_PIXELS, 3000))
    detector = RetinaFaceConfig(weights=weights).build()
    seen = []
    detector._network.register_forward_pre_hook(lambda _, args: seen.append(args[0].shape))
    detector.detect([noise(32, 40)] * 5 + [noise(64, 64)] + [noise(40, 32)])
    assert sorted(seen) == [
        (1, 3, 32, 40),
        (1, 3, 40, 32),
        (1, 3, 64, 64),
        (2, 3, 32, 40),
        (2, 3, 32, 40),
    ]


def test_the_network_gets_blue_green_red_less_their_means(weights: Path) -> None:
    detector = RetinaFaceConfig(weights=weights).build()
    seen = []
    detector._network.register_forward_pre_hook(lambda _, args: seen.append(args[0].cpu()))
    detector.detect([np.array([[[10, 20, 30], [1, 2, 3]]], np.uint8)])
    expected = torch.tensor([[30 - 104, 3 - 104], [20 - 117, 2 - 117], [10 - 123, 1 - 123]])
    assert seen[0].squeeze().tolist() == expected.tolist()


def test_number_of_threads_and_training_settings_neither_matter_nor_change(weights: Path) -> None:
    detector = RetinaFaceConfig(weights=weights).build()
    before = torch.get_num_threads()
    (expected,) = detector.detect([noise(120, 90)])
    torch.set_num_threads(before + 1)
    torch.set_float32_matmul_precision("medium")
    try:
        (faces,) = detector.detect([noise(120, 90)])
        assert torch.get_num_threads() == before + 1
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_num_threads(before)
        torch.set_float32_matmul_precision("highest")
    assert [face.score for face in faces] == [face.score for face in expected]
    assert all((face.box == one.box).all() for face, one in zip(faces, expected, strict=True))


def test_large_pictures_are_searched_at_the_longest_side(weights: Path) -> None:
    large = noise(200, 320)
    small = np.asarray(Image.fromarray(large).resize((80, 50), Image.Resampling.BILINEAR))
    detector = RetinaFaceConfig(weights=weights, max_side=80, nms=0.0).build()
    (found,), (expected,) = detector.detect([large]), detector.detect([small])
    assert len(found) == len(expected) > 0
    for face, other in zip(found, expected, strict=True):
        assert face.landmarks is not None
        assert other.landmarks is not None
        np.testing.assert_allclose(face.box, 4 * other.box, atol=0.1)
        np.testing.assert_allclose(face.landmarks, 4 * other.landmarks, atol=0.1)


def test_faces_of_large_pictures_are_scaled_back_by_axis(weights: Path) -> None:
    config = RetinaFaceConfig(weights=weights, max_side=16)
    (faces,) = answering(config, [1.0, *[0.0] * 7], []).detect([noise(2, 64)])  # seen as 1 x 16
    assert [face.box.tolist() for face in faces] == [[-16, -8, 48, 24]]
    assert faces[0].landmarks is not None
    assert faces[0].landmarks.tolist() == [[16, 8]] * 5


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (7, 5), (31, 33)])
def test_tiny_and_narrow_pictures_pass(weights: Path, shape: tuple[int, int]) -> None:
    detector = RetinaFaceConfig(weights=weights, threshold=0.0).build()
    (faces,) = detector.detect([noise(*shape)])
    assert faces
    assert all(np.isfinite(face.box).all() for face in faces)


def test_faces_come_by_falling_score_from_the_threshold_on(weights: Path) -> None:
    config = RetinaFaceConfig(weights=weights, threshold=0.5, nms=1.0)
    detector = answering(config, [0.25, 0.5, 0.75, 0.49, 0.875, 0.0], [])
    for faces in detector.detect([noise(8, 8)] * 2):
        assert [face.score for face in faces] == [0.875, 0.75, 0.5]
        assert faces[1].box.tolist() == [-24, -24, 40, 40]
        assert faces[2].box.tolist() == [-12, -12, 20, 20]
        assert faces[0].landmarks is not None
        assert faces[0].box.dtype == faces[0].landmarks.dtype == np.float32
        assert faces[0].landmarks.tolist() == [[16, 16]] * 5


@pytest.mark.parametrize(("nms", "kept"), [(0.27, [0.75]), (0.3, [0.75, 0.5])])
def test_overlap_counts_the_last_pixel(weights: Path, nms: float, kept: list[float]) -> None:
    """Boxes of 16 and 8 pixels share 0.25 of their union, and 81 of 289 places with the last."""
    detector = answering(
        RetinaFaceConfig(weights=weights, nms=nms),
        [0.75, 0.5, 0.0, 0.0, 0.0, 0.0],
        [[0, 0, 0, 0], [0, 0, math.log(0.25) / 0.2, math.log(0.25) / 0.2]],
    )
    (faces,) = detector.detect([noise(8, 8)])
    assert [face.score for face in faces] == kept


def test_most_candidates_are_limited(monkeypatch: pytest.MonkeyPatch, weights: Path) -> None:
    monkeypatch.setattr(retinaface, "CANDIDATES", 2)
    config = RetinaFaceConfig(weights=weights, threshold=0.0, nms=1.0)
    (faces,) = answering(config, [0.1, 0.2, 0.9, 0.3, 0.5, 0.0], []).detect([noise(8, 8)])
    assert [face.score for face in faces] == pytest.approx([0.9, 0.5])


def test_pictures_without_a_face_give_empty_lists(weights: Path) -> None:
    detector = RetinaFaceConfig(weights=weights, threshold=1.0).build()
    assert detector.detect([noise(64, 64), noise(20, 30)]) == [[], []]
    assert detector.detect([]) == []


def recipe(config: RetinaFaceConfig) -> Recipe:
    return Recipe(corpus=Drawn(), detector=config, image_size=64, channels=3)


def test_missing_weights_are_told_before_any_picture_is_read() -> None:
    with pytest.raises(UserError) as told:
        recipe(RetinaFaceConfig(backbone=Backbone.resnet50)).key("source")
    for part in ("Resnet50_Final.pth", "biubug6", "MIT", "detector.weights=PATH", VARIABLE):
        assert part in str(told.value)


@pytest.mark.parametrize("path", [None, "weights.pth"])
def test_the_environment_names_the_weights(
    monkeypatch: pytest.MonkeyPatch, path: str | None
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    if path:
        monkeypatch.setenv(VARIABLE, path)
    register()
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        config = to_typed(compose("prepare", overrides=["detector=retinaface"]))
    assert config.detector == RetinaFaceConfig(weights=Path(path) if path else None)


@pytest.mark.parametrize("name", ["none.pth", "."])
def test_weights_that_are_no_file_are_named(tmp_path: Path, name: str) -> None:
    config = RetinaFaceConfig(weights=tmp_path / name)
    with pytest.raises(UserError, match=r"^detector\.weights=.*: there is no such file"):
        config.files()
    with pytest.raises(UserError, match=r"^detector\.weights="):
        config.build()


@pytest.mark.parametrize("content", [b"", b"no checkpoint", [1, 2], {"a": 3}, {1: 2}])
def test_foreign_weights_are_named(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "foreign.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    with pytest.raises(UserError, match=r"^detector\.weights=.*foreign\.pth does not hold"):
        RetinaFaceConfig(weights=path).build()


@pytest.mark.parametrize("change", ["missing", "more", "shape"])
def test_all_that_detection_needs_is_asked_for(tmp_path: Path, weights: Path, change: str) -> None:
    state = torch.load(weights, weights_only=True)
    if change == "missing":
        del state["fpn.merge1.0.weight"]
    elif change == "more":
        state["fpn.merge3.0.weight"] = torch.zeros(1)
    else:
        state["ClassHead.0.conv1x1.bias"] = torch.zeros(6)
    torch.save(state, tmp_path / "damaged.pth")
    with pytest.raises(UserError, match=r"^detector\.weights=.*damaged\.pth does not hold"):
        RetinaFaceConfig(weights=tmp_path / "damaged.pth").build()


def test_the_other_backbone_is_named(tmp_path: Path, weights: Path) -> None:
    with pytest.raises(UserError, match=r"^detector\.weights=.*detector\.backbone=mobilenet025"):
        RetinaFaceConfig(weights=weights, backbone=Backbone.resnet50).build()
    path = tmp_path / "resnet.pth"
    torch.save({"module.body.conv1.weight": torch.zeros(64, 3, 7, 7)}, path)
    with pytest.raises(UserError, match=r"^detector\.weights=.*detector\.backbone=resnet50"):
        RetinaFaceConfig(weights=path).build()


def test_an_archive_is_known_by_the_content_of_the_weights(tmp_path: Path) -> None:
    keys = []
    for name, content in [("a", b"1"), ("b", b"1"), ("c", b"2")]:
        (tmp_path / name).write_bytes(content)
        keys.append(recipe(RetinaFaceConfig(weights=tmp_path / name)).key("source"))
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("threshold", -0.1),
        ("threshold", 1.1),
        ("threshold", math.nan),
        ("nms", 1.5),
        ("max_side", 15),
        ("batch_size", 0),
    ],
)
def test_impossible_values_are_refused(key: str, value: object) -> None:
    with pytest.raises(UserError, match=rf"^detector\.{key}="):
        RetinaFaceConfig(**{key: value})  # type: ignore[arg-type]


def test_the_configuration_is_light() -> None:
    check = (
        "import sys, fer_lightning.detectors.retinaface as r; r.RetinaFaceConfig(); "
        "assert not {'torch', 'torchvision'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", check], check=True)
