"""Training a model: ``fer train`` beside plain PyTorch loops over the same networks."""

from __future__ import annotations

import tempfile
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import torch
from lightning import Callback, LightningModule, Trainer

from fer_lightning.benchmarks.comparison import Goal, SideBySide, Way, in_turn, rate, synchronise
from fer_lightning.benchmarks.plain_loop import (
    Builder,
    PlainLoop,
    faces_of,
    in_own_process,
    plain_loop,
)
from fer_lightning.config.benchmark import BenchmarkConfig
from fer_lightning.config.logger import LoggerConfig, WandbMode
from fer_lightning.config.schema import TrainConfig, TrainerConfig
from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.devices import can_compile, chosen_device, kept_memory
from fer_lightning.errors import UserError
from fer_lightning.fitting import Watch
from fer_lightning.models.base import TrainingModule
from fer_lightning.models.cgan.config import CGANConfig
from fer_lightning.models.classifier.config import WIDTHS, ClassifierConfig, Schedule
from fer_lightning.models.config import ModelConfig
from fer_lightning.runs import RunFolder

PAPER_A, PAPER_A_SECONDS = 8_601_600, 180.0
"""Images of paper A's 300 epochs of FER-2013, and the time aimed at for them on an H100."""
OURS, PLAIN = "fer train", "plain loop, channels-last, fused optimiser"
DEFAULT = "plain loop, default"
BF16, COMPILED = "fer train, bf16-mixed", "fer train, compiled"
GRAPHS = "fer train, bf16-mixed, compiled with CUDA graphs"
WARM_UP = 30 if torch.cuda.is_available() else 3
"""Steps before the timed ones: they compile, allocate memory and record CUDA graphs."""


def measure(config: BenchmarkConfig) -> Iterator[SideBySide]:
    """Real images a second through a step of every network.

    ``fer train`` is Lightning's loop with the data module and all callbacks, without W&B, its
    progress bar and a classifier's validations; the plain loops are PyTorch's tutorials, on
    batches that lie ready on the device, each in a process of its own. All are timed once they
    are warm.

    Raises:
        UserError: If the plain loops cannot do what the model is asked for.
    """
    model = config.model
    if config.data.soft_labels:
        raise UserError("data.soft_labels=true: the plain loop of benchmark=train has hard ones")
    device, faces = chosen_device("auto"), faces_of(config)
    loops: dict[str, Builder] = {
        PLAIN: partial(plain_loop, memory_format=torch.channels_last, fused=True),
        DEFAULT: partial(plain_loop, memory_format=torch.contiguous_format, fused=None),
    }
    loop = loops[PLAIN](model, faces, device)
    steps = _steps(loop, config.seconds)
    work = loop.operations()
    del loop
    trainers: dict[str, dict[str, Any]] = {OURS: {}, BF16: {"precision": "bf16-mixed"}}
    if can_compile():
        trainers[COMPILED] = {"compile": "default"}
        if device.type == "cuda":
            trainers[GRAPHS] = {"precision": "bf16-mixed", "compile": "reduce-overhead"}
    ours = {name: FerTrain(config, faces, steps, keys).run for name, keys in trainers.items()}
    plain = {name: in_own_process(b, config, WARM_UP, steps) for name, b in loops.items()}
    ways: dict[str, Way] = {OURS: ours.pop(OURS), **plain, **ours}
    result = in_turn("training", "images/s", ways, config.rounds)
    # The loader alone, on the device that the runs above have left to the data module.
    loader = faces.train_dataloader()
    fed = rate(len(loader) * config.data.batch_size, lambda: deque(loader, maxlen=0))
    result.goals = [
        Goal(f"times {PLAIN}", result.ratio(OURS, PLAIN), 0.95),
        Goal(f"times {DEFAULT}", result.ratio(OURS, DEFAULT), 1.0),
        Goal("of a step's time makes its batch", result.median(OURS) / fed, 0.03, at_least=False),
    ]
    result.notes = [
        f"{_named(model)}, {config.image_size} px, batches of {config.data.batch_size}, {steps} "
        f"steps a round; {OURS} without W&B and progress bar, the plain loops each in a process of "
        "its own.",
        *_arithmetic(result, work, trainers, device),
    ]
    if COMPILED not in trainers:
        result.notes.append("There is no C++ compiler here, so nothing was compiled.")
    if isinstance(model, CGANConfig) and (model.width, config.image_size) == (64, 64):
        fastest = max(trainers, key=result.median)
        best = result.median(fastest)
        result.notes.append(
            f"Paper A's 300 epochs ({PAPER_A:,} images) would take {PAPER_A / best / 3600:,.2f} "
            f"hours by {fastest}."
        )
        if device.type == "cuda":
            result.goals.append(Goal(f"images/s by {fastest}", best, PAPER_A / PAPER_A_SECONDS))
    yield result


def _named(model: ModelConfig) -> str:
    """A model and its size in words."""
    if isinstance(model, ClassifierConfig):
        width = f" of width {model.width}" if model.network in WIDTHS else ""
        return f"{model.name}, {model.network.name}{width}"
    return f"{model.name} of width {model.width}" if isinstance(model, CGANConfig) else model.name


def _arithmetic(
    result: SideBySide, work: float, trainers: dict[str, dict[str, Any]], device: torch.device
) -> list[str]:
    """What was computed each second, beside what a large matrix product reaches."""
    peaks = {
        "float32": matmul_rate(device, torch.float32),
        "bfloat16": matmul_rate(device, torch.bfloat16),
    }
    reached = []
    for name, keys in trainers.items():
        kind = "bfloat16" if "precision" in keys else "float32"
        done = result.median(name) * work
        reached.append(f"{name} {done / 1e9:,.0f} ({done / peaks[kind]:.0%} of {kind})")
    best = ", ".join(f"{kind} {peak / 1e9:,.0f}" for kind, peak in peaks.items())
    return [
        f"A step takes {work / 1e9:.3g} GFLOP an image. GFLOP/s: {'; '.join(reached)}. A large "
        f"matrix product here: {best}."
    ]


def _steps(loop: PlainLoop, seconds: float) -> int:
    """As many as take so long, about."""
    loop.run(1)
    images = loop.run(2)
    return max(3, round(seconds * images / len(loop.emotions)))


@dataclass
class FerTrain:
    """``fer train``'s own loop, run for some steps and timed from the inside.

    Attributes:
        config: Of the benchmark.
        faces: Set up.
        steps: Timed in one run.
        trainer: What differs from the defaults.
    """

    config: BenchmarkConfig
    faces: FaceDataModule
    steps: int
    trainer: dict[str, Any]

    @cached_property
    def module(self) -> TrainingModule:
        """The model; kept, so that it is compiled once."""
        module = _unvalidated(self.config.model).build(self.faces.faces, 0)
        if "compile" in self.trainer:
            module.compile_networks(self.trainer["compile"])
        return module

    def run(self) -> float:
        """Images a second."""
        stopwatch = _Stopwatch(self.steps)
        self.fit(self.steps + WARM_UP, stopwatch)
        return self.steps * self.config.data.batch_size / stopwatch.seconds

    def fit(self, steps: int, callback: Callback) -> None:
        """Train for so many steps.

        Args:
            steps: How many.
            callback: Sees the steps before the run's own callbacks do.
        """
        config = TrainConfig(
            data=self.config.data,
            detector=self.config.detector,
            image_size=self.config.image_size,
            channels=self.config.channels,
            model=_unvalidated(self.config.model),
            trainer=TrainerConfig(
                max_images=steps * self.config.data.batch_size, progress=False, **self.trainer
            ),
            logger=LoggerConfig(wandb=WandbMode.disabled),
        )
        self.module.images_seen = 0
        with tempfile.TemporaryDirectory(prefix="fer-benchmark-") as place:
            folder = RunFolder(path=Path(place), identity={})
            folder.samples.mkdir()
            folder.checkpoint.parent.mkdir()
            watch = Watch.over(config, self.faces, folder)
            watch.callbacks.insert(0, callback)  # before the pictures of the run's end
            with kept_memory():
                watch.trainer(config.trainer, folder).fit(self.module, self.faces)
        if watch.stopping.interrupted:
            raise KeyboardInterrupt


def _unvalidated(model: ModelConfig) -> ModelConfig:
    """A plain loop measures nothing in between."""
    if isinstance(model, ClassifierConfig):
        return replace(
            model,
            validation_images=10**12,
            keep_best=False,
            patience=0,
            schedule=Schedule.constant,
            warmup_images=0,
        )
    return model


class _Stopwatch(Callback):
    """Times ``steps`` steps after the first few."""

    def __init__(self, steps: int) -> None:
        self.last = WARM_UP + steps
        self.done = 0
        self.started = self.seconds = 0.0

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
