"""Where a job's measures go besides its files."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from fer_lightning.errors import UserError

LONGEST_TAG = 64
"""Characters that W&B admits."""


class WandbMode(enum.Enum):
    """Where W&B writes, in its own words."""

    online = "online"
    offline = "offline"
    disabled = "disabled"


@dataclass(kw_only=True)
class LoggerConfig:
    """Windows on a run besides ``metrics.csv``, which is always written.

    Attributes:
        wandb: ``offline`` (into the run folder), ``online``, or ``disabled``.
        project: W&B project.
        entity: W&B team or user; None is the account's default.
        group: W&B group; a study gives its own name.
        tags: W&B tags, besides the model and the faces, which every run has.
    """

    wandb: WandbMode = WandbMode.offline
    project: str = "fer_lightning"
    entity: str | None = None
    group: str | None = None
    tags: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for tag in self.tags:
            if not 1 <= len(tag) <= LONGEST_TAG:
                raise UserError(f"logger.tags: {tag!r} has to have 1 to {LONGEST_TAG} characters")
