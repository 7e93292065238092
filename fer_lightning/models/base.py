"""The training base: one clock, one order of phases, for every system.

A system states its networks and its losses. Everything else about training is
here and in the callbacks, once.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, cast

import lightning
import torch
from torch import Generator, Tensor, nn
from torch.optim import Adam, Optimizer

from fer_lightning.config.plain import to_plain
from fer_lightning.data.batch import FaceBatch
from fer_lightning.errors import UserError
from fer_lightning.models.config import AdversarialConfig, FaceFormat, ModelConfig
from fer_lightning.nn.ema import AveragedNetwork
from fer_lightning.ranks import of_all_ranks
from fer_lightning.rng import (
    WEIGHTS,
    global_states,
    noise_generator,
    restore_global_states,
    stream_seed,
)

Losses = Mapping[str, Tensor]
"""Named scalars; the one to descend is called ``loss``."""


class TrainingModule(lightning.LightningModule):
    """Owns the clock and the noise; what it needs to be built again goes into its checkpoint.

    Attributes:
        images_seen: Real images consumed so far, the one clock of a run.
        compiled: Whether :meth:`compile_networks` was called.
        labelled: Whether the model learns from labels; without them its :attr:`classes` are
            empty, or the one emotion that all its training images have.
    """

    def __init__(self, config: ModelConfig, faces: FaceFormat, seed: int) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.images_seen = 0
        self.compiled = False
        self.labelled = config.labelled
        self.classes = list(faces.classes)
        self.seed = seed
        self._noise: Generator | None = None
        self._saved_states: dict[str, Any] | None = None
        self.description = {
            "model": to_plain(config),
            "faces": {
                "image_size": faces.image_size,
                "channels": faces.channels,
                "classes": list(faces.classes),
                "frequencies": list(faces.frequencies),
                "counts": list(faces.counts),
            },
            "seed": seed,
        }

    @property
    def noise(self) -> Generator:
        """Source of all training noise, another stream on every rank."""
        if self._noise is None:
            rank = self.global_rank if self._trainer is not None else 0
            self._noise = noise_generator(self.seed, rank, self.device)
            if self._saved_states is not None:
                self._noise.set_state(self._saved_states["noise"])
        return self._noise

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Plain numbers, strings and tensors only, so that loading can run no code."""
        states = {"noise": self.noise.get_state(), **global_states()}
        checkpoint["fer"] = {
            "description": self.description,
            "images_seen": self.images_seen,
            "random": of_all_ranks(states),
            "threads": torch.get_num_threads(),
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take up the clock and the random states where they were.

        A rank that was not there before begins streams of its own.
        """
        saved = checkpoint["fer"]
        self.restore(saved)
        known = self.global_rank < len(saved["random"])
        self._saved_states = saved["random"][self.global_rank] if known else None
        self._noise = None

    def restore(self, saved: dict[str, Any]) -> None:
        """Take up the clock, and what else belongs to the weights but is no tensor.

        Args:
            saved: What :meth:`on_save_checkpoint` has put under ``fer``.
        """
        self.images_seen = saved["images_seen"]

    def load_pretrained(self) -> None:
        """Take over weights from outside, where the configuration asks for them.

        Called before the first step of a run alone: a checkpoint needs no such file.

        Raises:
            UserError: If they are not to be had, or of another network.
        """

    @property
    def measured_images(self) -> int:
        """The clock of the weights that the run stands for: those of now."""
        return self.images_seen

    @property
    def converged(self) -> bool:
        """Whether the run ends before its length, since it has nothing more to gain."""
        return False

    def compile_networks(self, mode: str) -> None:
        """Let PyTorch compile every network that is trained, when it first runs.

        It does so for each shape of a batch.

        Args:
            mode: Of :func:`torch.compile`. Names of weights, and thus checkpoints, stay the same.
        """
        self.compiled = True
        for network in self.children():
            if any(weight.requires_grad for weight in network.parameters()):
                network.compile(mode=mode, dynamic=False)

    def uncompiled(self) -> AbstractContextManager[None]:
        """Within it networks run as they are: samples come in batches of any size.

        Compiling for each of them would take longer than drawing them.
        """
        if not self.compiled:
            return nullcontext()
        stance: Any = torch.compiler.set_stance("force_eager")
        return cast("AbstractContextManager[None]", stance)

    def perceive(self, images: Tensor) -> None:
        """Run the network that looks at faces, for whoever listens at its layers by hooks.

        It runs in eval mode and without gradients, and is left in the mode that it was in.

        Args:
            images: float32 of shape (N, C, H, W) in [-1, 1], on the device of the model.

        Raises:
            UserError: If the model has no such network.
        """
        raise UserError(
            f"model={self.description['model']['name']} has no network that looks at faces; "
            "choose the run of another model"
        )

    def on_train_start(self) -> None:
        """Global random states go back last, when nothing draws from them before training."""
        if self._saved_states is not None:
            restore_global_states(self._saved_states)


class AdversarialModule(TrainingModule):
    """Alternates a discriminator phase and a generator phase by manual optimisation.

    One batch makes one step of each: fakes are made once, the discriminator sees them without
    their graph, then the generator is judged by the stepped discriminator on the same fakes, as
    in Goodfellow et al. 2014, algorithm 1. With ``critic_steps`` k, the generator steps on every
    k-th batch.

    Subclasses implement the four abstract methods below; those that make faces up from noise extend
    :class:`~fer_lightning.models.sampling.SamplingModule`.

    Attributes:
        generator: The generator as it is trained.
        discriminator: The discriminator.
        average: The generator's moving average, or None where that is switched off.
    """

    generator: nn.Module
    discriminator: nn.Module

    def __init__(self, config: AdversarialConfig, faces: FaceFormat, seed: int) -> None:
        super().__init__(config, faces, seed)
        self.adversarial = config
        self.since_generator = 0
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(stream_seed(seed, WEIGHTS))
            self.generator, self.discriminator = self.networks()
        # What a convolution makes follows the memory order of its weights.
        self.generator.to(memory_format=torch.channels_last)
        self.discriminator.to(memory_format=torch.channels_last)
        half_life = config.ema_half_life
        self.average = AveragedNetwork(self.generator, half_life) if half_life else None

    @abstractmethod
    def networks(self) -> tuple[nn.Module, nn.Module]:
        """Generator and discriminator with their initial weights, from the global random state."""

    @abstractmethod
    def generate(self, batch: FaceBatch) -> FaceBatch:
        """Fakes for one step, attached to the generator's graph."""

    @abstractmethod
    def discriminator_loss(self, real: FaceBatch, fake: FaceBatch) -> Losses:
        """What the discriminator descends; ``fake`` is detached."""

    @abstractmethod
    def generator_loss(self, real: FaceBatch, fake: FaceBatch) -> Losses:
        """What the generator descends."""

    def perceive(self, images: Tensor) -> None:
        """Run the discriminator; one that takes labels overrides this."""
        in_eval_mode(self.discriminator, images)

    @property
    def best_generator(self) -> nn.Module:
        """The averaged generator where there is one, else the trained one."""
        return self.generator if self.average is None else self.average.network

    def configure_optimizers(self) -> list[Optimizer]:
        """Adam for the discriminator, then for the generator."""
        config = self.adversarial
        betas = (config.beta1, config.beta2)
        return [
            Adam(self.discriminator.parameters(), config.discriminator_lr, betas, fused=True),
            Adam(self.generator.parameters(), config.generator_lr, betas, fused=True),
        ]

    def training_step(self, batch: FaceBatch, batch_idx: int) -> dict[str, Tensor]:
        """One batch: a discriminator step and, when it is due, a generator step.

        Returns:
            Detached losses, those of the discriminator prefixed ``d_`` and of the generator
            ``g_``.
        """
        if self.compiled:
            mark_step: Any = torch.compiler.cudagraph_mark_step_begin
            mark_step()  # what CUDA graphs made may be overwritten
        images = len(batch) * self.trainer.world_size
        self.images_seen += images
        self.since_generator += 1
        optimizer_d, optimizer_g = cast("list[Any]", self.optimizers())
        due = self.since_generator >= self.adversarial.critic_steps
        with torch.set_grad_enabled(due):
            fake = self.generate(batch)
        losses = self.discriminator_loss(batch, fake.detached())
        self._step(optimizer_d, self.discriminator, losses["loss"])
        record = {f"d_{name}": value.detach() for name, value in losses.items()}
        if due:
            with _frozen(self.discriminator):
                losses = self.generator_loss(batch, fake)
                self._step(optimizer_g, self.generator, losses["loss"])
            record |= {f"g_{name}": value.detach() for name, value in losses.items()}
            if self.average is not None:
                self.average.update(self.generator, images * self.since_generator, self.images_seen)
            self.since_generator = 0
        return record

    def _step(self, optimizer: Any, network: nn.Module, loss: Tensor) -> None:
        optimizer.zero_grad()
        self.manual_backward(loss)
        if self.adversarial.gradient_clip:
            nn.utils.clip_grad_norm_(network.parameters(), self.adversarial.gradient_clip)
        optimizer.step()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Also how long ago the generator stepped."""
        super().on_save_checkpoint(checkpoint)
        checkpoint["fer"]["since_generator"] = self.since_generator

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take up the phase where it was."""
        super().on_load_checkpoint(checkpoint)
        self.since_generator = checkpoint["fer"]["since_generator"]


@torch.no_grad()
def in_eval_mode(network: nn.Module, *inputs: Tensor) -> Tensor:
    """What a network makes of inputs in eval mode, without gradients.

    Args:
        network: Left in the mode that it was in.
        inputs: What its ``forward`` takes; floating ones are brought to the precision of its
            weights.
    """
    dtype = next(network.parameters()).dtype
    training = network.training
    network.eval()
    made = network(*(each.to(dtype) if each.is_floating_point() else each for each in inputs))
    network.train(training)
    return cast(Tensor, made)


@contextmanager
def _frozen(network: nn.Module) -> Iterator[None]:
    """Gradients pass through the network, but none is computed for its weights."""
    network.requires_grad_(False)
    try:
        yield
    finally:
        network.requires_grad_(True)
