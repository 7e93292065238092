"""Paper C's GAN on the training base: gradients, the untouched classifier, checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from fer_lightning.checkpoints import checkpoint_of, load_model
from fer_lightning.data.batch import FaceBatch
from fer_lightning.errors import UserError
from fer_lightning.models.classifier.config import ClassifierConfig
from fer_lightning.models.config import FaceFormat
from fer_lightning.models.egc_gan.config import EGCGANConfig, Encoder
from fer_lightning.models.egc_gan.module import EGCGAN
from fer_lightning.models.sampling import SamplingModule
from tests.helpers import training
from tests.helpers.runs import save

CLASSES = ["happiness", "fear"]
FACES = FaceFormat(image_size=32, channels=3, classes=CLASSES, frequencies=[1, 1])


def judge_run(folder: Path, seed: int = 0, certainty: float = 1.0) -> Path:
    """A gray classifier of other faces, which counts the classes otherwise and knows one more."""
    known = FaceFormat(
        image_size=16, channels=1, classes=["fear", "anger", "happiness"], frequencies=[1] * 3
    )
    module: Any = ClassifierConfig(width=4).build(known, seed)
    with torch.no_grad():
        module.network.head.weight.mul_(certainty)
    return save(module, folder)


@pytest.fixture
def judge(tmp_path: Path) -> Path:
    return judge_run(tmp_path / "judge")


def egc_gan(judge: Path, seed: int = 0, **settings: Any) -> EGCGAN:
    given = {"encoder": Encoder.lite, "code_dim": 16, "width": 4, **settings}
    return EGCGAN(EGCGANConfig(classifier=judge, **given), FACES, seed)


def batch(size: int = 8) -> FaceBatch:
    generator = torch.Generator().manual_seed(1)
    target, source = (torch.rand((size, 3, 32, 32), generator=generator) * 2 - 1 for _ in range(2))
    return FaceBatch(target, torch.arange(size) % 2, source=source)


def train(module: EGCGAN, steps: int) -> list[dict[str, Tensor]]:
    return training.train(module, batch(), steps)


def weights(network: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def buffers(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def test_a_step_trains_all_three_networks_and_records_the_terms(judge: Path) -> None:
    module = egc_gan(judge, reconstruction_weight=1.0, identity_weight=1.0)
    generator: Any = module.generator
    parts = (generator.encoder, generator.decoder, module.discriminator)
    before = [weights(part) for part in parts]
    (record,) = train(module, 1)
    assert set(record) == {
        *("d_loss", "d_real", "d_fake", "d_mean"),
        *("g_loss", "g_adversarial", "g_classifier", "g_reconstruction", "g_identity"),
    }
    assert not any(torch.equal(a, weights(part)) for a, part in zip(before, parts, strict=True))
    assert module.images_seen == 8


def test_gradients_reach_encoder_and_decoder_through_the_classifier(judge: Path) -> None:
    module = egc_gan(judge)
    module.setup("fit")
    assert module.classifier is not None
    fake = module.generate(batch())
    # Only the classifier's term: the discriminator would reach them, too.
    nn.functional.cross_entropy(module.classifier(fake.images), fake.emotions).backward()
    generator: Any = module.generator
    for part in (generator.encoder, generator.decoder):
        gradients = [p.grad for p in part.parameters()]
        assert all(g is not None and g.isfinite().all() for g in gradients)
        assert any(g.abs().max() > 0 for g in gradients)
    assert all(p.grad is None for p in module.discriminator.parameters())


def test_training_leaves_the_classifier_as_it_was(judge: Path) -> None:
    module = egc_gan(judge)
    module.setup("fit")
    assert module.classifier is not None
    network = module.classifier.network
    before = buffers(network)
    assert any("running_var" in name for name in before)
    train(module, 3)
    module.train()
    assert not any(part.training for part in network.modules())
    module.classifier(batch().images)
    after = buffers(network)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert all(p.grad is None and not p.requires_grad for p in network.parameters())
    assert module.classifier.network is network


def test_the_classifier_pulls_translations_to_their_class(tmp_path: Path) -> None:
    judge = judge_run(tmp_path / "judge", certainty=300.0)
    records = train(egc_gan(judge, classifier_weight=20.0, generator_lr=5e-3), 20)
    assert records[-1]["g_classifier"] < 0.7 * records[0]["g_classifier"]


def test_no_weight_takes_no_classifier(tmp_path: Path) -> None:
    module = egc_gan(tmp_path / "nowhere", classifier_weight=0.0)
    (record,) = train(module, 1)
    assert "g_classifier" not in record
    assert module.classifier is None
    with pytest.raises(UserError, match=r"model\.classifier=.*there is no checkpoints"):
        train(egc_gan(tmp_path / "nowhere"), 1)


def test_the_discriminator_phase_leaves_the_translator_alone(judge: Path) -> None:
    module = egc_gan(judge)
    fake = module.generate(batch())
    detached = FaceBatch(fake.images.detach(), fake.emotions)
    module.discriminator_loss(batch(), detached)["loss"].backward()
    assert all(p.grad is None for p in module.generator.parameters())


def test_translations_of_target_faces_leave_no_statistics(judge: Path) -> None:
    module = egc_gan(judge, classifier_weight=0.0, identity_weight=1.0)
    fake = module.generate(batch())
    before = buffers(module.generator)
    terms = module.generator_loss(batch(), fake)
    assert terms["identity"] > 0
    assert all(torch.equal(v, module.generator.state_dict()[k]) for k, v in before.items())
    module.generate(batch())
    assert any(not torch.equal(v, module.generator.state_dict()[k]) for k, v in before.items())


def test_one_domain_is_too_few(judge: Path) -> None:
    alone = FaceBatch(batch().images, batch().emotions)
    with pytest.raises(UserError, match=r"pass data@domains\.source="):
        egc_gan(judge).generate(alone)
    assert not isinstance(egc_gan(judge), SamplingModule)


@pytest.mark.parametrize("told", [False, True])
def test_translations_are_repeatable_and_change_nothing(judge: Path, told: bool) -> None:
    module = egc_gan(judge, ema_half_life=10, generator_label=told)
    train(module, 2)
    module.train()
    state = buffers(module)
    source, emotions = batch().source, batch().emotions if told else None
    assert source is not None
    one, two = (module.translate(source, emotions) for _ in range(2))
    assert torch.equal(one, two)
    assert one.shape == (8, 3, 32, 32)
    assert one.abs().max() <= 1
    # Each face alone: nothing of the batch it comes in.
    single = module.translate(source[:1], None if emotions is None else emotions[:1])
    torch.testing.assert_close(single, one[:1], atol=1e-5, rtol=1e-4)
    assert all(torch.equal(state[k], v) for k, v in module.state_dict().items())
    assert module.average is not None
    with torch.no_grad():
        averaged = module.average.network.eval()(source, emotions)
    torch.testing.assert_close(averaged, one)


def test_the_seed_decides_everything(judge: Path) -> None:
    modules = [egc_gan(judge, seed) for seed in (4, 4, 5)]
    for module in modules:
        train(module, 2)
    one, same, other = (weights(m.generator) for m in modules)
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_a_run_is_loaded_without_its_classifier(judge: Path, tmp_path: Path) -> None:
    module = egc_gan(judge)
    train(module, 1)
    run = save(module, tmp_path / "run")
    assert not any("classifier" in name for name in module.state_dict())
    (judge / "checkpoints" / "last.ckpt").unlink()
    loaded = load_model(checkpoint_of(run))
    assert isinstance(loaded, EGCGAN)
    assert loaded.classifier is None
    assert loaded.classifier_hash == module.classifier_hash is not None
    source = batch().source
    assert source is not None
    assert torch.equal(loaded.translate(source), module.translate(source))


def test_it_goes_on_against_the_same_classifier_alone(judge: Path, tmp_path: Path) -> None:
    module = egc_gan(judge)
    module.setup("fit")
    checkpoint: dict[str, Any] = {}
    module.on_save_checkpoint(checkpoint)
    moved = judge.rename(tmp_path / "moved")
    same, other = egc_gan(moved), egc_gan(judge_run(tmp_path / "other", seed=1))
    for resumed in (same, other):
        resumed.setup("fit")
    same.on_load_checkpoint(checkpoint)
    assert same.classifier_hash == module.classifier_hash
    with pytest.raises(UserError, match="is another classifier than this run was trained against"):
        other.on_load_checkpoint(checkpoint)
