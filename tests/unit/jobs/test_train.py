"""``fer train``: names of runs, what two domains add to them, and the way back to their faces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fer_lightning.config.domains import DomainsConfig
from fer_lightning.config.plain import to_plain
from fer_lightning.config.schema import TrainConfig, TrainerConfig
from fer_lightning.data.corpora.folder import Folder
from fer_lightning.data.domains import DomainDataModule, data_of
from fer_lightning.data.fingerprint import file_digest
from fer_lightning.data.recorded import domains_of_run, faces_of_run
from fer_lightning.detectors.whole_image import WholeImageConfig
from fer_lightning.errors import UserError
from fer_lightning.jobs.train import check_devices, run, run_folder
from fer_lightning.models.cgan.config import CGANConfig
from fer_lightning.models.classifier.config import ClassifierConfig
from fer_lightning.models.config import FaceFormat, ModelConfig
from fer_lightning.models.egc_gan.config import EGCGANConfig, Encoder
from tests.helpers.runs import saved_run
from tests.helpers.small import small_archive

CLASSES = ["happiness", "sadness", "anger"]


def judge(folder: Path, classes: list[str] = CLASSES, seed: int = 0) -> Path:
    """The run of an untrained classifier."""
    faces = FaceFormat(image_size=32, channels=1, classes=classes, frequencies=[1] * len(classes))
    return saved_run(folder, ClassifierConfig(width=2), faces, seed)


def translating(folder: Path, **model: Any) -> TrainConfig:
    """Two archives of the same emotions, and a small translating model."""
    for number, name in enumerate(("a", "b")):
        if not (folder / name).is_dir():
            small_archive(folder / name, size=32, seed=number)
    if not (folder / "judge").is_dir():
        judge(folder / "judge")
    settings = {"classifier": folder / "judge"} | model
    domains = DomainsConfig(
        source=Folder(archive=folder / "a", batch_size=8), target=Folder(archive=folder / "b")
    )
    return config_of(
        EGCGANConfig(encoder=Encoder.lite, code_dim=4, width=2, **settings), domains=domains
    )


def config_of(model: ModelConfig, **given: Any) -> TrainConfig:
    given = {"data": Folder()} | given
    return TrainConfig(detector=WholeImageConfig(), image_size=32, model=model, **given)


def named(config: TrainConfig) -> tuple[str, Any]:
    """Name and identity of the run, of classes that all know."""
    faces = data_of(config)
    faces.setup()
    folder = run_folder(config, faces)
    return folder.path.name, folder.identity


def test_a_run_of_two_domains_is_named_after_both(tmp_path: Path) -> None:
    name, identity = named(translating(tmp_path))
    assert name.startswith("egc_gan-small-to-small-")
    assert name.endswith("-s0")
    assert "data" not in identity
    assert "detector" not in identity  # both blocks are archives
    assert identity["domains"].keys() == {"source", "target"}
    assert len(identity["archives"]) == 2


def test_the_judges_weights_are_part_of_the_run_and_its_place_is_not(tmp_path: Path) -> None:
    checkpoint = "checkpoints/last.ckpt"
    name, identity = named(translating(tmp_path))
    assert identity["model"]["classifier"] == file_digest(tmp_path / "judge" / checkpoint)
    (tmp_path / "judge").rename(tmp_path / "elsewhere")
    assert named(translating(tmp_path, classifier=tmp_path / "elsewhere"))[0] == name
    other = judge(tmp_path / "other", seed=1)
    assert named(translating(tmp_path, classifier=other))[0] != name
    without = named(translating(tmp_path, classifier_weight=0.0))[1]
    assert "classifier" not in without["model"]


def test_runs_of_one_domain_keep_their_identity(tmp_path: Path) -> None:
    small_archive(tmp_path / "a", size=32)
    config = config_of(CGANConfig(), data=Folder(archive=tmp_path / "a", batch_size=8))
    name, identity = named(config)
    assert name.startswith("cgan-small-")
    assert "-to-" not in name
    assert not {"domains", "people"} & (identity.keys() | identity["data"].keys())


def test_the_faces_of_a_run_are_found_again(tmp_path: Path) -> None:
    config = translating(tmp_path)
    config.run_dir = tmp_path / "run"
    faces = data_of(config, ["happiness", "anger"])
    faces.setup()
    assert isinstance(faces, DomainDataModule)
    run_folder(config, faces).start(to_plain(config), False, faces.archives)
    again = domains_of_run(tmp_path / "run", faces.classes)
    assert again.classes == ["happiness", "anger"]
    assert [a.key for a in again.archives] == [a.key for a in faces.archives]
    assert (again.division["train"] == faces.division["train"]).all()
    with pytest.raises(UserError, match="was trained on two domains"):
        faces_of_run(tmp_path / "run", labelled=True)


def test_what_a_judge_does_not_know_is_told_before_anything_is_written(tmp_path: Path) -> None:
    stranger = judge(tmp_path / "judge", ["neutral", "fear"])
    config = translating(tmp_path, classifier=stranger)
    config.run_dir = tmp_path / "run"
    with pytest.raises(UserError, match=r"no emotion that all know: .*model\.classifier has neut"):
        run(config)
    assert not (tmp_path / "run").exists()


def test_batches_that_devices_cannot_share_are_told_by_the_sources_key(tmp_path: Path) -> None:
    config = translating(tmp_path)
    config.trainer = TrainerConfig(devices=3, accelerator="cpu")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fer_lightning.jobs.train.core_count", lambda: 8)
        with pytest.raises(UserError, match=r"domains\.source\.batch_size=8 cannot be shared"):
            check_devices(config)
