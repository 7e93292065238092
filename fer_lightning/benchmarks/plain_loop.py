"""What trainings are compared with: loops without a framework, in processes of their own."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.optim import SGD, Adam, AdamW
from torch.utils.flop_counter import FlopCounterMode

from fer_lightning.benchmarks.comparison import Way, synchronise
from fer_lightning.config.benchmark import BenchmarkConfig
from fer_lightning.data.batch import FaceBatch
from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.devices import chosen_device
from fer_lightning.errors import UserError
from fer_lightning.models.cgan.config import CGANConfig
from fer_lightning.models.cgan.module import CGAN
from fer_lightning.models.classifier.config import ClassifierConfig, Optimizer
from fer_lightning.models.classifier.module import Classifier
from fer_lightning.models.config import ModelConfig


class PlainLoop:
    """What one would write without a framework: steps on one batch that is used over and over.

    Args:
        faces: Set up; gives the batch.
        device: Where it trains.
        memory_format: Of weights and images.
    """

    def __init__(
        self, faces: FaceDataModule, device: torch.device, memory_format: torch.memory_format
    ) -> None:
        batch: FaceBatch = next(iter(faces.train_dataloader())).to(device)
        self.images = batch.images.contiguous(memory_format=memory_format)
        self.emotions = batch.emotions

    @abstractmethod
    def step(self, frozen: bool = False) -> None:
        """One step of every network.

        Args:
            frozen: Leave out gradients that nobody uses.
        """

    def run(self, steps: int) -> float:
        """Images a second of ``steps`` steps."""
        start = time.perf_counter()
        for _ in range(steps):
            self.step()
        synchronise()
        return steps * len(self.emotions) / (time.perf_counter() - start)

    def operations(self) -> float:
        """Floating-point operations that a step needs, by image; a multiply-add counts as two."""
        counter = FlopCounterMode(display=False)
        with counter:
            self.step(frozen=True)
        return float(counter.get_total_flops()) / len(self.emotions)


class PlainGAN(PlainLoop):
    """PyTorch's DCGAN tutorial on our networks.

    It also computes gradients of the discriminator's weights in the generator's phase, which
    nobody uses.

    Args:
        model: The conditional GAN.
        faces: As :class:`PlainLoop` has it.
        device: As :class:`PlainLoop` has it.
        memory_format: As :class:`PlainLoop` has it.
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
        super().__init__(faces, device, memory_format)
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
        self.ones = torch.ones(len(self.emotions), device=device)

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


class PlainClassifier(PlainLoop):
    """PyTorch's classifier tutorial on our networks.

    Args:
        model: The classifier.
        faces: As :class:`PlainLoop` has it.
        device: As :class:`PlainLoop` has it.
        memory_format: As :class:`PlainLoop` has it.
        fused: Of the optimiser.
    """

    def __init__(
        self,
        model: ClassifierConfig,
        faces: FaceDataModule,
        device: torch.device,
        memory_format: torch.memory_format,
        fused: bool | None,
    ) -> None:
        super().__init__(faces, device, memory_format)
        network = Classifier(model, faces.faces, seed=0).network.to(device)
        self.network = network.to(memory_format=memory_format)
        self.smoothing = model.label_smoothing
        weights, decay = self.network.parameters(), model.weight_decay
        self.optimizer = (
            SGD(weights, model.lr, 0.9, weight_decay=decay, nesterov=True, fused=fused)
            if model.optimizer is Optimizer.sgd
            else AdamW(weights, model.lr, weight_decay=decay, fused=fused)
        )

    def step(self, frozen: bool = False) -> None:
        """One step; every gradient is used, so ``frozen`` changes nothing."""
        logits = self.network(self.images)
        loss: Any = F.cross_entropy(logits, self.emotions, label_smoothing=self.smoothing)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()


Builder = Callable[[ModelConfig, FaceDataModule, torch.device], PlainLoop]
"""Makes a loop; importable, since a fresh process calls it."""


def faces_of(config: BenchmarkConfig) -> FaceDataModule:
    """What the loops and ours train on, set up."""
    faces = FaceDataModule(
        config.data,
        config.detector,
        config.image_size,
        config.channels,
        0,
        labelled=config.model.labelled,
    )
    faces.setup()
    return faces


def in_own_process(build: Builder, config: BenchmarkConfig, warm_up: int, steps: int) -> Way:
    """A loop that a fresh process makes and times, whenever it is called.

    In one process with ours it would be served by the memory that ours keeps for the next step
    (:func:`fer_lightning.devices.kept_memory`), though its authors have no such thing.

    Args:
        build: Makes the loop.
        config: Of the benchmark; its model is the loop's.
        warm_up: Steps before the timed ones.
        steps: Timed ones.

    Returns:
        What gives images a second.
    """

    def run() -> float:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            return process.submit(_timed, build, config, warm_up, steps).result()

    return run


def _timed(build: Builder, config: BenchmarkConfig, warm_up: int, steps: int) -> float:
    loop = build(config.model, faces_of(config), chosen_device("auto"))
    loop.run(warm_up)
    return loop.run(steps)


def plain_loop(
    model: ModelConfig,
    faces: FaceDataModule,
    device: torch.device,
    memory_format: torch.memory_format,
    fused: bool | None,
) -> PlainLoop:
    """The loop that does what ``fer train`` does with a model.

    Raises:
        UserError: If there is none, or it cannot do what the model is asked for.
    """
    if isinstance(model, CGANConfig):
        refuse_more(model, "critic_steps", "gradient_clip", "ema_half_life", "label_smoothing")
        return PlainGAN(model, faces, device, memory_format, fused)
    if isinstance(model, ClassifierConfig):
        refuse_more(model, "gradient_clip", "ema_half_life", "mixup", "class_weights")
        return PlainClassifier(model, faces, device, memory_format, fused)
    raise UserError(
        "benchmark=train compares model=cgan or model=classifier with a plain loop; choose one"
    )


def refuse_more(model: ModelConfig, *keys: str, benchmark: str = "train") -> None:
    """Refuse work that a benchmark's plain loop does not do.

    Raises:
        UserError: If a key has another value than by default.
    """
    for key in keys:
        value, usual = getattr(model, key), getattr(type(model), key)
        if value != usual:
            value, usual = (getattr(each, "name", each) for each in (value, usual))
            raise UserError(
                f"model.{key}={value}: the plain loop of benchmark={benchmark} has {usual}"
            )
