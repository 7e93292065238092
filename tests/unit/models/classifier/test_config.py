"""Every rejection of the classifier's configuration names the key."""

from __future__ import annotations

import pytest

from fer_lightning.errors import UserError
from fer_lightning.models.classifier.config import ClassifierConfig, Monitor, Network, Schedule
from fer_lightning.models.config import FaceFormat


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"lr": 0.0}, "model.lr=0.0"),
        ({"width": 0}, "model.width=0"),
        ({"plateau_factor": 3.0}, "model.plateau_factor=3.0"),
        ({"mixup": -1.0}, "model.mixup=-1.0"),
        ({"dropout": 1.0}, "model.dropout=1.0"),
        ({"patience": -1}, "model.patience=-1"),
        ({"width": 32, "network": Network.resnet18}, "model.network=resnet18 has one width"),
        ({"pretrained": True}, "no ImageNet weights for model.network=paper_b"),
        ({"weights": "file.pth"}, "model.pretrained=true"),
        ({"hidden": 512}, "model.hidden=512: model.network=paper_b has linear layers"),
        ({"hidden": -1, "network": Network.vgg16}, "model.hidden=-1"),
        ({"trained_blocks": 1, "network": Network.vgg16}, "pass model.pretrained=true"),
        (
            {"trained_blocks": 6, "network": Network.vgg16, "pretrained": True},
            "model.trained_blocks=6: give 0 to 5",
        ),
        ({"schedule": Schedule.cosine}, "model.schedule_images=None"),
        ({"schedule": Schedule.cosine, "schedule_images": 0}, "model.schedule_images=0"),
    ],
)
def test_what_is_refused(settings: dict[str, object], told: str) -> None:
    with pytest.raises(UserError, match=told):
        ClassifierConfig(**settings)  # type: ignore[arg-type]


def test_the_length_is_no_part_of_other_schedules() -> None:
    assert ClassifierConfig(schedule_images=1000).schedule_images is None
    cosine = ClassifierConfig(schedule=Schedule.cosine, schedule_images=1000)
    assert cosine.schedule_images == 1000


def test_keys_that_nothing_reads_are_no_part_of_a_run() -> None:
    constant = {"schedule": Schedule.constant, "keep_best": False}
    given = ClassifierConfig(**constant, plateau_factor=0.1, monitor=Monitor.loss)  # type: ignore[arg-type]
    assert given == ClassifierConfig(**constant)  # type: ignore[arg-type]
    assert not given.heeds_validation
    assert ClassifierConfig(monitor=Monitor.loss) != ClassifierConfig()


def test_one_emotion_is_nothing_to_tell_apart() -> None:
    faces = FaceFormat(image_size=16, channels=1, classes=["fear"], frequencies=[1])
    with pytest.raises(UserError, match="all training images are of fear"):
        ClassifierConfig(width=4).build(faces, 0)


def test_small_images_are_refused() -> None:
    with pytest.raises(UserError, match="image_size=16"):
        ClassifierConfig(network=Network.resnet18).check(16)
    ClassifierConfig().check(48)
