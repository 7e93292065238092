"""``benchmark=train`` refuses what its plain loops do not do."""

from __future__ import annotations

import pytest

from fer_lightning.benchmarks.train import _mirrored
from fer_lightning.errors import UserError
from fer_lightning.models.cgan.config import CGANConfig, Prior


@pytest.mark.parametrize(
    "keys", [{"critic_steps": 2}, {"gradient_clip": 1.0}, {"ema_half_life": 9}], ids=str
)
def test_other_work_is_not_compared(keys: dict[str, float]) -> None:
    with pytest.raises(UserError, match=f"model.{next(iter(keys))}="):
        _mirrored(CGANConfig(**keys))  # type: ignore[arg-type]


def test_other_networks_are() -> None:
    model = CGANConfig(width=8, spectral_norm=False, prior=Prior.uniform)
    assert _mirrored(model) is model
