"""Measures how well a classifier recognises real faces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from lightning import LightningModule, Trainer
from numpy.typing import NDArray

from fer_lightning.callbacks.clock import crossed, images_seen
from fer_lightning.config.evaluate import RecognitionConfig
from fer_lightning.data.batch import to_unit_range
from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.data.fingerprint import digest
from fer_lightning.data.loader import FaceStore
from fer_lightning.data.splits import EVERY
from fer_lightning.metrics.evaluator import Evaluator, Measurement
from fer_lightning.metrics.functional.recognition import (
    bootstrap_intervals,
    confusion_matrix,
    recognition_metrics,
)
from fer_lightning.metrics.predictions import write_predictions
from fer_lightning.metrics.report import cautions, recognition_table, unmeasured
from fer_lightning.metrics.selection import Selection, select
from fer_lightning.models.classifier.module import Classifier
from fer_lightning.pictures import confusion_picture
from fer_lightning.progress import progress_bar
from fer_lightning.ranks import of_all_ranks

VERSION = 1
"""Raised whenever the same model and faces come to give other numbers."""

VALIDATED = ("accuracy", "balanced_accuracy", "macro_f1", "cross_entropy", "calibration_error")
"""What is logged of the validation part while a classifier trains, each behind ``val_``."""


@dataclass(frozen=True)
class Recognition:
    """What a classifier says of some faces.

    Attributes:
        selection: Which faces, and their true classes.
        probabilities: Of each class, float64 of shape (N, K).
    """

    selection: Selection
    probabilities: NDArray[np.float64]

    @property
    def predicted(self) -> NDArray[np.int64]:
        """The most probable class of each face, (N,)."""
        most: NDArray[np.int64] = self.probabilities.argmax(1)
        return most


@dataclass(frozen=True)
class RecognitionMeasurement(Measurement):
    """What was measured of a classifier, and all that it said.

    Attributes:
        recognition: What it said.
    """

    recognition: Recognition | None = None


class RecognitionEvaluator(Evaluator[Classifier]):
    """Measures a classifier once, or validates it while it trains.

    While it trains, it is told what its present weights score on ``split`` and acts on it
    (:meth:`Classifier.validated`); :attr:`last` is then of the weights that the run stands for.

    Args:
        faces: The real faces, set up.
        split: Part of them: ``train``, ``val`` or ``test``; ``all`` is every labelled image.
        settings: Mirroring, bootstrap, seed and batch size.
        interval: As :class:`Evaluator` has it.
        max_images: As :class:`Evaluator` has it.
    """

    def __init__(
        self,
        faces: FaceDataModule,
        split: str,
        settings: RecognitionConfig,
        interval: int | None = None,
        max_images: int | None = None,
    ) -> None:
        super().__init__(interval, max_images)
        self.faces = faces
        self.split = split
        self.settings = settings
        self._selected: tuple[list[str], Selection] | None = None

    def protocol(self, module: Classifier) -> dict[str, Any]:
        """Which faces, in which order, and how they are shown.

        Archives that are for training alone are no part of it, so that classifiers with and
        without them are measured under one protocol.
        """
        selection, settings = self._select(module), self.settings
        sizes = np.bincount(selection.emotions, minlength=len(module.classes)).tolist()
        measured = np.unique(self.faces.places(selection.rows)[0])
        owners, _ = self.faces.places(self.faces.parts[EVERY])
        return {
            "version": VERSION,
            "device": module.device.type,
            "split": self.split,
            "corpus": self.faces.archives[0].manifest["corpus"],
            "archives": [self.faces.archives[number].key for number in measured],
            "rows": digest(selection.rows.tolist()),
            "labelled": int(np.isin(owners, measured).sum()),
            "count": len(selection.rows),
            "extra": int((selection.rows >= self.faces.own_rows).sum()),
            "classes": dict(zip(module.classes, sizes, strict=True)),
            "unknown_emotions": selection.unknown,
            "ema": module.average is not None,
            "flip": settings.flip,
            "batch_size": settings.batch_size,
            "bootstrap": settings.bootstrap,
            "seed": settings.seed,
        }

    def measure(self, module: Classifier) -> RecognitionMeasurement:
        """What the best weights score.

        Where faces of ``data.extra`` are among those measured, ``own_…`` is of the corpus's own
        and ``extra_…`` of the added ones.
        """
        found = self.recognise(module, best=True)
        labels, classes, settings = found.selection.emotions, module.classes, self.settings
        measured = recognition_metrics(found.probabilities, labels, classes)
        own = found.selection.rows < self.faces.own_rows
        for name, part in (("own", own), ("extra", ~own)):
            if not own.all() and part.any():
                of_part = recognition_metrics(found.probabilities[part], labels[part], classes)
                for metric in ("accuracy", "macro_f1"):
                    measured.metrics[f"{name}_{metric}"] = of_part.metrics[metric]
        intervals = bootstrap_intervals(
            found.predicted, labels, classes, settings.bootstrap, settings.seed
        )
        protocol = {**self.protocol(module), "left_out": measured.left_out}
        matrix = confusion_matrix(found.predicted, labels, len(classes))
        details = {
            "measured_images": module.measured_images,
            "confusion": {"classes": list(classes), "rows_true": matrix.tolist()},
        }
        return RecognitionMeasurement(measured.metrics, protocol, intervals, details, found)

    @torch.no_grad()
    def recognise(self, module: Classifier, best: bool) -> Recognition:
        """Probabilities of all selected faces.

        Args:
            module: The classifier, on its device.
            best: By the weights that the run stands for; else by those of the moment.
        """
        selection, size = self._select(module), self.settings.batch_size
        store = FaceStore(self.faces.archives, torch.device("cpu"))
        found = []
        total = len(selection.rows)
        title = f"Recognising {self.split} images"
        with (
            module.uncompiled(),
            progress_bar(total=total, desc=title, unit="img", leave=False, delay=1) as bar,
        ):
            for start in range(0, total, size):
                faces = store.gather(selection.rows[start : start + size])
                images = to_unit_range(faces.to(module.device))
                found.append(module.probabilities(images, self.settings.flip, best).cpu())
                bar.update(len(faces))
        return Recognition(selection, torch.cat(found).double().numpy())

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Validate where it is time, and let every rank act on what the first one measured."""
        if not self.due(trainer, pl_module, batch):
            return
        module = cast(Classifier, pl_module)
        metrics: dict[str, float] = {}
        if trainer.is_global_zero:
            found = self.recognise(module, best=False)
            labels = found.selection.emotions
            metrics = recognition_metrics(found.probabilities, labels, module.classes).metrics
        metrics = of_all_ranks(metrics)[0]
        module.validated(metrics, regular=crossed(cast(int, self.interval), module, batch))
        trainer.should_stop = trainer.should_stop or module.converged
        if not trainer.is_global_zero:
            return
        validated = {f"val_{name}": metrics[name] for name in VALIDATED}
        chosen = not module.config.keep_best or module.selected_images == images_seen(module)
        if chosen:
            self.last = Measurement(validated, self.protocol(module))
        self.to_logs(trainer, pl_module, {**validated, "lr": module.rate})

    def write(self, path: Path, measured: Measurement) -> None:
        """The confusion matrix, drawn, and every prediction as Parquet."""
        if not isinstance(measured, RecognitionMeasurement) or measured.recognition is None:
            return
        found, protocol = measured.recognition, measured.protocol
        classes = list(protocol["classes"])
        matrix = np.array(measured.details["confusion"]["rows_true"])
        title = f"{protocol['split']} of {protocol['corpus']}, {protocol['count']:,} images"
        confusion_picture(matrix, classes, path.with_suffix(".png"), title)
        write_predictions(
            path.with_suffix(".parquet"),
            self.faces,
            found.selection.rows,
            found.selection.emotions,
            found.probabilities,
            classes,
        )

    def report(self, path: Path, content: Mapping[str, Any]) -> Iterator[str]:
        """Counts and cautions, the numbers, and where pictures and predictions are."""
        protocol = content["protocol"]
        yield (
            f"{protocol['count']:,} images, {protocol['split']} of {protocol['corpus']}; model at "
            f"{content['images_seen']:,} images, weights of {content['measured_images']:,}"
        )
        yield from cautions(protocol)
        yield recognition_table(content["metrics"], content["intervals"])
        yield from unmeasured(protocol)
        for what, suffix in (("confusion matrix", ".png"), ("predictions", ".parquet")):
            if path.with_suffix(suffix).is_file():
                yield f"{what}: {path.with_suffix(suffix)}"

    def _select(self, module: Classifier) -> Selection:
        """The rows, looked for once."""
        if self._selected is None or self._selected[0] != module.classes:
            found = select(self.faces, self.split, module.classes, None, self.settings.seed)
            self._selected = module.classes, found
        return self._selected[1]
