"""The classifier on the training base: steps, schedules, averages, selection, determinism."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from fer_lightning.data.batch import FaceBatch
from fer_lightning.models.classifier.config import (
    ClassifierConfig,
    Monitor,
    Network,
    Optimizer,
    Schedule,
)
from fer_lightning.models.classifier.module import Classifier
from fer_lightning.models.config import FaceFormat
from tests.helpers import training

CLASSES = ["happiness", "fear", "anger"]
FACES = FaceFormat(image_size=16, channels=1, classes=CLASSES, frequencies=[3, 2, 1])


def classifier(seed: int = 0, **settings: Any) -> Classifier:
    given = {"width": 4, "schedule": Schedule.constant, "dropout": 0.0, **settings}
    return Classifier(ClassifierConfig(**given), FACES, seed)


def batch(targets: Tensor | None = None) -> FaceBatch:
    """Brightness tells the classes apart."""
    generator = torch.Generator().manual_seed(1)
    emotions = torch.arange(12) % 3
    images = torch.rand((12, 1, 16, 16), generator=generator) * 0.2
    return FaceBatch(images + emotions[:, None, None, None] * 0.6 - 0.8, emotions, targets)


def train(module: Classifier, steps: int, targets: Tensor | None = None) -> list[dict[str, Tensor]]:
    return training.train(module, batch(targets), steps)


def weights(network: torch.nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in network.parameters()])


@pytest.mark.parametrize("optimizer", Optimizer)
def test_it_learns(optimizer: Optimizer) -> None:
    module = classifier(optimizer=optimizer, lr=1e-2)
    records = train(module, 30)
    assert records[-1]["loss"] < 0.3 * records[0]["loss"]
    assert records[-1]["train_accuracy"] == 1
    assert module.images_seen == 30 * 12


def test_the_same_seed_gives_the_same_weights() -> None:
    first, again, other = classifier(dropout=0.3), classifier(dropout=0.3), classifier(1)
    for module in (first, again):
        torch.manual_seed(0)
        train(module, 3)
    assert torch.equal(weights(first.network), weights(again.network))
    assert not torch.equal(weights(classifier().network), weights(other.network))


def test_votes_replace_the_majority() -> None:
    turned = torch.eye(3)[(batch().emotions + 1) % 3]  # everybody votes for the next class
    module = classifier(lr=1e-2)
    train(module, 30, turned)
    found = module.probabilities(batch().images).argmax(1)
    assert found.tolist() == ((batch().emotions + 1) % 3).tolist()


def test_mixup_and_class_weights_train() -> None:
    module = classifier(mixup=0.4, class_weights=True, label_smoothing=0.1, lr=1e-2)
    assert module.class_weights is not None
    assert module.class_weights.tolist() == pytest.approx([6 / 9, 1.0, 2.0])
    records = train(module, 60)
    assert records[-1]["loss"] < records[0]["loss"]


def test_the_rate_follows_the_schedule() -> None:
    module = classifier(schedule=Schedule.cosine, schedule_images=48, lr=0.5)
    rates = [record["rate"].item() for record in train(module, 4)]
    assert rates == pytest.approx([0.5 * (1 + 2**-0.5) / 2, 0.25, 0.5 * (1 - 2**-0.5) / 2, 0.0])


def test_kept_blocks_stay_as_they_are_while_it_trains() -> None:
    faces = FaceFormat(image_size=32, channels=1, classes=CLASSES, frequencies=[3, 2, 1])
    config = ClassifierConfig(
        network=Network.resnet18,
        pretrained=True,
        hidden=8,
        trained_blocks=1,
        schedule=Schedule.constant,
    )
    module = Classifier(config, faces, 0)
    before = {name: value.clone() for name, value in module.network.state_dict().items()}
    images = torch.rand((6, 1, 32, 32), generator=torch.Generator().manual_seed(1))
    training.train(module, FaceBatch(images, torch.arange(6) % 3), 2)
    now = module.network.state_dict()
    moved = {name for name, value in now.items() if not torch.equal(value, before[name])}
    assert moved == {n for n in now if n.startswith(("body.layer4.", "hidden.", "head."))}


def test_clipping_bounds_a_step() -> None:
    free, clipped = (classifier(optimizer=Optimizer.sgd, gradient_clip=c) for c in (0.0, 1e-6))
    start = weights(free.network)
    for module in (free, clipped):
        train(module, 1)
    moved = [(weights(module.network) - start).norm() for module in (free, clipped)]
    assert moved[1] < 1e-3 * moved[0]


def test_the_best_weights_are_kept() -> None:
    module = classifier(lr=1e-2)
    assert module.best_network is module.network  # nothing was validated yet
    train(module, 2)
    module.validated({"accuracy": 0.5, "macro_f1": 0.1, "cross_entropy": 1.0})
    best = weights(module.network)
    train(module, 2)
    module.validated({"accuracy": 0.4, "macro_f1": 0.9, "cross_entropy": 0.1})
    assert torch.equal(weights(module.best_network), best)
    assert not torch.equal(weights(module.network), best)
    assert (module.selected_images, module.best_score, module.since_best) == (24, 0.5, 1)


def test_averaged_weights_are_what_is_measured_and_kept() -> None:
    module = classifier(ema_half_life=100, lr=1e-2)
    train(module, 4)
    assert module.average is not None
    module.validated({"accuracy": 0.5, "macro_f1": 0.5, "cross_entropy": 1.0})
    assert torch.equal(weights(module.best_network), weights(module.average.network))
    assert not torch.equal(weights(module.best_network), weights(module.network))


def test_the_last_weights_where_none_are_kept() -> None:
    module = classifier(keep_best=False)
    module.validated({"accuracy": 0.5, "macro_f1": 0.5, "cross_entropy": 1.0})
    assert module.best_network is module.network


@pytest.mark.parametrize(
    ("monitor", "worse"),
    [
        (Monitor.accuracy, {"accuracy": 0.4, "macro_f1": 1.0, "cross_entropy": 0.0}),
        (Monitor.macro_f1, {"accuracy": 1.0, "macro_f1": 0.4, "cross_entropy": 0.0}),
        (Monitor.loss, {"accuracy": 1.0, "macro_f1": 1.0, "cross_entropy": 2.0}),
    ],
)
def test_what_is_monitored_decides(monitor: Monitor, worse: dict[str, float]) -> None:
    module = classifier(monitor=monitor, patience=1)
    module.validated({"accuracy": 0.5, "macro_f1": 0.5, "cross_entropy": 1.0})
    assert not module.converged
    module.validated(worse)
    assert module.converged


def test_a_plateau_lowers_the_rate_again_and_again() -> None:
    module = classifier(schedule=Schedule.plateau, plateau_patience=2, plateau_factor=0.1)
    for _ in range(5):  # the first is the best
        module.validated({"accuracy": 0.5, "macro_f1": 0.5, "cross_entropy": 1.0})
    assert module.plateau == pytest.approx(0.01)
    assert not module.converged  # patience=0


def test_the_end_of_a_run_keeps_weights_and_counts_nothing() -> None:
    module = classifier(schedule=Schedule.plateau, plateau_patience=1, patience=1)
    worse, better = ({"accuracy": a, "macro_f1": a, "cross_entropy": 1.0} for a in (0.4, 0.6))
    module.validated({**worse, "accuracy": 0.5})
    module.images_seen = 3
    module.validated(worse, regular=False)
    assert (module.plateau, module.converged, module.since_best) == (1.0, False, 0)
    module.validated(better, regular=False)
    assert (module.selected_images, module.measured_images) == (3, 3)


def test_probabilities_leave_the_network_as_it_was() -> None:
    module = classifier()
    module.network.train()
    before = [buffer.clone() for buffer in module.buffers()]
    images = batch().images
    found = module.probabilities(images)
    assert module.network.training
    assert all(torch.equal(a, b) for a, b in zip(before, module.buffers(), strict=True))
    assert found.sum(1).tolist() == pytest.approx([1.0] * 12)
    flipped = module.probabilities(images, flip=True)
    mirrored = module.probabilities(images.flip(3))
    torch.testing.assert_close(flipped, (found + mirrored) / 2)
    module.network.eval()
    one_by_one = torch.cat([module.probabilities(image[None]) for image in images])
    torch.testing.assert_close(one_by_one, found)


def test_a_checkpoint_takes_up_what_validations_led_to() -> None:
    module = classifier(schedule=Schedule.plateau, plateau_patience=1)
    module.images_seen = 7
    for accuracy in (0.5, 0.4):
        module.validated({"accuracy": accuracy, "macro_f1": 0.5, "cross_entropy": 1.0})
    saved: dict[str, Any] = {}
    module.on_save_checkpoint(saved)
    other = classifier(schedule=Schedule.plateau, plateau_patience=1)
    other.load_state_dict(module.state_dict())
    other.restore(saved["fer"])
    assert (other.images_seen, other.selected_images, other.plateau) == (7, 7, 0.5)
    assert (other.best_score, other.since_best) == (0.5, 1)
    assert torch.equal(weights(other.best_network), weights(module.best_network))


def test_whoever_listens_hears_the_network_that_the_run_stands_for() -> None:
    module = classifier(keep_best=True, dropout=0.5)
    train(module, 1)
    module.validated({"accuracy": 0.5, "macro_f1": 0.5, "cross_entropy": 1.0})
    train(module, 2)
    module.train()
    heard: list[Tensor] = []
    module.best_network.register_forward_hook(lambda module, inputs, out: heard.append(out))
    images = batch().images
    module.perceive(images)
    assert module.best_network is module.selected
    assert torch.equal(heard[0].softmax(1), module.probabilities(images))
