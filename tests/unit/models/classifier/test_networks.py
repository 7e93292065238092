"""The classifier's networks: shapes, published parameter counts, what a trainer does to them."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn
from torchvision import models

from fer_lightning.models.classifier.config import LEAST_SIZE, WIDTHS, ClassifierConfig, Network
from fer_lightning.models.classifier.networks import FaceNetwork, ImageNetInput, build_network
from fer_lightning.models.config import FaceFormat


def build(
    network: Network,
    size: int,
    channels: int = 1,
    classes: int = 7,
    width: int = 64,
    dropout: float = 0.5,
    pretrained: bool = False,
) -> FaceNetwork:
    config = ClassifierConfig(network=network, width=width, dropout=dropout, pretrained=pretrained)
    names = [str(index) for index in range(classes)]
    faces = FaceFormat(image_size=size, channels=channels, classes=names, frequencies=[1.0] * 7)
    return build_network(config, faces)


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def weightless(network: Network, size: int, channels: int = 1, classes: int = 7) -> FaceNetwork:
    with torch.device("meta"):  # shapes alone, no memory and no time
        return build(network, size, channels, classes)


@pytest.mark.parametrize("network", Network)
def test_any_size_from_the_least_on(network: Network) -> None:
    least = LEAST_SIZE.get(network, 32)
    for size, channels in ((least, 1), (47, 3), (64, 1), (65, 3), (96, 1), (129, 1), (224, 3)):
        built = weightless(network, size, channels).eval()
        images = torch.empty(2, channels, size, size, device="meta")
        features = built.features(images)
        assert features.shape == (2, built.num_features)
        assert built.classify(features).shape == (2, 7)


# At 48 pixels, gray, 7 classes: models/classifier/README.md quotes them.
COUNTS = {
    Network.paper_b: 3_507_783,
    Network.vgg_fer: 40_374_599,
    Network.vgg11_bn: 28_136_071,
    Network.vgg16: 33_624_775,
    Network.alexnet: 45_477_703,
    Network.resnet18: 11_171_271,
    Network.resnet18_se: 11_258_311,
    Network.resnet18_cbam: 11_259_111,
    Network.resnet50: 23_513_543,
}


@pytest.mark.parametrize("network", Network)
def test_parameters_at_48_pixels(network: Network) -> None:
    assert parameters(weightless(network, 48)) == COUNTS[network]


def test_paper_b_is_the_table_of_b3() -> None:
    filters = [(1, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 512)]
    convolutions = sum(9 * inputs * outputs + 2 * outputs for inputs, outputs in filters)
    dense = 4608 * 256 + 2 * 256
    assert COUNTS[Network.paper_b] == convolutions + dense + 256 * 7 + 7
    network = weightless(Network.paper_b, 48)
    assert [m.p for m in network.modules() if isinstance(m, nn.Dropout)] == [0.25] * 4 + [0.5]


def test_vgg_fer_is_the_authors_but_for_the_biases_of_convolutions() -> None:
    filters = [(1, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 512)]
    filters.append((512, 512))
    convolutions = sum(9 * inputs * outputs + 2 * outputs for inputs, outputs in filters)
    dense = (512 * 2 * 2 + 1) * 4096 + 4097 * 4096 + 4097 * 7
    assert parameters(weightless(Network.vgg_fer, 40)) == convolutions + dense  # they crop to 40


# The published networks have colour images of 224 pixels and 1000 classes. AlexNet here has batch
# normalisation (2 values a filter) in the place of its 1152 biases.
PUBLISHED = {
    Network.resnet18: 11_689_512,
    Network.resnet50: 25_557_032,
    Network.vgg11_bn: 132_868_840,
    Network.vgg16: 138_357_544,
    Network.alexnet: 61_100_840 + 1152,
    # Woo et al. (2018), table 4, print 11.78 M for both.
    Network.resnet18_se: 11_689_512 + 87_040,
    Network.resnet18_cbam: 11_689_512 + 87_040 + 8 * 100,
}


@pytest.mark.parametrize("network", PUBLISHED)
def test_published_networks_have_their_published_size(network: Network) -> None:
    built = weightless(network, 224, channels=3, classes=1000)
    assert parameters(built) == PUBLISHED[network]
    stock = getattr(models, network.name, None)
    if stock is not None and network is not Network.alexnet:
        with torch.device("meta"):
            assert parameters(built) == parameters(stock())


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "vgg11_bn", "vgg16"])
@pytest.mark.parametrize("size", [48, 224])
def test_pretrained_networks_keep_the_published_names_and_shapes(name: str, size: int) -> None:
    with torch.device("meta"):
        ours = build(Network[name], size, pretrained=True)
        theirs = getattr(models, name)().state_dict()
    shapes = {key: value.shape for key, value in ours.body.state_dict().items()}
    last = "fc." if name.startswith("resnet") else "classifier.6."
    assert shapes == {k: v.shape for k, v in theirs.items() if not k.startswith(last)}
    assert ours(torch.empty(2, 1, size, size, device="meta")).shape == (2, 7)


# Papers.md E.9: 224 pixels, 7 classes, 512 hidden units; then the last block and what follows it.
PAPER_E = {
    Network.vgg16: (14_714_688 + 513 * 512 + 513 * 7, 3 * (512 * 512 * 9 + 512)),
    Network.resnet50: (23_508_032 + 2049 * 512 + 513 * 7, 14_964_736),
}


@pytest.mark.parametrize("network", PAPER_E)
def test_paper_es_classifiers_train_their_last_block_and_head(network: Network) -> None:
    config = ClassifierConfig(network=network, pretrained=True, hidden=512, trained_blocks=1)
    faces = FaceFormat(image_size=224, channels=3, classes=["x"] * 7, frequencies=[1.0] * 7)
    with torch.device("meta"):
        built = build_network(config, faces)
    total, block = PAPER_E[network]
    assert parameters(built) == total
    trained = {name: p for name, p in built.named_parameters() if p.requires_grad}
    linear = [name for name in trained if name.startswith(("hidden.", "head."))]
    assert sum(p.numel() for p in trained.values()) == block + sum(
        trained[name].numel() for name in linear
    )
    last = ("body.features.24.", "body.features.26.", "body.features.28.", "body.layer4.")
    assert all(name.startswith(last) for name in trained.keys() - set(linear))
    assert len(linear) == 4
    features = built.eval().features(torch.empty(2, 3, 224, 224, device="meta"))
    assert features.shape == (2, built.num_features) == (2, 512)


@pytest.mark.parametrize("count", [0, 2, 5, None])
def test_kept_blocks_keep_their_weights_and_statistics(count: int | None) -> None:
    config = ClassifierConfig(network=Network.resnet18, pretrained=True, trained_blocks=count)
    faces = FaceFormat(image_size=32, channels=1, classes=["a", "b"], frequencies=[1.0, 1.0])
    network = copy.deepcopy(build_network(config, faces))
    assert [network.eval().training, network.train().training] == [False, True]
    blocks = ["conv1", "layer1", "layer2", "layer3", "layer4"]
    kept = blocks[: 5 - (5 if count is None else count)]
    trained = [name for name in blocks if getattr(network.body, name).training]
    assert trained == [name for name in blocks if name not in kept]
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network(torch.rand(4, 1, 32, 32)).sum().backward()
    moved = {name for name, value in network.state_dict().items() if (value != before[name]).any()}
    within = {name.split(".")[1] for name in moved}
    assert within == {*trained, "bn1"} - {"conv1", *([] if "conv1" in trained else ["bn1"])}
    graded = {name.split(".")[1] for name, p in network.named_parameters() if p.grad is not None}
    assert graded & {*blocks} == {*trained}
    assert network.head.weight.grad is not None


@pytest.mark.parametrize(
    ("size", "side"), [(32, 4), (48, 6), (64, 8), (96, 3), (224, 7)], ids=lambda value: str(value)
)
def test_small_faces_keep_their_places_in_a_resnet(size: int, side: int) -> None:
    network = weightless(Network.resnet18, size)
    shapes = []
    network.body.layer4.register_forward_hook(lambda *call: shapes.append(call[2].shape))
    network(torch.empty(2, 1, size, size, device="meta"))
    assert shapes == [(2, 512, side, side)]


@pytest.fixture(scope="module", params=Network, ids=lambda network: network.name)
def small(request: pytest.FixtureRequest) -> FaceNetwork:
    torch.manual_seed(0)
    network = request.param
    width = 8 if network in WIDTHS else 64
    return build(network, LEAST_SIZE.get(network, 32), width=width, dropout=0.0)


def faces_for(network: FaceNetwork, count: int = 3) -> Tensor:
    side = 16 if network.num_features == 256 else 32  # paper_b's least size
    return torch.rand(count, 1, side, side, generator=torch.Generator().manual_seed(1)) * 2 - 1


def test_the_gradient_reaches_every_parameter(small: FaceNetwork) -> None:
    small.train()
    loss = nn.functional.cross_entropy(small(faces_for(small)), torch.tensor([0, 3, 6]))
    loss.backward()
    silent = [name for name, p in small.named_parameters() if not p.grad.abs().sum() > 0]
    small.zero_grad()
    assert silent == []


@torch.no_grad()
def test_eval_mode_sees_each_face_alone(small: FaceNetwork) -> None:
    small.eval()
    images = faces_for(small)
    logits = small(images)
    assert logits.std() > 0
    torch.testing.assert_close(small.classify(small.features(images)), logits)
    torch.testing.assert_close(small(images[1:2]), logits[1:2], atol=1e-4, rtol=1e-4)
    same = small(images.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(same, logits, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_copies_and_double_precision(small: FaceNetwork) -> None:
    twin = copy.deepcopy(small).eval().double()
    images = faces_for(small)
    logits = twin(images.double())
    assert logits.dtype == torch.float64
    torch.testing.assert_close(small.eval()(images).double(), logits, atol=1e-4, rtol=1e-4)
    assert {p.dtype for p in small.parameters()} == {torch.float32}  # the copy shares nothing


@pytest.mark.slow
@pytest.mark.parametrize("network", [Network.paper_b, Network.vgg11_bn, Network.resnet18_cbam])
def test_a_network_is_one_graph_for_the_compiler(network: Network) -> None:
    pretrained = network is Network.vgg11_bn
    built = build(network, 32, pretrained=pretrained).eval()
    images = torch.rand(2, 1, 32, 32)
    compiled = torch.compile(built, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(images), built(images))


def test_dropout_is_only_before_the_last_layer_of_a_resnet() -> None:
    network = build(Network.resnet18, 32, dropout=0.5).train()
    features = torch.ones(64, 512)
    assert not torch.equal(network.classify(features)[0], network.classify(features)[1])
    assert [m for m in network.body.modules() if isinstance(m, nn.Dropout)] == []


def test_initial_weights_are_hes_and_follow_the_seed() -> None:
    torch.manual_seed(5)
    network = build(Network.paper_b, 16, width=16)
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            expected = (2 / (9 * module.out_channels)) ** 0.5  # fan-out
            assert module.weight.std().item() == pytest.approx(expected, rel=0.2)
            assert module.bias is None
        elif isinstance(module, nn.BatchNorm2d):
            assert module.weight.eq(1).all()
            assert module.bias.eq(0).all()
    assert network.head.bias.eq(0).all()
    torch.manual_seed(5)
    again, other = (build(Network.paper_b, 16, width=16) for _ in range(2))
    pairs = zip(network.parameters(), again.parameters(), strict=True)
    assert all(torch.equal(one, two) for one, two in pairs)
    assert not torch.equal(network.head.weight, other.head.weight)


def test_biases_of_vggs_convolutions_begin_at_zero() -> None:
    network = build(Network.vgg11_bn, 32)
    biases = [m.bias for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert len(biases) == 11
    assert all(bias.eq(0).all() for bias in biases)


def test_imagenet_input_is_torchvisions_normalisation() -> None:
    gray = torch.rand(2, 1, 4, 4)
    transform = models.ResNet18_Weights.IMAGENET1K_V1.transforms()
    expected = (gray.repeat(1, 3, 1, 1) - torch.tensor(transform.mean).view(3, 1, 1)) / (
        torch.tensor(transform.std).view(3, 1, 1)
    )
    torch.testing.assert_close(ImageNetInput()(gray * 2 - 1), expected)
    colour = torch.rand(2, 3, 4, 4)
    assert ImageNetInput()(colour).shape == colour.shape
    assert ImageNetInput().state_dict() == {}  # constants are no part of a checkpoint


@torch.no_grad()
def test_a_pretrained_network_sees_gray_as_colour() -> None:
    network = build(Network.resnet18, 32, channels=1, pretrained=True).eval()
    assert network.body.conv1.weight.shape == (64, 3, 7, 7)
    gray = torch.rand(2, 1, 32, 32)
    torch.testing.assert_close(network(gray), network(gray.repeat(1, 3, 1, 1)))
