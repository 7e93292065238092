"""What ``fer prefetch`` takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from omegaconf import MISSING

from fer_lightning.config.plain import OVERRIDES
from fer_lightning.config.study import Study


@dataclass(kw_only=True)
class PrefetchConfig:
    """``fer prefetch``: lay ready what a study reads, for nodes without a network.

    Attributes:
        study: The study.
        train: Overrides added to every training stage, as ``fer study`` will be given them.
        out: Folder for archives and weights; None is ``$FER_ARCHIVES``, or ``archives``.
    """

    study: Study = MISSING
    train: list[str] = field(default_factory=list, metadata=OVERRIDES)
    out: Path | None = None
