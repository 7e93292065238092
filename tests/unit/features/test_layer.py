"""Any layer of a run's network as a feature space."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from fer_lightning.data.batch import to_unit_range
from fer_lightning.errors import UserError
from fer_lightning.features.layer import LayerFeatureConfig
from fer_lightning.models.cgan.config import CGANConfig
from fer_lightning.models.classifier.config import ClassifierConfig
from tests.unit.features.test_classifier import faces, saved_run


def layer(run: Path, name: str) -> Any:
    return LayerFeatureConfig(run=run, layer=name).build()


@pytest.mark.parametrize("name", ["discriminator.blocks.0", "discriminator.blocks.7"])
def test_vectors_are_what_the_layer_gives(tmp_path: Path, name: str) -> None:
    module: Any = saved_run(tmp_path, config=CGANConfig(width=4))
    network = layer(tmp_path, name)
    images = faces(16, 1)
    planes = torch.zeros(5, 2, 16, 16)  # no emotion is claimed
    with torch.no_grad():
        blocks = module.discriminator.blocks[: int(name[-1]) + 1]
        expected = blocks(torch.cat([to_unit_range(images), planes], 1)).flatten(1)
    found = network(images)
    assert found.logits is None
    assert found.vectors.dtype == torch.float32
    assert found.vectors.shape == (5, network.num_features)
    torch.testing.assert_close(found.vectors, expected)  # before the next layer works in place
    assert not found.vectors.requires_grad


def test_a_logit_is_a_vector_of_one(tmp_path: Path) -> None:
    saved_run(tmp_path, config=CGANConfig(width=4))
    network = layer(tmp_path, "discriminator")
    assert network.num_features == 1
    assert network(faces(16, 1)).vectors.shape == (5, 1)


def test_faces_are_shown_in_its_size_and_colours(tmp_path: Path) -> None:
    saved_run(tmp_path, config=CGANConfig(width=4))
    network = layer(tmp_path, "discriminator.blocks")
    one = faces(16, 1)
    torch.testing.assert_close(
        network(one.expand(-1, -1, -1, 3)).vectors, network(one).vectors, atol=1e-4, rtol=1e-4
    )
    assert network(faces(24, 3)).vectors.shape == (5, network.num_features)
    assert network.faces["image_size"] == 16


def test_each_face_is_alone_and_nothing_is_learnt(tmp_path: Path) -> None:
    saved_run(tmp_path)  # a classifier with batch norm
    network = layer(tmp_path, "network.head").train()
    before = {name: value.clone() for name, value in network.module.state_dict().items()}
    images = faces(16, 1)
    torch.testing.assert_close(network(images).vectors[:2], network(images[:2]).vectors)
    for name, value in network.module.state_dict().items():
        assert torch.equal(value, before[name])


def test_another_layer_is_another_protocol(tmp_path: Path) -> None:
    saved_run(tmp_path, config=CGANConfig(width=4))
    configs = [LayerFeatureConfig(run=tmp_path, layer=f"discriminator.blocks.{n}") for n in (1, 3)]
    first, second = (config.protocol() for config in configs)
    assert first != second
    assert first["checkpoint"] == second["checkpoint"]
    assert configs[0].build().protocol == first


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("discriminator.block.7", "has no such layer; did you mean discriminator.blocks.7? A face"),
        ("nothing", "has no such layer; A face passes through discriminator.blocks.0, "),
        ("generator.blocks", "no face passes through this layer; did you mean discriminator.bl"),
    ],
)
def test_a_wrong_layer_is_told_with_the_right_ones(tmp_path: Path, name: str, told: str) -> None:
    saved_run(tmp_path, config=CGANConfig(width=4))
    with pytest.raises(UserError) as error:
        layer(tmp_path, name)
    assert f"feature.layer={name}" in str(error.value)
    assert told in str(error.value)
    assert "generator.dense" not in str(error.value)
    assert "parametrizations" not in str(error.value)


def test_long_lists_are_cut(tmp_path: Path) -> None:
    saved_run(tmp_path, config=ClassifierConfig(width=4))
    with pytest.raises(UserError, match=r"network\.\w+.* … \(and \d+ within them\)"):
        layer(tmp_path, "zzz")


def test_a_run_is_needed(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"feature\.run=.*there is no checkpoints"):
        layer(tmp_path, "discriminator")
