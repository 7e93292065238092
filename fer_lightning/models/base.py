"""The training base: one clock, one order of phases, for every system.

A system states its networks, its losses and how it samples. Everything else about training is
here and in the callbacks, once.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

import lightning
import torch
from torch import Generator, Tensor, nn
from torch.optim import Optimizer

from fer_lightning.config.plain import to_plain
from fer_lightning.data.batch import FaceBatch
from fer_lightning.models.config import FaceFormat, ModelConfig
from fer_lightning.rng import noise_generator

Losses = Mapping[str, Tensor]
"""Named scalars; the one to descend is called ``loss``."""


class TrainingModule(lightning.LightningModule):
    """Owns the clock and the noise; what it needs to be built again goes into its checkpoint.

    Attributes:
        images_seen: Real images consumed so far, the one clock of a run.
    """

    def __init__(self, config: ModelConfig, faces: FaceFormat, seed: int) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.images_seen = 0
        self.classes = list(faces.classes)
        self.seed = seed
        self._noise: Generator | None = None
        self._noise_state: Tensor | None = None
        self.description = {
            "model": to_plain(config),
            "faces": {
                "image_size": faces.image_size,
                "channels": faces.channels,
                "classes": list(faces.classes),
                "class_counts": list(faces.class_counts),
            },
            "seed": seed,
        }

    @property
    def noise(self) -> Generator:
        """Source of all training noise, another stream on every rank."""
        if self._noise is None:
            rank = self.global_rank if self._trainer is not None else 0
            self._noise = noise_generator(self.seed, rank, self.device)
            if self._noise_state is not None:
                self._noise.set_state(self._noise_state)
        return self._noise

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Plain numbers, strings and tensors only, so that loading can run no code."""
        checkpoint["fer"] = {
            "description": self.description,
            "images_seen": self.images_seen,
            "noise": self.noise.get_state(),
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take up the clock and the noise where they were."""
        self.images_seen = checkpoint["fer"]["images_seen"]
        self._noise_state = checkpoint["fer"]["noise"]
        self._noise = None


class AdversarialModule(TrainingModule):
    """Alternates a discriminator phase and a generator phase by manual optimisation.

    One batch makes one step of each: fakes are made once, the discriminator sees them without
    their graph, then the generator is judged by the stepped discriminator on the same fakes, as
    in Goodfellow et al. 2014, algorithm 1. With ``critic_steps`` k, the generator steps on every
    k-th batch.

    Subclasses set :attr:`generator` and :attr:`discriminator` and implement the five methods
    below.
    """

    generator: nn.Module
    discriminator: nn.Module
    critic_steps: int = 1

    @abstractmethod
    def generate(self, batch: FaceBatch) -> FaceBatch:
        """Fakes for one step, attached to the generator's graph."""

    @abstractmethod
    def discriminator_loss(self, real: FaceBatch, fake: FaceBatch) -> Losses:
        """What the discriminator descends; ``fake`` is detached."""

    @abstractmethod
    def generator_loss(self, real: FaceBatch, fake: FaceBatch) -> Losses:
        """What the generator descends."""

    @abstractmethod
    def sample(self, emotions: Tensor, generator: Generator) -> Tensor:
        """Images of the given class indices from the best weights there are.

        Args:
            emotions: int64 of shape (N,).
            generator: CPU generator, so that samples are equal on every device.

        Returns:
            float32 of shape (N, C, H, W) in [-1, 1].
        """

    @abstractmethod
    def after_step(self, images: int) -> None:
        """Called after the generator's step with the real images since the last one."""

    def optimizer_pair(self) -> tuple[Optimizer, Optimizer]:
        """The optimizers of discriminator and generator, as Lightning wraps them."""
        discriminator, generator = cast("list[Any]", self.optimizers())
        return discriminator, generator

    def training_step(self, batch: FaceBatch, batch_idx: int) -> dict[str, Tensor]:
        """One batch: a discriminator step and, when it is due, a generator step.

        Returns:
            Detached losses, those of the discriminator prefixed ``d_`` and of the generator
            ``g_``.
        """
        images = len(batch) * self.trainer.world_size
        self.images_seen += images
        optimizer_d, optimizer_g = self.optimizer_pair()
        due = (batch_idx + 1) % self.critic_steps == 0
        with torch.set_grad_enabled(due):
            fake = self.generate(batch)
        without_graph = FaceBatch(fake.images.detach(), fake.emotions)
        losses_d = self.discriminator_loss(batch, without_graph)
        optimizer_d.zero_grad()
        self.manual_backward(losses_d["loss"])
        optimizer_d.step()
        record = {f"d_{name}": value.detach() for name, value in losses_d.items()}
        if due:
            with _frozen(self.discriminator):
                losses_g = self.generator_loss(batch, fake)
                optimizer_g.zero_grad()
                self.manual_backward(losses_g["loss"])
            optimizer_g.step()
            record |= {f"g_{name}": value.detach() for name, value in losses_g.items()}
            self.after_step(images * self.critic_steps)
        return record


@contextmanager
def _frozen(network: nn.Module) -> Iterator[None]:
    """Gradients pass through the network, but none is computed for its weights."""
    network.requires_grad_(False)
    try:
        yield
    finally:
        network.requires_grad_(True)
