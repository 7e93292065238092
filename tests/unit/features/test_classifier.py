"""A trained classifier as a feature space."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from fer_lightning.data.conversion import LUMA
from fer_lightning.errors import UserError
from fer_lightning.features.classifier import ClassifierFeatureConfig
from fer_lightning.features.layer import LayerFeatureConfig
from fer_lightning.models.base import TrainingModule
from fer_lightning.models.cgan.config import CGANConfig
from fer_lightning.models.classifier.config import ClassifierConfig
from fer_lightning.models.config import FaceFormat
from tests.helpers.runs import save


def saved_run(folder: Path, channels: int = 1, config: Any = None) -> TrainingModule:
    """A run folder with a checkpoint of an untrained model."""
    known = FaceFormat(
        image_size=16, channels=channels, classes=["fear", "anger"], frequencies=[1, 1]
    )
    module: TrainingModule = (config or ClassifierConfig(width=4)).build(known, 0)
    save(module, folder)
    return module.eval()


def faces(size: int, channels: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (5, size, size, channels), dtype=torch.uint8, generator=generator)


def test_vectors_are_what_the_last_layer_receives(tmp_path: Path) -> None:
    module: Any = saved_run(tmp_path)
    network = ClassifierFeatureConfig(run=tmp_path).build()
    images = faces(16, 1)
    found = network(images)
    assert found.vectors.shape == (5, network.num_features) == (5, 256)
    expected = module.network(images.permute(0, 3, 1, 2).float() / 127.5 - 1)
    torch.testing.assert_close(found.logits, expected)
    head: nn.Linear = module.network.head
    torch.testing.assert_close(head(found.vectors), expected)
    assert network.emotions == ["fear", "anger"]


def test_other_sizes_and_colours_are_brought_to_its_own(tmp_path: Path) -> None:
    saved_run(tmp_path / "gray")
    gray = ClassifierFeatureConfig(run=tmp_path / "gray").build()
    colour = faces(24, 3)
    by_hand = (colour.float() @ torch.tensor(LUMA))[..., None].round().to(torch.uint8)
    torch.testing.assert_close(gray(colour).logits, gray(by_hand).logits, atol=0.05, rtol=0.05)
    saved_run(tmp_path / "colour", channels=3)
    wide = ClassifierFeatureConfig(run=tmp_path / "colour").build()
    one = faces(16, 1)
    torch.testing.assert_close(wide(one).logits, wide(one.expand(-1, -1, -1, 3)).logits)


def test_its_protocol_follows_the_weights(tmp_path: Path) -> None:
    saved_run(tmp_path / "a")
    saved_run(tmp_path / "b", config=ClassifierConfig(width=6))
    protocols = [ClassifierFeatureConfig(run=tmp_path / name).protocol() for name in "ab"]
    assert protocols[0]["checkpoint"] != protocols[1]["checkpoint"]
    assert ClassifierFeatureConfig(run=tmp_path / "a").build().protocol == protocols[0]


def test_only_a_classifier_will_do(tmp_path: Path) -> None:
    saved_run(tmp_path, config=CGANConfig(width=4))
    with pytest.raises(UserError, match="is no classifier"):
        ClassifierFeatureConfig(run=tmp_path).build()
    with pytest.raises(UserError, match="there is no checkpoints"):
        ClassifierFeatureConfig(run=tmp_path / "nowhere").protocol()


def test_a_run_may_be_an_experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved_run(tmp_path / "made")
    asked = []

    def trained(given: Path | str, key: str, model: str | None = None) -> Path:
        asked.append((str(given), key, model))
        return tmp_path / "made"

    monkeypatch.setattr("fer_lightning.experiments.prepared_run", trained)
    for config in (
        ClassifierFeatureConfig(run=Path("experiment:small")),
        LayerFeatureConfig(run=Path("experiment:small"), layer="network.head"),
    ):
        protocol = config.protocol()
        assert config.run == tmp_path / "made"
        assert config.build().protocol == protocol
    assert asked[0] == ("experiment:small", "feature.run", "classifier")
    assert asked[2] == ("experiment:small", "feature.run", None)
