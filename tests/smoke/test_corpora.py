"""Every published dataset, laid out as it is delivered, through the real jobs."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

import pytest

from fer_lightning import registry
from fer_lightning.cli import main

SOURCE = {
    "aff_wild2": "neutral 3, happiness 8, sadness 5, surprise 5, fear 3, disgust 3, anger 5, "
    "unlabelled 5",
    "affectnet": "neutral 3, happiness 3, sadness 3, surprise 3, fear 3, disgust 3, anger 3, "
    "contempt 3, unlabelled 9",
    "celeba": "unlabelled 12",
    "ck_plus": "neutral 14, happiness 2, sadness 2, surprise 2, fear 2, disgust 2, anger 2, "
    "contempt 2, unlabelled 2",
    "enhanced_ck": "happiness 2, sadness 2, surprise 2, fear 2, disgust 2, anger 2, contempt 2, "
    "unlabelled 2",
    "faces": "neutral 4, happiness 4, sadness 4, fear 4, disgust 4, anger 4",
    "fer2013": "neutral 4, happiness 4, sadness 4, surprise 4, fear 4, disgust 4, anger 4",
    "fer_plus": "neutral 2, happiness 1, sadness 1, fear 1, disgust 1, contempt 1, unlabelled 5",
    "jaffe": "neutral 2, happiness 2, sadness 2, surprise 2, fear 2, disgust 2, anger 2",
    "kdef": "neutral 8, happiness 8, sadness 8, surprise 8, fear 8, disgust 8, anger 8",
    "oulu_casia": "happiness 6, sadness 6, surprise 6, fear 6, disgust 6, anger 6",
    "raf_db": "neutral 3, happiness 3, sadness 3, surprise 3, fear 3, disgust 3, anger 3",
    "rafd": "neutral 8, happiness 8, sadness 8, surprise 8, fear 8, disgust 8, anger 8, contempt 8",
    "sfew": "neutral 3, happiness 3, sadness 3, surprise 3, fear 3, disgust 3, anger 3, "
    "unlabelled 3",
}
"""What each layout of ``tests/helpers/layouts/<name>.py`` holds, as images of each class."""

WITHOUT_EMOTION = {"aff_wild2": 5, "affectnet": 9, "fer_plus": 5}
"""How many of those the labels themselves exclude."""


def laid_out(name: str, root: Path, size: int = 96) -> Path:
    root = import_module(f"tests.helpers.layouts.{name}").build(root, size=size)
    assert isinstance(root, Path)
    return root


def counts(name: str) -> dict[str, int]:
    pairs = (entry.split() for entry in SOURCE[name].split(", "))
    return {emotion: int(count) for emotion, count in pairs}


def usable(name: str) -> int:
    return sum(counts(name).values()) - WITHOUT_EMOTION.get(name, 0)


def test_no_published_dataset_goes_untested() -> None:
    published = {name for name in registry.corpora.builtin if registry.corpora.load(name).facts}
    assert published == set(SOURCE)


@pytest.mark.parametrize("name", sorted(SOURCE))
def test_prepare(name: str, tmp_path: Path) -> None:
    root = laid_out(name, tmp_path / "data")
    status = main(["prepare", f"data={name}", f"data.root={root}", "detector=whole_image",
                   "image_size=32", f"archive={tmp_path}/OUT", "workers=1"])  # fmt: skip
    assert status == 0
    manifest = json.loads((tmp_path / "OUT" / "manifest.json").read_text())
    classes = manifest["classes"]
    assert {emotion: of["source"] for emotion, of in classes.items()} == counts(name)
    assert manifest["count"] == usable(name)
    assert manifest["corpus"] == name
    remark = registry.corpora.load(name).remark
    assert manifest.get("remark", "") == remark


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", sorted(name for name in SOURCE if set(counts(name)) != {"unlabelled"})
)
def test_train_on_detected_faces(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    root = laid_out(name, tmp_path / "data", size=160)
    status = main(["train", f"data={name}", f"data.root={root}", "detector=mtcnn", "model=cgan",
                   "model.width=4", "model.latent_dim=8", "image_size=16", "data.batch_size=4",
                   "trainer.max_images=16", "trainer.log_images=16", "trainer.accelerator=cpu",
                   "logger=csv", "run_dir=RUN"])  # fmt: skip
    assert status == 0
    results = json.loads((tmp_path / "RUN" / "results.json").read_text())
    assert results["images_seen"] == 16
    (manifest,) = (tmp_path / "archives").glob(f"{name}-mtcnn-16-*/manifest.json")
    found = json.loads(manifest.read_text())["count"]
    assert found >= 0.8 * usable(name)
