"""What ``benchmark=train`` compares with: a training loop without a framework."""

from __future__ import annotations

import time
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.optim import Adam
from torch.utils.flop_counter import FlopCounterMode

from fer_lightning.benchmarks.comparison import synchronise
from fer_lightning.data.batch import FaceBatch
from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.models.cgan.config import CGANConfig
from fer_lightning.models.cgan.module import CGAN


class PlainLoop:
    """PyTorch's DCGAN tutorial on our networks: what one would write without a framework.

    Args:
        model: The conditional GAN.
        faces: Set up; gives one batch, which is used over and over.
        device: Where it trains.
        memory_format: Of weights and images.
        fused: Of Adam.
    """

    def __init__(
        self,
        model: CGANConfig,
        faces: FaceDataModule,
        device: torch.device,
        memory_format: torch.memory_format,
        fused: bool | None,
    ) -> None:
        module = CGAN(model, faces.faces, seed=0)
        self.latent_dim = model.latent_dim
        self.generator = module.generator.to(device).to(memory_format=memory_format)
        discriminator = module.discriminator.to(device)
        self.discriminator = discriminator.to(memory_format=memory_format)
        betas = (model.beta1, model.beta2)
        self.optimizer_g = Adam(self.generator.parameters(), model.generator_lr, betas, fused=fused)
        self.optimizer_d = Adam(
            self.discriminator.parameters(), model.discriminator_lr, betas, fused=fused
        )
        batch: FaceBatch = next(iter(faces.train_dataloader())).to(device)
        self.images = batch.images.contiguous(memory_format=memory_format)
        self.emotions = batch.emotions
        self.ones = torch.ones(len(batch), device=device)

    def step(self, frozen: bool = False) -> None:
        """One step of the discriminator and one of the generator.

        Args:
            frozen: Leave out the discriminator's gradients in the generator's phase.
        """
        loss: Any = F.binary_cross_entropy_with_logits
        self.optimizer_d.zero_grad()
        loss(self.discriminator(self.images, self.emotions), self.ones).backward()
        latent = torch.randn((len(self.ones), self.latent_dim), device=self.ones.device)
        fake: Tensor = self.generator(latent, self.emotions)
        judged = self.discriminator(fake.detach(), self.emotions)
        loss(judged, torch.zeros_like(self.ones)).backward()
        self.optimizer_d.step()
        self.optimizer_g.zero_grad()
        self.discriminator.requires_grad_(not frozen)
        loss(self.discriminator(fake, self.emotions), self.ones).backward()
        self.discriminator.requires_grad_(True)
        self.optimizer_g.step()

    def run(self, steps: int) -> float:
        """Images a second of ``steps`` steps."""
        start = time.perf_counter()
        for _ in range(steps):
            self.step()
        synchronise()
        return steps * len(self.ones) / (time.perf_counter() - start)

    def operations(self) -> float:
        """Floating-point operations that a step needs, by image; a multiply-add counts as two.

        The loop also computes gradients of the discriminator's weights in the generator's phase,
        which nobody uses; they are not needed and not counted.
        """
        counter = FlopCounterMode(display=False)
        with counter:
            self.step(frozen=True)
        return float(counter.get_total_flops()) / len(self.ones)
