"""The evaluator: what it measures, what it states, and that it leaves no trace in a training."""

from __future__ import annotations

from pathlib import Path

import lightning
import numpy as np
import pytest
import torch

from fer_lightning.callbacks.clock import images_seen
from fer_lightning.config.evaluate import EvaluationConfig
from fer_lightning.data.corpora.base import SplitConfig, SplitScheme
from fer_lightning.data.corpora.folder import Folder
from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.detectors.whole_image import WholeImageConfig
from fer_lightning.features import inception, pixels
from fer_lightning.features.base import FeatureConfig, FeatureUnavailable
from fer_lightning.features.network import FeatureNetwork, Features
from fer_lightning.features.pixels import PixelsConfig
from fer_lightning.loggers.metrics_file import MetricsFile
from fer_lightning.metrics import extraction
from fer_lightning.metrics import generation as generation_module
from fer_lightning.metrics.extraction import real_vectors
from fer_lightning.metrics.generation import GenerationEvaluator
from tests.unit.metrics.helpers import FreshNoise, Parrot, small_cgan, small_dcgan, small_faces


class Counting(FeatureNetwork):
    """A feature network with weights that counts its calls."""

    def __init__(self) -> None:
        super().__init__("counting", 5, {"feature": "counting"})
        self.layer = torch.nn.Linear(256, 5)
        self.calls = 0

    def forward(self, faces: torch.Tensor) -> Features:
        self.calls += 1
        vectors = self.layer(faces.flatten(1).float() / 255)
        return Features(vectors, None)


class Nowhere(FeatureConfig):
    def build(self) -> FeatureNetwork:
        raise FeatureUnavailable("no weights of nowhere")


def evaluator(folder: Path, split: str = "test", **settings: object) -> GenerationEvaluator:
    return GenerationEvaluator(
        small_faces(folder), split, [PixelsConfig(side=4)], EvaluationConfig(**settings)
    )  # type: ignore[arg-type]


def test_numbers_and_protocol_stand_together(tmp_path: Path) -> None:
    measuring = evaluator(tmp_path, neighbours=2)
    found = measuring.measure(small_cgan(measuring.faces, ema_half_life=100))
    assert {"frechet_pixels", "kernel_pixels", "precision_pixels", "copied_pixels"} <= set(
        found.metrics
    )
    assert {f"frechet_pixels/{e}" for e in ("happiness", "sadness", "anger")} <= set(found.metrics)
    protocol = found.protocol
    assert protocol["count"] == 9
    assert protocol["classes"] == {"happiness": 3, "sadness": 3, "anger": 3}
    assert protocol["features"] == [PixelsConfig(side=4).protocol()]
    assert protocol["ema"] is True
    assert protocol["kernel"] == {"subsets": 1, "subset_size": 9}


def test_measuring_repeats_itself_and_follows_the_seed(tmp_path: Path) -> None:
    one, two, other = (evaluator(tmp_path, seed=seed) for seed in (0, 0, 1))
    module = small_cgan(one.faces)
    assert one.measure(module).metrics == two.measure(module).metrics
    assert one.measure(module).metrics != other.measure(module).metrics


def test_a_model_that_repeats_its_training_images_is_found_out(tmp_path: Path) -> None:
    measuring = evaluator(tmp_path)
    found = measuring.measure(Parrot(measuring.faces))
    assert found.metrics["copied_pixels"] == 1
    assert found.metrics["near_duplicates_train"] == 1
    assert found.metrics["nearest_train_pixels"] == 0
    assert found.metrics["nearest_train_pixels_real"] > 0.01
    generated = found.pairs[0]
    assert (generated.images == generated.trained).all()
    fair = measuring.measure(FreshNoise(measuring.faces))
    assert fair.metrics["copied_pixels"] < 0.5
    assert fair.metrics["near_duplicates_train"] == 0


def test_training_images_are_no_yardstick_for_themselves(tmp_path: Path) -> None:
    measuring = evaluator(tmp_path, "train")
    found = measuring.measure(small_cgan(measuring.faces))
    assert "nearest_train_pixels" in found.metrics
    assert "copied_pixels" not in found.metrics
    assert len(found.pairs) == 1


def divided_anew(folder: Path, **split: object) -> FaceDataModule:
    """The faces of :func:`small_faces` in other parts."""
    data = Folder(archive=folder / "faces", batch_size=8, split=SplitConfig(**split))  # type: ignore[arg-type]
    faces = FaceDataModule(data, WholeImageConfig(), 16, None, seed=0)
    faces.setup()
    return faces


def test_training_images_in_another_division_are_no_yardstick(tmp_path: Path) -> None:
    own = small_faces(tmp_path)
    other = divided_anew(tmp_path, scheme=SplitScheme.stratified, test=0.5)
    settings = EvaluationConfig(per_class=False)
    found = GenerationEvaluator(other, "test", [], settings, trained_on=own).measure(
        small_cgan(own)
    )
    known = np.isin(other.division["test"], own.division["train"]).sum()
    assert 0 < known < len(other.division["test"])
    assert found.protocol["trained_on"]["no_yardstick"] == known
    assert found.metrics["nearest_train_pixels_real"] > 0.01
    # The nearest 1 % are one image, or half of them were there training images.
    assert found.metrics["copied_pixels_real"] == 1 / (len(other.division["test"]) - known)
    real = found.pairs[1]
    assert not (real.images == real.trained).all(axis=(1, 2, 3)).any()


def test_without_a_held_out_image_there_is_no_yardstick(tmp_path: Path) -> None:
    own = small_faces(tmp_path)
    other = divided_anew(tmp_path, scheme=SplitScheme.stratified, test=0.5)
    other.parts["test"] = own.parts["train"][:5]
    settings = EvaluationConfig(per_class=False)
    found = GenerationEvaluator(other, "test", [], settings, trained_on=own).measure(
        small_cgan(own)
    )
    assert found.protocol["trained_on"]["no_yardstick"] == 5
    assert "copied_pixels" not in found.metrics
    assert found.protocol["left_out"]["copied_pixels"] == "needs images not trained on"
    assert len(found.pairs) == 1


def test_versions_and_device_are_in_the_protocol(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measuring = evaluator(tmp_path)
    module = small_cgan(measuring.faces)
    before = measuring.protocol(module)
    assert before["device"] == "cpu"
    monkeypatch.setattr(generation_module, "VERSION", -1)
    after = measuring.protocol(module)
    assert after != before
    assert {**after, "version": before["version"]} == before
    weights = tmp_path / "weights.pth"
    weights.write_bytes(b"")
    for config, where in (
        (PixelsConfig(), pixels),
        (inception.InceptionConfig(weights=weights), inception),
    ):
        old = config.protocol()
        monkeypatch.setattr(where, "VERSION", -1)
        assert config.protocol() == {**old, "version": -1} != old


def test_kept_features_are_of_one_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    devices = []

    def extract(*arguments: object) -> Features:
        devices.append(str(arguments[-1]))
        return Features(torch.zeros(9, 5), None)

    faces = small_faces(tmp_path)
    monkeypatch.setattr(extraction, "extract", extract)
    for device in ("cpu", "meta", "cpu"):
        real_vectors(Counting(), faces, faces.division["test"], "", torch.device(device))
    assert devices == ["cpu", "meta"]


def test_groups_below_the_dimensions_are_named(tmp_path: Path) -> None:
    faces = small_faces(tmp_path)
    networks = [PixelsConfig(side=2), Counting()]
    measuring = GenerationEvaluator(faces, "test", networks, EvaluationConfig())
    found = measuring.protocol(small_cgan(faces))["below_dimensions"]
    small = ["happiness", "sadness", "anger"]  # three images each, nine in all
    assert found == {
        "pixels": {"dimensions": 4, "groups": small},
        "counting": {"dimensions": 5, "groups": small},
    }


def test_all_is_every_labelled_image(tmp_path: Path) -> None:
    faces = small_faces(tmp_path)
    module = small_cgan(faces)
    found = GenerationEvaluator(faces, "all", [], EvaluationConfig(per_class=False)).measure(module)
    assert (found.protocol["count"], found.protocol["labelled"]) == (60, 60)
    assert found.protocol["trained_on"]["no_yardstick"] == 42
    assert evaluator(tmp_path).protocol(module)["labelled"] == 60


class Judge(Counting):
    """It also says which emotion it sees."""

    emotions = ("happiness", "fear")

    def forward(self, faces: torch.Tensor) -> Features:
        vectors = super().forward(faces).vectors
        return Features(vectors, vectors[:, :2])


def test_a_model_without_classes_is_measured_as_a_whole(tmp_path: Path) -> None:
    emotions = ("fear", None, "anger", None)
    faces = small_faces(tmp_path, labelled=False, emotions=emotions)
    measuring = GenerationEvaluator(faces, "test", [Judge()], EvaluationConfig())
    found = measuring.measure(small_dcgan(faces))
    assert {"frechet_pixels", "frechet_counting", "copied_pixels"} <= set(found.metrics)
    assert not [name for name in found.metrics if "/" in name or name.startswith("judged")]
    assert (found.protocol["count"], found.protocol["labelled"]) == (9, 60)
    assert (found.protocol["classes"], found.protocol["unknown_emotions"]) == ({}, {})
    content = {"protocol": found.protocol, "metrics": found.metrics, "images_seen": 0}
    said = list(measuring.report(tmp_path / "e.json", content))
    assert "9 of the 60 images of small were measured; split=all takes every one" in said


def test_a_network_without_weights_is_skipped_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    faces = small_faces(tmp_path)
    measuring = GenerationEvaluator(
        faces, "test", [Nowhere(name="nowhere")], EvaluationConfig(per_class=False)
    )
    found = measuring.measure(small_cgan(faces))
    assert found.protocol["skipped"] == {"nowhere": "no weights of nowhere"}
    assert "frechet_pixels" in found.metrics
    assert capsys.readouterr().err == "fer: warning: no weights of nowhere\n"


def test_real_features_are_computed_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    faces = small_faces(tmp_path)
    network, module = Counting(), small_cgan(faces)
    settings = EvaluationConfig(per_class=False)
    first = GenerationEvaluator(faces, "test", [network], settings).measure(module)
    assert network.calls == 2  # real, generated
    second = GenerationEvaluator(faces, "test", [network], settings).measure(module)
    assert network.calls == 3
    assert first.metrics == second.metrics
    folder = tmp_path / "archives" / ".features"
    for file in folder.iterdir():
        file.write_bytes(file.read_bytes()[:-40])
    assert (
        GenerationEvaluator(faces, "test", [network], settings).measure(module).metrics
        == first.metrics
    )
    assert "is damaged" in capsys.readouterr().err
    for file in folder.iterdir():  # pickled objects are not opened
        np.savez(file, vectors=np.array([object()]))
    assert (
        GenerationEvaluator(faces, "test", [network], settings).measure(module).metrics
        == first.metrics
    )
    assert network.calls == 7


def test_an_unwritable_place_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    measuring = evaluator(tmp_path, per_class=False)
    monkeypatch.setenv("FER_ARCHIVES", str(tmp_path / "file"))
    assert measuring.measure(small_cgan(measuring.faces)).metrics
    assert "real features are not kept" in capsys.readouterr().err


@pytest.mark.parametrize("channels", [1, 3])
def test_colour_is_measured_too(tmp_path: Path, channels: int) -> None:
    faces = small_faces(tmp_path, channels=channels)
    measuring = GenerationEvaluator(faces, "test", [], EvaluationConfig(per_class=False))
    assert measuring.measure(small_cgan(faces)).metrics["frechet_pixels"] > 0


def trained(folder: Path, evaluate: bool) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """Weights and global random state after ten steps, with or without evaluations."""
    torch.manual_seed(0)
    faces = small_faces(folder)
    module = small_cgan(faces, dropout=0.3)
    callbacks: list[lightning.Callback] = []
    metrics = MetricsFile(folder / f"{evaluate}.csv")
    if evaluate:
        with torch.random.fork_rng(devices=[]):
            features = [Counting()]
        callbacks.append(
            GenerationEvaluator(faces, "val", features, EvaluationConfig(), 24, max_images=80)
        )
    trainer = lightning.Trainer(
        accelerator="cpu",
        logger=metrics,
        max_epochs=2,
        callbacks=callbacks,
        default_root_dir=folder,
        limit_val_batches=0,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(module, faces)
    assert images_seen(module) == 80
    return module.state_dict(), torch.get_rng_state()


def test_evaluating_changes_nothing_in_a_training(tmp_path: Path) -> None:
    plain, state = trained(tmp_path, evaluate=False)
    measured, state_measured = trained(tmp_path, evaluate=True)
    assert plain.keys() == measured.keys()
    assert all(torch.equal(plain[name], measured[name]) for name in plain)
    assert torch.equal(state, state_measured)
    rows = MetricsFile(tmp_path / "True.csv").rows()
    assert [row["images_seen"] for row in rows] == ["24", "48", "72", "80"]
    assert all(float(row["frechet_counting"]) > 0 for row in rows)
    assert not MetricsFile(tmp_path / "False.csv").rows()


def test_an_empty_part_is_refused_before_training(tmp_path: Path) -> None:
    faces = small_faces(tmp_path)
    faces.parts["val"] = faces.parts["val"][:1]
    measuring = GenerationEvaluator(faces, "val", [], EvaluationConfig(), 8)
    trainer = lightning.Trainer(
        accelerator="cpu", logger=False, callbacks=[measuring], max_epochs=1, limit_val_batches=0,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        default_root_dir=tmp_path,
    )  # fmt: skip
    faces.setup = lambda stage=None: None  # type: ignore[method-assign]
    with pytest.raises(Exception, match="split=val: 1 images"):
        trainer.fit(small_cgan(faces), faces)
