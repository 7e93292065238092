"""``fer generate``: how many images of each class, and what stands in the archive."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightning
import numpy as np
import pytest
import torch

from fer_lightning.config.generate import GenerateConfig
from fer_lightning.data.archive import FaceArchive
from fer_lightning.data.fingerprint import digest, file_digest
from fer_lightning.errors import UserError
from fer_lightning.jobs import generate
from fer_lightning.models.cgan.config import CGANConfig
from fer_lightning.models.classifier.config import ClassifierConfig
from fer_lightning.models.config import FaceFormat, ModelConfig
from fer_lightning.models.dcgan.config import DCGANConfig

CLASSES = ["happiness", "fear", "anger"]
COUNTS = [9, 2, 5]
FER2013 = {
    "anger": (3995, 3220),
    "disgust": (436, 6779),
    "fear": (4097, 3118),
    "happiness": (7215, 0),
    "sadness": (4830, 2385),
    "surprise": (3171, 4044),
    "neutral": (4965, 2250),
}
"""Training images, and what paper B's balancing needs without its leak."""


DCGAN = DCGANConfig(generator_width=2, discriminator_width=2, latent_dim=4)


def save(
    run: Path,
    classes: list[str] = CLASSES,
    counts: list[int] = COUNTS,
    config: ModelConfig | None = None,
) -> Path:
    """The run folder of an untrained model."""
    faces = FaceFormat(
        image_size=16, channels=1, classes=classes, frequencies=[1.0] * len(classes), counts=counts
    )
    config = config or CGANConfig(width=2, latent_dim=4)
    module = config.build(faces, seed=0)
    trainer = lightning.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False)
    trainer.strategy.connect(module)
    trainer.save_checkpoint(run / "checkpoints" / "last.ckpt")
    return run


def forget_counts(run: Path, frequencies: list[float]) -> None:
    """Make it a checkpoint from before counts were kept."""
    path = run / "checkpoints" / "last.ckpt"
    saved = torch.load(path, weights_only=True)
    faces = saved["fer"]["description"]["faces"]
    faces.pop("counts", None)
    faces["frequencies"] = frequencies
    torch.save(saved, path)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return save(tmp_path / "RUN")


def draw(run: Path, **settings: Any) -> FaceArchive:
    return generate.run(GenerateConfig(run=run, batch_size=4, accelerator="cpu", **settings))


def drawn(archive: FaceArchive) -> list[int]:
    emotions = archive.column("emotion")
    assert set(archive.column("split")) == {"train"}
    return [emotions.count(name) for name in CLASSES]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"count": 8}, [3, 3, 2]),
        ({"fill": "largest"}, [0, 7, 4]),
        ({"fill": 6}, [0, 4, 1]),
        ({"fill": 10}, [1, 8, 5]),
        ({"ratio": 1.0}, [9, 2, 5]),
        ({"ratio": 0.5}, [4, 1, 2]),
        ({"counts": {"anger": 6, "happiness": 0, "fear": None}}, [0, 0, 6]),
    ],
)
def test_each_way_gives_its_numbers(
    run: Path, settings: dict[str, Any], expected: list[int]
) -> None:
    archive = draw(run, **settings)
    assert drawn(archive) == expected
    assert archive.manifest["counts"] == dict(zip(CLASSES, expected, strict=True))
    assert archive.manifest["generated"] == len(archive) == sum(expected)
    assert archive.manifest["checkpoint"] == file_digest(run / "checkpoints" / "last.ckpt")
    assert archive.manifest["run"] == str(run)
    assert archive.manifest["seed"] == 0
    assert archive.manifest["command"]


def test_paper_b_without_its_leak(tmp_path: Path) -> None:
    save(tmp_path, list(FER2013), [trained for trained, _ in FER2013.values()])
    module, _ = generate.load_hashed(tmp_path / "checkpoints" / "last.ckpt")
    for fill in ("largest", 7215):
        found = generate.images_of_each(GenerateConfig(run=tmp_path, fill=fill), module)
        assert found == {name: needed for name, (_, needed) in FER2013.items()}
        assert sum(found.values()) == 21_796


def test_equal_numbers_keep_the_key_that_they_always_had(run: Path, tmp_path: Path) -> None:
    archive = draw(run, count=12)
    settings = {
        "corpus": "generated",
        "checkpoint": file_digest(run / "checkpoints" / "last.ckpt"),
        "seed": 0,
        "generated": 12,
        "batch_size": 4,
    }
    assert archive.key == digest(settings)
    named = draw(run, counts=dict.fromkeys(CLASSES, 4), archive=tmp_path / "named")
    assert named.key == archive.key
    assert np.array_equal(named.faces, archive.faces)
    assert draw(run, counts={"fear": 12}, archive=tmp_path / "fear").key != archive.key


def test_other_numbers_need_another_place(run: Path) -> None:
    first = draw(run, fill="largest")
    assert draw(run, fill=9).key == first.key  # the same images, found
    with pytest.raises(UserError, match="force=true"):
        draw(run, ratio=1.0)
    assert drawn(draw(run, ratio=1.0, force=True)) == COUNTS


def test_batches_are_full_and_a_stopped_job_goes_on(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = draw(run, fill="largest", archive=tmp_path / "whole")
    write = generate.write_shard
    sizes: list[int] = []

    def stops(partial: Path, number: int, faces: Any, *rest: Any) -> None:
        if len(sizes) == 2:
            raise KeyboardInterrupt
        sizes.append(len(faces))
        write(partial, number, faces, *rest)

    monkeypatch.setattr(generate, "write_shard", stops)
    with pytest.raises(KeyboardInterrupt):
        draw(run, fill="largest")
    monkeypatch.setattr(generate, "write_shard", write)
    sampled: list[int] = []
    cgan = type(generate.load_hashed(run / "checkpoints" / "last.ckpt")[0])
    sample: Any = cgan.sample
    monkeypatch.setattr(
        cgan, "sample", lambda self, e, g: sampled.append(len(e)) or sample(self, e, g)
    )
    again = draw(run, fill="largest")
    assert sizes == [4, 4]
    assert sampled == [3]
    assert np.array_equal(again.faces, whole.faces)
    assert again.column("emotion") == whole.column("emotion")
    assert again.key == whole.key


def test_checkpoints_of_earlier_versions(run: Path) -> None:
    forget_counts(run, [4, 1, 3])
    assert drawn(draw(run, fill="largest")) == [0, 3, 1]
    forget_counts(run, [1.0, 1.0, 1.0])  # batches were balanced
    for settings in ({"fill": "largest"}, {"fill": 9}, {"ratio": 1.0}):
        with pytest.raises(UserError, match=r"earlier version.*counts\.EMOTION=N"):
            draw(run, **settings, force=True)
    assert drawn(draw(run, count=3, force=True)) == [1, 1, 1]
    forget_counts(run, [0.5, 0.25, 0.25])
    with pytest.raises(UserError, match="earlier version"):
        draw(run, ratio=1.0, force=True)


def test_emotions_that_the_model_does_not_know(run: Path) -> None:
    with pytest.raises(UserError, match=r"counts\.disgust: .* knows happiness, fear, anger"):
        draw(run, counts={"disgust": 3})


def test_nothing_to_draw_is_said(tmp_path: Path) -> None:
    run = save(tmp_path / "RUN", counts=[5, 5, 5])
    for settings in ({"fill": "largest"}, {"fill": 4}, {"ratio": 0.01}, {"counts": {"fear": 0}}):
        with pytest.raises(UserError, match="no class needs an image"):
            draw(run, **settings)
    assert not (run / "generated").exists()


def test_a_model_without_classes_draws_faces_without_labels(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = save(tmp_path, [], [], DCGAN)
    archive = draw(run, count=6)
    assert archive.column("emotion") == [None] * 6
    assert archive.column("split") == ["train"] * 6
    assert archive.manifest["counts"] == {"unlabelled": 6}
    assert "6 samples, 16 pixels: unlabelled 6" in capsys.readouterr().out
    for settings in ({"fill": "largest"}, {"ratio": 1.0}, {"counts": {"fear": 2}}):
        with pytest.raises(UserError, match=r"knows no emotions.* give count=N"):
            draw(run, **settings, force=True)


def test_a_model_of_one_emotion_labels_what_it_draws(tmp_path: Path) -> None:
    run = save(tmp_path, ["fear"], [5], DCGAN)
    for settings, number in (({"count": 3}, 3), ({"ratio": 2.0}, 10), ({"fill": 9}, 4)):
        assert draw(run, **settings, force=True).column("emotion") == ["fear"] * number
    assert draw(run, counts={"fear": 2}, force=True).column("emotion") == ["fear"] * 2


def test_a_model_that_generates_nothing_is_refused(tmp_path: Path) -> None:
    module = ClassifierConfig(width=2).build(
        FaceFormat(image_size=16, channels=1, classes=CLASSES, frequencies=[1.0] * 3), seed=0
    )
    trainer = lightning.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False)
    trainer.strategy.connect(module)
    trainer.save_checkpoint(tmp_path / "checkpoints" / "last.ckpt")
    with pytest.raises(UserError, match="this model generates no images"):
        draw(tmp_path)


def test_only_one_way_at_a_time() -> None:
    assert GenerateConfig(run=Path("RUN")).count == 700
    assert GenerateConfig(run=Path("RUN"), fill="largest").count is None
    with pytest.raises(UserError, match="count and fill and counts each say"):
        GenerateConfig(run=Path("RUN"), count=5, fill=9, counts={"fear": 1})


@pytest.mark.parametrize(
    "settings",
    [
        {"count": 0},
        {"fill": 0},
        {"fill": "smallest"},
        {"ratio": 0.0},
        {"ratio": float("nan")},
        {"counts": {"fear": -1}},
        {"batch_size": 0},
    ],
)
def test_impossible_numbers_name_their_key(settings: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=rf"^{next(iter(settings))}"):
        GenerateConfig(run=Path("RUN"), **settings)
