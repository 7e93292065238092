"""GANmut on the training base: both spaces, all cycles, edits, schedule and checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from fer_lightning.checkpoints import checkpoint_of, load_model
from fer_lightning.data.batch import FaceBatch
from fer_lightning.errors import UserError
from fer_lightning.losses.penalties import blend
from fer_lightning.models.config import FaceFormat
from fer_lightning.models.ganmut.config import Cycle, GANmutConfig, Penalty, Space
from fer_lightning.models.ganmut.module import EditBatch, GANmut, rate_factor
from fer_lightning.models.ganmut.space import GaussianSpace, LinearSpace
from fer_lightning.models.sampling import SamplingModule
from tests.helpers import training
from tests.helpers.runs import save

CLASSES = ["neutral", "happiness", "fear"]
SMALL = {"generator_width": 4, "generator_blocks": 1, "discriminator_width": 4, "depth": 4}
D_TERMS = {"d_loss", "d_real", "d_fake", "d_class", "d_point", "d_penalty"}
G_TERMS = {"g_loss", "g_fake", "g_reconstruction", "g_class"}


def ganmut(
    seed: int = 0, classes: list[str] = CLASSES, channels: int = 3, **settings: Any
) -> GANmut:
    faces = FaceFormat(
        image_size=32, channels=channels, classes=classes, frequencies=[1] * len(classes)
    )
    given = {"critic_steps": 1, **SMALL, **settings}
    return GANmutConfig(**given).build(faces, seed)


def batch(size: int = 8, channels: int = 3) -> FaceBatch:
    generator = torch.Generator().manual_seed(1)
    images = torch.rand((size, channels, 32, 32), generator=generator) * 2 - 1
    return FaceBatch(images, torch.arange(size) % 3)


def train(module: GANmut, steps: int, size: int = 8) -> list[dict[str, Tensor]]:
    return training.train(module, batch(size, module.faces.channels), steps)


def weights(network: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in network.parameters()])


@pytest.mark.parametrize("cycle", list(Cycle))
@pytest.mark.parametrize("penalty", list(Penalty))
def test_a_step_trains_networks_and_axes(cycle: Cycle, penalty: Penalty) -> None:
    module = ganmut(cycle=cycle, penalty=penalty)
    space = module.generator.space
    assert isinstance(space, LinearSpace)
    before = [weights(part) for part in (module.generator.layers, module.discriminator)]
    axes = space.unit_axes().detach()
    (record,) = train(module, 1)
    assert set(record) == D_TERMS | G_TERMS | {"g_strength", "g_point"}
    assert all(value.isfinite() for value in record.values())
    after = [weights(part) for part in (module.generator.layers, module.discriminator)]
    assert not any(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert (space.unit_axes() - axes).abs().max() > 0.1  # short axes turn quickly
    assert torch.linalg.vector_norm(space.unit_axes(), dim=1).tolist() == pytest.approx([0, 1, 1])


def _certainty(module: GANmut, images: Tensor) -> Tensor:
    return module.discriminator(images).logits.softmax(1).amax(1)


def test_the_way_back_is_where_the_discriminator_sees_the_source() -> None:
    module, real = ganmut(), batch()
    assert torch.equal(module._way_back(real), module.locate(real.images))


def test_the_approximate_way_back_is_the_label_as_sure_as_it_is() -> None:
    module, real = ganmut(cycle=Cycle.approximate), batch()
    certainty = _certainty(module, real.images)
    back = module._way_back(real)
    assert torch.allclose(back, module.points(real.emotions, certainty))
    assert (back[real.emotions == 0] == 0).all()
    lengths = torch.linalg.vector_norm(back[real.emotions > 0], dim=1)
    assert torch.allclose(lengths, certainty[real.emotions > 0], atol=1e-6)


def test_the_official_approximate_way_back_has_noise_and_random_directions() -> None:
    module, real = ganmut(cycle=Cycle.approximate_official), batch()
    certainty = _certainty(module, real.images)
    back = module._way_back(real)
    assert torch.allclose(torch.linalg.vector_norm(back[:5], dim=1), certainty[:5], atol=1e-6)
    exact = module.points(real.emotions, certainty)
    off = (back - exact)[5:].abs()
    assert 0 < off.max() < 0.4  # five deviations of the noise
    assert (back - exact)[:5].abs().max() > off.max()


@pytest.mark.parametrize("dimension", [2, 3])
def test_a_gaussian_space_is_trained(dimension: int) -> None:
    module = ganmut(space=Space.gaussian, dimension=dimension, channels=1)
    space = module.generator.space
    before = {name: value.clone() for name, value in space.state_dict().items()}
    records = train(module, 3)
    assert set(records[0]) == D_TERMS | G_TERMS | {"g_prediction"}
    after = space.state_dict()
    assert not torch.equal(before["raw_means"], after["raw_means"])
    shape = "variances" if dimension == 2 else "factors"
    assert not torch.equal(before[shape], after[shape])


def test_the_gaussian_loss_is_of_the_points_that_were_asked_for() -> None:
    """E.6 by hand: divergences with softmax(-d²) of z, which reach the means and covariances."""
    module, real = ganmut(space=Space.gaussian).double(), batch()
    real = FaceBatch(real.images.double(), real.emotions)
    space = module.generator.space
    assert isinstance(space, GaussianSpace)
    with torch.no_grad():
        space.variances.mul_(torch.tensor([0.5, 2.0]))  # else no angle would matter
    made = module.generate(real)
    terms = module.generator_loss(real, made)
    assert isinstance(made, EditBatch)
    apart = made.drawn.points[:, None] - space.raw_means.tanh()
    inverse = torch.linalg.inv(space.covariances())
    distances = (apart[:, :, None] @ inverse @ apart[..., None])[..., 0, 0]
    verdict = module.discriminator(made.images)
    wanted, seen = (-distances).log_softmax(1), verdict.logits.log_softmax(1)
    one, other = (
        nn.functional.kl_div(a, b, reduction="batchmean", log_target=True)
        for a, b in ((wanted, seen), (seen, wanted))
    )
    back = module.generator(made.images, module.discriminator(real.images).points.detach())
    difference = (back - real.images).abs().mean()
    means = nn.functional.cross_entropy(verdict.logits[:3], torch.arange(3))
    loss = -verdict.scores.mean() + 10 * difference + one + other + 0.5 * means
    torch.testing.assert_close(terms["loss"], loss)
    ours, by_hand = (
        torch.autograd.grad(each, list(space.parameters()), retain_graph=True)
        for each in (terms["loss"], loss)
    )
    for mine, expected in zip(ours, by_hand, strict=True):
        assert expected.abs().max() > 0
        torch.testing.assert_close(mine, expected)


@pytest.mark.parametrize("penalty", list(Penalty))
def test_the_penalty_is_of_the_slope_that_autograd_finds(penalty: Penalty) -> None:
    """WGAN-GP's between real faces and edits, R1's at real faces."""
    module, real = ganmut(penalty=penalty), batch().images
    fake, state = torch.rand_like(real), module.noise.get_state()
    found = module._penalty(real, fake)
    module.noise.set_state(state)
    at = (real if penalty is Penalty.r1 else blend(real, fake, module.noise)).requires_grad_()
    (slope,) = torch.autograd.grad(module.discriminator(at).scores.sum(), at)
    lengths = slope.flatten(1).norm(dim=1)
    expected = lengths.square() / 2 if penalty is Penalty.r1 else (lengths - 1).square()
    assert found is not None
    torch.testing.assert_close(found, expected.mean())


def test_a_gaussian_space_needs_a_face_a_class() -> None:
    module = ganmut(space=Space.gaussian)
    with pytest.raises(UserError, match=r"data\.batch_size=2: .*pass data\.batch_size=3 or more"):
        module.generate(batch(2))


def test_no_weight_takes_no_penalty() -> None:
    (record,) = train(ganmut(penalty_weight=0), 1)
    assert set(record) == (D_TERMS - {"d_penalty"}) | G_TERMS | {"g_strength", "g_point"}


def test_the_generator_steps_every_fifth_batch_on_the_same_points() -> None:
    module = ganmut(critic_steps=5)
    drawn: list[Tensor] = []
    graphs: list[bool] = []

    def note(_: nn.Module, inputs: Any) -> None:
        drawn.append(inputs[1])
        graphs.append(torch.is_grad_enabled())

    module.generator.register_forward_pre_hook(note)
    records = train(module, 10)
    stepped = ["g_loss" in record for record in records]
    assert stepped == [False] * 4 + [True] + [False] * 4 + [True]
    # One edit a batch, without a graph where no step is due, and two ways back.
    assert graphs == [False] * 4 + [True, True] + [False] * 4 + [True, True]
    assert not torch.equal(drawn[0], drawn[1])


def test_a_detached_batch_has_no_graph() -> None:
    made = ganmut().generate(batch())
    assert isinstance(made, EditBatch)
    assert made.images.requires_grad
    assert made.drawn.points.requires_grad
    detached = made.detached()
    assert not detached.images.requires_grad
    assert not detached.drawn.points.requires_grad
    assert torch.equal(detached.drawn.points, made.drawn.points)


def test_the_critic_learns_and_the_penalty_holds_its_slope() -> None:
    module = ganmut(critic_steps=1000, discriminator_lr=2e-3)
    records = train(module, 40)
    distance = [-(r["d_real"] + r["d_fake"]).item() for r in records]
    assert distance[-1] > distance[0] + 0.5
    assert records[-1]["d_penalty"] < 0.5 * records[0]["d_penalty"]


def test_points_of_both_spaces() -> None:
    linear, gaussian = ganmut(), ganmut(space=Space.gaussian)
    for module in (linear, gaussian):
        assert module.dimension == 2
        points = module.points(torch.tensor([0, 1, 2]), torch.tensor([1.0, 0.0, 1.0]))
        assert points.shape == (3, 2)
        assert not points.requires_grad
        torch.testing.assert_close(points[0], points[1])
        directions = module.directions()
        assert list(directions) == CLASSES
        torch.testing.assert_close(directions["fear"], points[2])
    assert linear.directions()["neutral"].tolist() == [0, 0]
    assert gaussian.directions()["neutral"].abs().max() > 0


def test_neutral_is_the_origin_wherever_it_stands() -> None:
    module = ganmut(classes=["happiness", "fear", "neutral"])
    directions = module.directions()
    assert directions["neutral"].tolist() == [0, 0]
    assert directions["happiness"].norm().item() == pytest.approx(1)


def test_polar_points_and_their_plane() -> None:
    points = ganmut().polar(torch.tensor([0.0, torch.pi / 2]), torch.tensor([0.5, 2.0]))
    torch.testing.assert_close(points, torch.tensor([[0.5, 0.0], [0.0, 2.0]]))
    with pytest.raises(UserError, match="has 3 dimensions"):
        ganmut(dimension=3).polar(torch.zeros(1), torch.ones(1))


def test_edits_are_the_averaged_generators_and_each_its_own() -> None:
    module = ganmut(ema_half_life=100)
    train(module, 2)
    module.train()
    images, points = batch().images, torch.rand(8, 2)
    edits = module.edit(images, points)
    assert edits.shape == images.shape
    assert edits.abs().max() <= 1
    assert module.average is not None
    with torch.no_grad():
        torch.testing.assert_close(module.average.network(images, points), edits)
    torch.testing.assert_close(module.edit(images[2:3], points[2:3]), edits[2:3])
    assert module.generator.training


def test_the_discriminator_says_three_things() -> None:
    module = ganmut()
    images = batch().images
    assert module.criticise(images).shape == (8,)
    assert module.discriminator(images).logits.shape == (8, 3)
    assert module.locate(images).shape == (8, 2)
    assert not module.locate(images).requires_grad
    module.perceive(images)
    assert not isinstance(module, SamplingModule)


def test_rates_fall_linearly_at_the_end() -> None:
    config = GANmutConfig(schedule_images=1000, decay_images=400)
    factors = [rate_factor(config, seen) for seen in (0, 600, 700, 900, 1000, 1200)]
    assert factors == pytest.approx([1, 1, 0.75, 0.25, 0, 0])
    short = GANmutConfig(schedule_images=1000, decay_images=5000)
    assert [rate_factor(short, seen) for seen in (0, 500)] == pytest.approx([1, 0.5])
    assert rate_factor(GANmutConfig(), 10**9) == 1


def test_both_optimizers_follow_the_schedule() -> None:
    module = ganmut(schedule_images=32, decay_images=16, generator_lr=1e-3, discriminator_lr=2e-3)
    rates: list[list[float]] = []
    step = GANmut.training_step

    def noting(self: GANmut, *given: Any) -> dict[str, Tensor]:
        rates.append([o.param_groups[0]["lr"] for o in self.optimizers()])  # type: ignore[union-attr]
        return step(self, *given)

    module.training_step = noting.__get__(module)  # type: ignore[method-assign]
    train(module, 4)
    wanted = [[2e-3, 1e-3], [2e-3, 1e-3], [2e-3, 1e-3], [1e-3, 5e-4]]
    assert rates == [pytest.approx(pair) for pair in wanted]


def test_the_seed_decides_everything() -> None:
    modules = [ganmut(seed) for seed in (4, 4, 5)]
    for module in modules:
        train(module, 2)
    one, same, other = (weights(m.generator) for m in modules)
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


@pytest.mark.parametrize("space", list(Space))
def test_a_run_is_loaded(space: Space, tmp_path: Path) -> None:
    module = ganmut(space=space)
    train(module, 1)
    loaded = load_model(checkpoint_of(save(module, tmp_path / "run")))
    assert isinstance(loaded, GANmut)
    images, points = batch().images, module.points(torch.arange(8) % 3, 0.7)
    assert torch.equal(loaded.points(torch.arange(8) % 3, 0.7), points)
    assert torch.equal(loaded.edit(images, points), module.edit(images, points))


SIDE = torch.linspace(-1, 1, 16)
MOUTH = (SIDE[:, None] > 0.2) & (SIDE[:, None] < 0.5) & (SIDE.abs() < 0.4)


def people(count: int, seed: int) -> FaceBatch:
    """Faces of 16 pixels, no two as wide and with as much hair; every other one is afraid.

    Who is afraid has an open mouth, dark on the bright face.
    """
    random = torch.Generator().manual_seed(seed)
    width, hair = (torch.rand((count, 1, 1, 1), generator=random) / 2 for _ in range(2))
    emotions = torch.arange(count) % 2
    y, x = SIDE[:, None], SIDE
    images = torch.where((x / (0.5 + width)).square() + y.square() < 0.8, 0.7, -0.8)
    images = torch.where(y < hair - 0.75, -0.3, images)
    open_mouth = MOUTH & (emotions == 1)[:, None, None, None]
    return FaceBatch(torch.where(open_mouth, -0.7, images), emotions)


@pytest.mark.slow
def test_a_short_training_edits_others_and_leaves_them_nearly_alone_at_the_origin() -> None:
    faces = FaceFormat(image_size=16, channels=1, classes=["neutral", "fear"], frequencies=[1, 1])
    config = GANmutConfig(
        **{**SMALL, "generator_width": 8, "discriminator_width": 8, "depth": 3},
        critic_steps=1,
        generator_lr=2e-3,
        discriminator_lr=2e-3,
        reconstruction_weight=50,
        ema_half_life=400,
    )
    module = config.build(faces, seed=0)
    for seed in range(100, 116):
        training.train(module, people(16, seed), 75)
    others = people(32, seed=9)
    neutral = others.images[::2]
    origin = module.edit(neutral, torch.zeros(16, 2)) - neutral
    afraid = module.edit(neutral, module.points(torch.ones(16, dtype=torch.int64), 1.0)) - neutral
    # Nearer to each face than what is likest to all of them, so that nothing constant passes.
    assert origin.abs().mean() < (neutral.mean(0) - neutral).abs().mean()
    opened = afraid[:, :, MOUTH].mean()
    assert opened < -1  # of 1.4 between face and open mouth
    assert origin[:, :, MOUTH].mean().abs() < opened.abs() / 5
    assert module.discriminator(others.images).logits.argmax(1).tolist() == others.emotions.tolist()
