"""Training GANmut: ``fer train`` beside a loop that does what the official solver does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import torch
import torch.nn.functional as F
from lightning import Callback, LightningModule, Trainer
from torch import Tensor, nn
from torch.optim import Adam

from fer_lightning.benchmarks.comparison import Goal, SideBySide, Way, in_turn
from fer_lightning.benchmarks.memory import PeakMemory
from fer_lightning.benchmarks.plain_loop import (
    PlainLoop,
    faces_of,
    in_own_process,
    refuse_more,
)
from fer_lightning.benchmarks.train import BF16, GRAPHS, OURS, FerTrain
from fer_lightning.config.benchmark import BenchmarkConfig
from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.devices import can_compile, chosen_device
from fer_lightning.models.config import ModelConfig
from fer_lightning.models.ganmut.config import GANmutConfig
from fer_lightning.models.ganmut.module import GANmut
from fer_lightning.models.ganmut.networks import Verdict
from fer_lightning.models.ganmut.objective import discriminator_terms, linear_generator_terms
from fer_lightning.models.ganmut.space import DrawnPoints

OFFICIAL = "plain loop, as the official solver"
BF16_COMPILED = "fer train, bf16-mixed, compiled"
CPU_GOAL, GPU_GOAL = 1.25, 3.0
"""Times the official loop: in float32 on a CPU, by the fastest way on a GPU."""


def measure(config: BenchmarkConfig) -> Iterator[SideBySide]:
    """Real images a second of GANmut's training, and the memory of a step.

    A round has as many steps of the generator as are due in it. The official loop has its batch
    ready on the device, and a process of its own; ours makes each anew.

    Raises:
        UserError: If the official loop cannot do what the model is asked for.
    """
    model = config.editor
    config = replace(config, model=model)
    device, faces = chosen_device("auto"), faces_of(config)
    steps = _steps(OfficialLoop(model, faces, device), config.seconds)
    trainers: dict[str, dict[str, Any]] = {OURS: {}}
    if device.type == "cuda":
        trainers[BF16] = {"precision": "bf16-mixed"}
        if can_compile():
            trainers[BF16_COMPILED] = {"precision": "bf16-mixed", "compile": "default"}
            trainers[GRAPHS] = {"precision": "bf16-mixed", "compile": "reduce-overhead"}
    ours = {name: FerTrain(config, faces, steps, keys) for name, keys in trainers.items()}
    ways: dict[str, Way] = {name: way.run for name, way in ours.items()}
    ways[OFFICIAL] = in_own_process(_official_loop, config, model.critic_steps, steps)
    result = in_turn("training GANmut", "images/s", ways, config.rounds)
    if device.type == "cuda":
        fastest = max(trainers, key=result.median)
        what = f"times {OFFICIAL}, by {fastest}"
        result.goals = [Goal(what, result.ratio(fastest, OFFICIAL), GPU_GOAL)]
    else:
        result.goals = [Goal(f"times {OFFICIAL}", result.ratio(OURS, OFFICIAL), CPU_GOAL)]
    result.notes = [
        f"{config.image_size} px, widths {model.generator_width} and {model.discriminator_width}, "
        f"batches of {config.data.batch_size}, {steps} steps a round, of which every "
        f"{model.critic_steps}th is one of the generator, too; {OURS} without W&B and progress "
        "bar. The gradient penalty is in float32 everywhere; a GPU convolves it in TF32.",
        _memory(model, faces, device, ours),
    ]
    yield result


def _steps(loop: OfficialLoop, seconds: float) -> int:
    """As many as take so long, about; with whole turns of the generator."""
    turn = loop.model.critic_steps
    loop.run(1)
    images = loop.run(turn)
    return turn * max(1, round(seconds * images / len(loop.emotions) / turn))


def _official_loop(model: ModelConfig, faces: FaceDataModule, device: torch.device) -> OfficialLoop:
    return OfficialLoop(cast(GANmutConfig, model), faces, device)


class OfficialLoop(PlainLoop):
    """What the official solver does in a step, on our networks.

    As in StarGAN's solver, on which it is built: weights and images are contiguous in memory,
    instance norm keeps running statistics, Adam is not fused, real faces and edits go through the
    discriminator one after another, the penalty's gradient is autograd's of second order, edits
    keep their graph in the discriminator's phase, the generator's phase makes edits anew and
    computes gradients of the discriminator, too.

    Args:
        model: In a linear space, with the cycle ``original`` and the gradient penalty.
        faces: As :class:`PlainLoop` has it.
        device: As :class:`PlainLoop` has it.

    Raises:
        UserError: If the model is asked for more.
    """

    def __init__(self, model: GANmutConfig, faces: FaceDataModule, device: torch.device) -> None:
        keys = ("space", "cycle", "penalty", "gradient_clip", "ema_half_life")
        refuse_more(model, *keys, benchmark="ganmut")
        super().__init__(faces, device, torch.contiguous_format)
        self.model = model
        self.steps = 0
        module = GANmut(model, faces.faces, seed=0)
        self.noise = torch.Generator(device).manual_seed(0)
        self.generator = _as_published(module.generator).to(device)
        self.discriminator = module.discriminator.to(device)
        for network in (self.generator, self.discriminator):
            network.to(memory_format=torch.contiguous_format)
        betas = (model.beta1, model.beta2)
        self.optimizers = [
            Adam(self.generator.parameters(), model.generator_lr, betas),
            Adam(self.discriminator.parameters(), model.discriminator_lr, betas),
        ]

    def step(self, frozen: bool = False) -> None:
        """One step of the discriminator and, when it is due, one of the generator.

        Args:
            frozen: Leave out the discriminator's gradients in the generator's phase.
        """
        self.steps += 1
        drawn, fake = self._edit()
        real_verdict = self._verdict(self.images)
        fake_verdict = self._verdict(fake.detach())
        terms = discriminator_terms(
            self.model,
            real_verdict,
            fake_verdict,
            self.emotions,
            drawn.points.detach(),
            self._penalty(fake.detach()),
        )
        self._descend(terms["loss"], 1)
        if self.steps % self.model.critic_steps:
            return
        drawn, fake = self._edit()
        self.discriminator.requires_grad_(not frozen)
        verdict, back = self._verdict(fake), self._verdict(self.images).points.detach()
        difference = F.l1_loss(self.generator(fake, back), self.images)
        self._descend(linear_generator_terms(self.model, verdict, drawn, difference)["loss"], 0)
        self.discriminator.requires_grad_(True)

    def _edit(self) -> tuple[DrawnPoints, Tensor]:
        rows = torch.arange(len(self.emotions), device=self.emotions.device)
        drawn = self.generator.space.draw(self.emotions, rows, len(rows), self.noise)
        return drawn, self.generator(self.images, drawn.points)

    def _verdict(self, images: Tensor) -> Verdict:
        return cast(Verdict, self.discriminator(images))

    def _penalty(self, fake: Tensor) -> Tensor | None:
        """Mean of (|gradient| - 1)² between real faces and edits; None where it has no weight."""
        if not self.model.penalty_weight:
            return None
        share = torch.rand(len(fake), 1, 1, 1, device=fake.device)
        between = (share * self.images + (1 - share) * fake).requires_grad_()
        scores = self._verdict(between).scores
        (gradient,) = torch.autograd.grad(scores.sum(), between, create_graph=True)
        lengths: Tensor = gradient.flatten(1).norm(dim=1)
        return (lengths - 1).square().mean()

    def _descend(self, loss: Tensor, number: int) -> None:
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizers[number].step()


def _as_published(network: nn.Module) -> Any:
    """The network with PyTorch's instance norm, as the official code has it."""
    for parent in list(network.modules()):
        for name, layer in parent.named_children():
            if isinstance(layer, nn.GroupNorm):
                norm = nn.InstanceNorm2d(layer.num_channels, affine=True, track_running_stats=True)
                setattr(parent, name, norm)  # both begin with scales of 1 and shifts of 0
    return network


def _memory(
    model: GANmutConfig, faces: FaceDataModule, device: torch.device, ours: dict[str, FerTrain]
) -> str:
    """The peak of every way, from before its networks are made to the generator's step."""
    peaks: dict[str, int] = {}
    for name, way in ours.items():
        watched = PeakMemory(device)
        watched.start()
        anew = FerTrain(way.config, way.faces, way.steps, way.trainer)
        anew.fit(model.critic_steps, _Until(model.critic_steps, watched))
        peaks[name] = watched.peak
        del anew
    watched = PeakMemory(device)
    watched.start()
    OfficialLoop(model, faces, device).run(model.critic_steps)
    watched.stop()
    peaks[OFFICIAL] = watched.peak
    each = ", ".join(f"{name} {peak / 2**20:,.0f}" for name, peak in peaks.items())
    return f"Peak memory of tensors, weights and optimiser state included, in MiB: {each}."


class _Until(Callback):
    """Ends a look at the memory after some steps."""

    def __init__(self, steps: int, watched: PeakMemory) -> None:
        self.left = steps
        self.watched = watched

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.left -= 1
        if self.left == 0:
            self.watched.stop()
