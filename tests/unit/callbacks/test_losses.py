"""Means over windows and epochs are those of all steps, also across a resume."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from fer_lightning.callbacks.losses import LossLog, RunningMean


class Run:
    """Six batches of four images an epoch, logged every twelve images."""

    def __init__(self, log: LossLog, images_seen: int = 0) -> None:
        self.log = log
        self.rows: list[tuple[int, dict[str, float]]] = []
        logger = SimpleNamespace(log_metrics=lambda row, step: self.rows.append((step, row)))
        self.loader: Any = type("Loader", (), {"__len__": lambda _: 6})()
        self.loader.epoch, self.loader.position = divmod(images_seen // 4, 6)
        self.trainer: Any = SimpleNamespace(
            should_stop=False, world_size=1, loggers=[logger], train_dataloader=self.loader
        )
        self.module: Any = SimpleNamespace(images_seen=images_seen, trainer=self.trainer)

    def steps(self, losses: list[float]) -> None:
        for loss in losses:
            self.module.images_seen += 4
            batches = self.module.images_seen // 4
            self.loader.epoch, self.loader.position = (batches - 1) // 6, (batches - 1) % 6 + 1
            outputs = {"g_loss": torch.tensor(loss)}
            self.log.on_train_batch_end(self.trainer, self.module, outputs, [0] * 4, 0)


LOSSES = [float(i * i) for i in range(12)]


def test_windows_and_epochs_hold_the_mean_of_their_steps() -> None:
    run = Run(LossLog(interval=12, max_images=10**9))
    run.steps(LOSSES)
    windows = [row["g_loss"] for _, row in run.rows]
    assert windows == pytest.approx([sum(LOSSES[a:b]) / 3 for a, b in pairwise(range(0, 13, 3))])
    epochs = [(row["epoch"], row["epoch_g_loss"]) for _, row in run.rows if "epoch" in row]
    assert epochs == [(1, pytest.approx(55 / 6)), (2, pytest.approx(451 / 6))]
    assert [step for step, _ in run.rows] == [12, 24, 36, 48]


@pytest.mark.parametrize("stop", [1, 4, 8])
def test_a_resume_goes_on_with_open_windows(stop: int) -> None:
    whole, first = Run(LossLog(12, 10**9)), Run(LossLog(12, 10**9))
    whole.steps(LOSSES)
    first.steps(LOSSES[:stop])
    second = Run(LossLog(12, 10**9), images_seen=4 * stop)
    second.log.load_state_dict(first.log.state_dict())
    second.steps(LOSSES[stop:])
    assert first.rows + second.rows == whole.rows
    assert second.log.newest == whole.log.newest


def test_names_that_come_in_some_steps_alone_have_means_of_their_own() -> None:
    mean = RunningMean()
    mean.add(("d", "g"), torch.tensor([1.0, 10.0], dtype=torch.float64))
    mean.add(("d",), torch.tensor([3.0], dtype=torch.float64))
    mean.add(("d", "g"), torch.tensor([5.0, 20.0], dtype=torch.float64))
    assert mean.take("epoch_") == {"epoch_d": 3.0, "epoch_g": 15.0}
    assert mean.take() == {}


def test_windows_of_an_earlier_version_go_on() -> None:
    run = Run(LossLog(12, 10**9), images_seen=8)
    window = {"sums": {"g_loss": 0.0 + 1.0}, "counts": {"g_loss": 2}}
    run.log.load_state_dict({"window": [window], "epoch": [window], "newest": {}})
    run.steps(LOSSES[2:3])
    assert run.rows == [(12, {"g_loss": pytest.approx(5 / 3)})]
