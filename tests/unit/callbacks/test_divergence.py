"""The guard stops what cannot recover, with the reason, and nothing else."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from fer_lightning.callbacks.divergence import DivergenceGuard
from fer_lightning.errors import UserError


class Run:
    """Feeds a guard one loss after another, eight images each."""

    def __init__(self, guard: DivergenceGuard) -> None:
        self.guard = guard
        self.trainer: Any = SimpleNamespace(should_stop=False, world_size=1)
        self.module: Any = SimpleNamespace(images_seen=0, trainer=self.trainer)

    def step(self, **losses: float) -> None:
        self.module.images_seen += 8
        outputs = {name: torch.tensor(value) for name, value in losses.items()}
        self.guard.on_train_batch_end(self.trainer, self.module, outputs, [0] * 8, 0)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_no_number_stops_the_run(value: float) -> None:
    run = Run(DivergenceGuard(interval=8, max_images=10**9))
    run.step(g_loss=1.0)
    with pytest.raises(UserError, match=r"g_loss is -?(nan|inf) at 16 images.*checkpoint is kept"):
        run.step(g_loss=value)


def test_frozen_losses_stop_the_run() -> None:
    run = Run(DivergenceGuard(interval=8, max_images=10**9, patience=3))
    for _ in range(3):
        run.step(d_loss=0.0, g_loss=13.82)
    with pytest.raises(UserError, match=r"frozen.*13\.8"):
        run.step(d_loss=0.0, g_loss=13.82)


def test_losses_that_still_move_do_not() -> None:
    run = Run(DivergenceGuard(interval=8, max_images=10**9, patience=3))
    for step in range(50):
        run.step(d_loss=0.0, g_loss=13.82 + 1e-3 * (step % 2))


def test_it_looks_at_its_interval_alone() -> None:
    run = Run(DivergenceGuard(interval=16, max_images=10**9))
    run.step(g_loss=math.nan)
    with pytest.raises(UserError):
        run.step(g_loss=math.nan)


def test_its_memory_survives_a_resume() -> None:
    first = Run(DivergenceGuard(interval=8, max_images=10**9, patience=3))
    for _ in range(3):
        first.step(g_loss=1.0)
    second = Run(DivergenceGuard(interval=8, max_images=10**9, patience=3))
    second.guard.load_state_dict(first.guard.state_dict())
    with pytest.raises(UserError, match="frozen"):
        second.step(g_loss=1.0)
