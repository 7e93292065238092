"""Training the conditional GAN: ``fer train`` beside plain PyTorch loops over the same networks."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from lightning import Callback, LightningModule, Trainer
from torch import Tensor
from torch.optim import Adam
from torch.utils.flop_counter import FlopCounterMode

from fer_lightning.benchmarks.comparison import Goal, SideBySide, Way, in_turn, rate, synchronise
from fer_lightning.config.benchmark import BenchmarkConfig
from fer_lightning.config.schema import LoggerConfig, TrainConfig, TrainerConfig, WandbMode
from fer_lightning.data.batch import FaceBatch
from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.errors import UserError
from fer_lightning.fitting import Watch
from fer_lightning.models.base import TrainingModule
from fer_lightning.models.cgan.config import CGANConfig
from fer_lightning.models.cgan.module import CGAN
from fer_lightning.runs import RunFolder

PAPER_A, PAPER_A_SECONDS = 8_601_600, 180.0
"""Images of paper A's 300 epochs of FER-2013, and the time aimed at for them on an H100."""
OURS, PLAIN, DEFAULT = "fer train", "plain loop, channels-last, fused Adam", "plain loop, default"
BF16, COMPILED = "fer train, bf16-mixed", "fer train, compiled"
GRAPHS = "fer train, bf16-mixed, compiled with CUDA graphs"
WARM_UP = 30 if torch.cuda.is_available() else 3
"""Steps before the timed ones: they compile, allocate memory and record CUDA graphs."""


def measure(config: BenchmarkConfig) -> Iterator[SideBySide]:
    """Real images a second through a discriminator and a generator step.

    ``fer train`` is Lightning's whole loop with all callbacks, fed by the data module; the plain
    loops are PyTorch's DCGAN tutorial with labels, on batches that lie ready on the device. Both
    are timed once they are warm.

    Raises:
        UserError: If the model is another one.
    """
    if not isinstance(config.model, CGANConfig):
        raise UserError("benchmark=train compares model=cgan with a plain loop; choose that model")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    faces = FaceDataModule(config.data, config.detector, config.image_size, config.channels, 0)
    faces.setup()
    loops = {
        PLAIN: PlainLoop(config.model, faces, device, torch.channels_last, fused=True),
        DEFAULT: PlainLoop(config.model, faces, device, torch.contiguous_format, fused=None),
    }
    steps = _steps(loops[PLAIN], config.seconds)
    ours = FerTrain(config, faces, steps)
    half = FerTrain(config, faces, steps, {"precision": "bf16-mixed"})
    ways: dict[str, Way] = {
        OURS: ours.run,
        **{name: partial(loop.run, steps) for name, loop in loops.items()},
        BF16: half.run,
        COMPILED: FerTrain(config, faces, steps, {"compile": "default"}).run,
    }
    if device.type == "cuda":
        graphs = {"precision": "bf16-mixed", "compile": "reduce-overhead"}
        ways[GRAPHS] = FerTrain(config, faces, steps, graphs).run
    result = in_turn("training", "images/s", ways, config.rounds)
    work = loops[PLAIN].operations()
    peaks = {dtype: matmul_rate(device, dtype) for dtype in (torch.float32, torch.bfloat16)}
    result.goals = [
        Goal(f"times {PLAIN}", result.ratio(OURS, PLAIN), 0.95),
        Goal(f"times {DEFAULT}", result.ratio(OURS, DEFAULT), 1.0),
        Goal("of a step waits for data", ours.waited / ours.trained, 0.03, at_least=False),
    ]
    fastest = max(result.values, key=result.median)
    hours = PAPER_A / result.median(fastest) / 3600
    if device.type == "cuda":
        aim = PAPER_A / PAPER_A_SECONDS
        result.goals.append(Goal("images/s at best", result.median(fastest), aim))
    result.notes = [
        f"{config.model.name} of width {config.model.width}, {config.image_size} px, batches of "
        f"{config.data.batch_size}, {steps} steps a round.",
        f"A step takes {work / 1e9:.2f} GFLOP an image; {OURS} does "
        f"{_share(result.median(OURS), work, peaks[torch.float32])} of the matrix product's "
        f"float32 rate here ({peaks[torch.float32] / 1e9:,.0f} GFLOP/s), {BF16} "
        f"{_share(result.median(BF16), work, peaks[torch.bfloat16])} of its bfloat16 rate "
        f"({peaks[torch.bfloat16] / 1e9:,.0f} GFLOP/s).",
        f"Paper A's 300 epochs ({PAPER_A:,} images) would take {hours:,.2f} hours by {fastest}.",
    ]
    yield result


def _share(images: float, work: float, peak: float) -> str:
    return f"{images * work / peak:.0%}"


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


def _steps(loop: PlainLoop, seconds: float) -> int:
    """As many as take so long, about."""
    loop.run(1)
    images = loop.run(2)
    return max(3, round(seconds * images / len(loop.ones)))


@dataclass
class FerTrain:
    """``fer train``'s own loop, run for some steps and timed from the inside.

    Attributes:
        config: Of the benchmark.
        faces: Set up.
        steps: Timed in one run.
        trainer: What differs from the defaults.
        waited: Seconds between one step and the next, over all runs; callbacks are in them.
        trained: All seconds that were timed.
    """

    config: BenchmarkConfig
    faces: FaceDataModule
    steps: int
    trainer: dict[str, Any] = field(default_factory=dict)
    waited: float = 0.0
    trained: float = 0.0

    @cached_property
    def module(self) -> TrainingModule:
        """The model; kept, so that it is compiled once."""
        module = self.config.model.build(self.faces.faces, 0)
        if "compile" in self.trainer:
            module.compile_networks(self.trainer["compile"])
        return module

    def run(self) -> float:
        """Images a second."""
        size = self.config.data.batch_size
        config = TrainConfig(
            data=self.config.data,
            detector=self.config.detector,
            image_size=self.config.image_size,
            channels=self.config.channels,
            model=self.config.model,
            trainer=TrainerConfig(
                max_images=(self.steps + WARM_UP) * size, progress=False, **self.trainer
            ),
            logger=LoggerConfig(wandb=WandbMode.disabled),
        )
        self.module.images_seen = 0
        with tempfile.TemporaryDirectory(prefix="fer-benchmark-") as place:
            folder = RunFolder(path=Path(place), identity={})
            folder.samples.mkdir()
            folder.checkpoint.parent.mkdir()
            watch = Watch.over(config, self.faces, folder)
            stopwatch = _Stopwatch(self.steps)
            watch.callbacks.insert(0, stopwatch)  # before the pictures of the run's end
            watch.trainer(config.trainer, folder).fit(self.module, self.faces)
        if watch.stopping.interrupted:
            raise KeyboardInterrupt
        self.waited += stopwatch.waited
        self.trained += stopwatch.seconds
        return self.steps * size / stopwatch.seconds


class _Stopwatch(Callback):
    """Times ``steps`` steps after the first few, and what passes between two of them."""

    def __init__(self, steps: int) -> None:
        self.last = WARM_UP + steps
        self.done = 0
        self.started = self.ended = self.seconds = self.waited = 0.0

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        if self.done >= WARM_UP:
            self.waited += time.perf_counter() - self.ended

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.done += 1
        if self.done == WARM_UP:
            synchronise()
            self.started = time.perf_counter()
        elif self.done == self.last:
            synchronise()
            self.seconds = time.perf_counter() - self.started
        self.ended = time.perf_counter()


def matmul_rate(device: torch.device, dtype: torch.dtype) -> float:
    """Operations a second of a large matrix product, the most that networks can hope for.

    On a GPU float32 means TF32, for that is what its convolutions use.
    """
    side = 8192 if device.type == "cuda" else 2048
    left, right = (torch.randn((side, side), device=device, dtype=dtype) for _ in range(2))
    precision = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if device.type == "cuda" else precision)
    synchronise()
    rates = [rate(2 * side**3, lambda: left @ right) for _ in range(20)]
    torch.set_float32_matmul_precision(precision)
    return max(rates)
