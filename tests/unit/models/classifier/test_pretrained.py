"""ImageNet weights: found or asked for, taken over, and never able to run code."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torchvision import models

from fer_lightning.errors import UserError
from fer_lightning.models.classifier import pretrained
from fer_lightning.models.classifier.config import PRETRAINED, ClassifierConfig, Network
from fer_lightning.models.classifier.networks import FaceNetwork, build_network
from fer_lightning.models.classifier.pretrained import PUBLISHED, imagenet_file, load_imagenet
from fer_lightning.models.config import FaceFormat


def config(weights: Path | None, network: Network = Network.resnet18) -> ClassifierConfig:
    return ClassifierConfig(network=network, pretrained=True, weights=weights)


def network_of(chosen: ClassifierConfig) -> FaceNetwork:
    faces = FaceFormat(image_size=32, channels=1, classes=["a", "b"], frequencies=[1.0, 1.0])
    return build_network(chosen, faces)


@pytest.fixture(scope="module")
def published() -> models.ResNet:
    """A stand-in for the published network, with random weights."""
    torch.manual_seed(3)
    return models.resnet18().eval()


@pytest.fixture
def file(published: models.ResNet, tmp_path: Path) -> Path:
    torch.save(published.state_dict(), tmp_path / "resnet18.pth")
    return tmp_path / "resnet18.pth"


@torch.no_grad()
def test_the_published_layers_are_taken_and_the_last_one_is_new(
    file: Path, published: models.ResNet
) -> None:
    chosen = config(file)
    network = network_of(chosen).eval()
    head = network.head.weight.clone()
    load_imagenet(network, chosen)
    assert torch.equal(network.head.weight, head)
    gray = torch.rand(2, 1, 32, 32)
    normalise = models.ResNet18_Weights.IMAGENET1K_V1.transforms()
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (normalise.mean, normalise.std))
    features = network.features(gray * 2 - 1)
    logits = published((gray.repeat(1, 3, 1, 1) - mean) / std)
    torch.testing.assert_close(published.fc(features), logits, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("hidden", [0, 16])
@pytest.mark.parametrize("name", ["vgg11_bn", "vgg16", "resnet50"])
def test_linear_layers_are_taken_unless_a_hidden_one_replaces_them(
    name: str, hidden: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = ClassifierConfig(network=Network[name], pretrained=True, hidden=hidden)
    with torch.device("meta"):
        network, stock = network_of(chosen), getattr(models, name)()
    taken: dict[str, Tensor] = {}
    monkeypatch.setattr(pretrained, "imagenet_file", lambda *_: Path("stock.pth"))
    monkeypatch.setattr(pretrained, "read_state_dict", lambda *_: dict(stock.state_dict()))
    monkeypatch.setattr(network.body, "load_state_dict", taken.update)
    load_imagenet(network, chosen)
    assert taken.keys() == network.body.state_dict().keys()
    linear = {"classifier.0.weight", "classifier.3.weight"} & taken.keys()
    assert len(linear) == (2 if name.startswith("vgg") and not hidden else 0)


def test_weights_of_another_network_are_refused(file: Path) -> None:
    chosen = config(file, Network.resnet50)
    with pytest.raises(UserError, match=r"model\.network=resnet50 \(they are of another network"):
        load_imagenet(network_of(chosen), chosen)


def test_a_truncated_file_is_refused(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-2000])
    chosen = config(file)
    with pytest.raises(UserError, match=r"cannot be used .*fetch resnet18-f37072fd\.pth \(47 MB\)"):
        load_imagenet(network_of(chosen), chosen)


@pytest.mark.parametrize("content", [[1, 2], {"fc.weight": "text"}, {3: torch.zeros(1)}])
def test_a_file_without_weights_is_refused(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "weights.pth")
    chosen = config(tmp_path / "weights.pth")
    with pytest.raises(UserError, match="it is no state dict"):
        load_imagenet(network_of(chosen), chosen)


class Malicious:
    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.file,))


def test_a_pickle_that_runs_code_is_refused(tmp_path: Path) -> None:
    weights, proof = tmp_path / "weights.pth", tmp_path / "executed"
    torch.save({"conv1.weight": Malicious(proof)}, weights)
    chosen = config(weights)
    with pytest.raises(UserError, match=r"model\.weights=.*cannot be used"):
        load_imagenet(network_of(chosen), chosen)
    assert not proof.exists()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"model\.weights=.*typo\.pth: there is no such file"):
        imagenet_file(Network.resnet18, tmp_path / "typo.pth")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    return tmp_path / "hub" / "checkpoints"


def test_torchs_cache_comes_before_a_download(cache: Path) -> None:
    cache.mkdir(parents=True)
    (cache / "resnet50-0676ba61.pth").touch()
    assert imagenet_file(Network.resnet50, None) == cache / "resnet50-0676ba61.pth"


def test_a_download_checks_the_hash_and_has_a_timeout(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[Any, ...]] = []

    def download(url: str, path: str, hash_prefix: str) -> None:
        calls.append((url, path, hash_prefix, socket.getdefaulttimeout()))
        Path(path).touch()  # fails unless the folder is there

    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    path = imagenet_file(Network.vgg11_bn, None)
    assert path == cache / "vgg11_bn-6002323d.pth"
    url = "https://download.pytorch.org/models/vgg11_bn-6002323d.pth"
    assert calls == [(url, str(path), "6002323d", 30.0)]
    assert socket.getdefaulttimeout() is None


@pytest.mark.parametrize("error", [OSError("no route"), RuntimeError("invalid hash value")])
def test_without_a_network_the_error_says_what_to_fetch(
    cache: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def download(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    with pytest.raises(UserError) as raised:
        imagenet_file(Network.resnet18, None)
    message = str(raised.value)
    for part in ("model.pretrained=true", str(cache), str(error), "model.weights=PATH"):
        assert part in message
    assert "resnet18-f37072fd.pth (47 MB) from https://download.pytorch.org/models/" in message
    assert socket.getdefaulttimeout() is None


def test_every_network_that_may_be_pretrained_has_weights() -> None:
    assert set(PUBLISHED) == set(PRETRAINED) == set(pretrained.LAST_LAYER)
