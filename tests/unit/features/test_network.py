"""Feature networks: shapes, ranges, and weights that cannot run code."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch

from fer_lightning.errors import UserError
from fer_lightning.features.base import FeatureUnavailable
from fer_lightning.features.inception import InceptionConfig
from fer_lightning.features.pixels import PixelsConfig
from fer_lightning.features.weights import INCEPTION_FILE, inception_weights, read_weights


def test_pixels_are_area_means_of_gray_values() -> None:
    network = PixelsConfig(side=2).build()
    face = torch.zeros((1, 4, 4, 1), dtype=torch.uint8)
    face[0, :2, 2:] = 255
    face[0, 3, 0] = 102
    vectors, logits = network(face)
    torch.testing.assert_close(vectors, torch.tensor([[0.0, 1.0, 0.1, 0.0]]))
    assert logits is None
    assert network.num_features == 4


def test_pixels_see_colour_as_luma() -> None:
    network = PixelsConfig(side=2).build()
    red, gray = torch.zeros((2, 1, 2, 2, 3), dtype=torch.uint8)
    red[..., 0] = 100
    gray[...] = 100
    torch.testing.assert_close(network(red).vectors, torch.full((1, 4), 29.9 / 255))
    torch.testing.assert_close(network(gray).vectors, network(gray[..., :1]).vectors)


class Malicious:
    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self):  # type: ignore[no-untyped-def]
        return (Path.touch, (self.file,))


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_that_runs_code_is_refused(tmp_path: Path, zipped: bool) -> None:
    weights, proof = tmp_path / "weights.pth", tmp_path / "executed"
    if zipped:
        torch.save({"fc.weight": Malicious(proof)}, weights)
    else:
        weights.write_bytes(pickle.dumps(Malicious(proof), protocol=2))
    with pytest.raises(UserError, match=r"feature\.weights=.*cannot be used"):
        InceptionConfig(weights=weights).build()
    assert not proof.exists()


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    weights = tmp_path / "weights.pth"
    torch.save({"fc.weight": torch.zeros(1000)}, weights)
    weights.write_bytes(weights.read_bytes()[:-200])
    with pytest.raises(UserError, match=r"cannot be used .* fetch weights-inception"):
        read_weights(weights)


@pytest.mark.parametrize("content", [[1, 2], {"a": 1}, {1: torch.zeros(2)}])
def test_a_file_without_weights_is_refused(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "weights.pth")
    with pytest.raises(UserError, match="no state dict"):
        read_weights(tmp_path / "weights.pth")


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    torch.save({"layer.weight": torch.zeros(3)}, tmp_path / "weights.pth")
    state = torch.get_rng_state()
    with pytest.raises(UserError, match="of another network"):
        InceptionConfig(weights=tmp_path / "weights.pth").build()
    assert torch.equal(torch.get_rng_state(), state)


def test_a_missing_file_is_not_skipped(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no such file") as caught:
        InceptionConfig(weights=tmp_path / "typo.pth").protocol()
    assert not isinstance(caught.value, FeatureUnavailable)


def test_torch_hubs_cache_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    cached = tmp_path / "hub" / "checkpoints" / INCEPTION_FILE
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"x")
    assert inception_weights(None) == cached
    one = InceptionConfig().protocol()
    cached.write_bytes(b"y")
    assert one != InceptionConfig().protocol()
    assert InceptionConfig(antialias=True).protocol() != InceptionConfig().protocol()


def test_without_a_network_the_remedy_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise OSError("Name or service not known")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    with pytest.raises(FeatureUnavailable) as caught:
        InceptionConfig().build()
    message = str(caught.value)
    assert "feature.weights=PATH" in message
    assert (
        f"https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/{INCEPTION_FILE}"
        in message
    )
