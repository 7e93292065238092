"""What measures a model: once, or while it trains."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from lightning import Callback, LightningModule, Trainer

from fer_lightning.callbacks.clock import crossed, images_seen
from fer_lightning.models.base import TrainingModule

Module = TypeVar("Module", bound=TrainingModule)


@dataclass(frozen=True)
class Measurement:
    """What was measured, and how.

    Attributes:
        metrics: Name to value; ``name/emotion`` is of one class.
        protocol: All that decides the values but the weights, as plain data.
        intervals: Of some metrics, the ends of a 95 % interval.
        details: What else belongs into the evaluation's file, as plain data.
    """

    metrics: dict[str, float]
    protocol: dict[str, Any]
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)


class Evaluator(Callback, Generic[Module]):
    """The only thing that creates a metric or logs one; a subclass for each kind of model.

    Measuring changes nothing in a training: neither its random states nor its weights, and no
    network that it measures by enters the checkpoints.

    Args:
        interval: While training, measure after every so many real images and at the end; None
            never does.
        max_images: Length of the run, at whose end it is measured; None measures wherever the
            trainer stops, also on the user's wish.

    Attributes:
        last: What stands for the run: the newest measurement, or None.
    """

    def __init__(self, interval: int | None = None, max_images: int | None = None) -> None:
        self.interval = interval
        self.max_images = max_images
        self.last: Measurement | None = None

    @property
    def state_key(self) -> str:
        """One name in checkpoints, whatever the kind."""
        return "Evaluator"

    @abstractmethod
    def protocol(self, module: Module) -> dict[str, Any]:
        """All that decides what :meth:`measure` will find, but the weights; plain data.

        Raises:
            UserError: If the part holds too few images.
        """

    @abstractmethod
    def measure(self, module: Module) -> Measurement:
        """Measure now.

        Raises:
            UserError: If the part holds too few images.
        """

    @abstractmethod
    def write(self, path: Path, measured: Measurement) -> None:
        """Write what belongs beside ``path``, the evaluation's JSON file: pictures, tables."""

    @abstractmethod
    def report(self, path: Path, content: Mapping[str, Any]) -> Iterator[str]:
        """Lines for people about an evaluation's content, and where its other files are."""

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Find out before the training what could not be measured."""
        if self.interval is not None and trainer.is_global_zero:
            self.protocol(cast(Module, pl_module))

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Measure and log where it is time; other ranks wait with their next step."""
        if self.due(trainer, pl_module, batch) and trainer.is_global_zero:
            self.last = self.measure(cast(Module, pl_module))
            self.to_logs(trainer, pl_module, self.last.metrics)

    def due(self, trainer: Trainer, pl_module: LightningModule, batch: Any) -> bool:
        """Whether it is time."""
        if self.interval is None:
            return False
        stopping = trainer.should_stop
        if self.max_images is not None:
            stopping = images_seen(pl_module) >= self.max_images
        return stopping or crossed(self.interval, pl_module, batch)

    def to_logs(
        self, trainer: Trainer, pl_module: LightningModule, metrics: dict[str, float]
    ) -> None:
        """Into every log, on the run's clock."""
        for logger in trainer.loggers:
            logger.log_metrics(metrics, step=images_seen(pl_module))

    def state_dict(self) -> dict[str, Any]:
        """The newest measurement, for a run that is killed after its last one."""
        if self.last is None:
            return {}
        return {"metrics": self.last.metrics, "protocol": self.last.protocol}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take it up."""
        if state_dict:
            self.last = Measurement(dict(state_dict["metrics"]), dict(state_dict["protocol"]))
