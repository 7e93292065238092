"""Measures how well a model edits faces, by classifiers, by its own critic and by its inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fer_lightning.config.evaluate import EditingConfig
from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.data.fingerprint import digest
from fer_lightning.labels import NEUTRAL
from fer_lightning.metrics.curves import curves_picture
from fer_lightning.metrics.edit_passes import EditAnswers, edit_faces, lead_faces
from fer_lightning.metrics.editing import CriticF1
from fer_lightning.metrics.editing_judges import EditingJudge, Judgement, over_judges
from fer_lightning.metrics.evaluator import Evaluator, Measurement
from fer_lightning.metrics.exposure import exposure, training_record
from fer_lightning.metrics.functional.recognition import confusion_matrix
from fer_lightning.metrics.intensity import IntensityReaders, KnownIntensities
from fer_lightning.metrics.predictions import write_table
from fer_lightning.metrics.report import (
    cautions,
    editing_cautions,
    recognition_table,
    unmeasured,
)
from fer_lightning.metrics.selection import Selection, select
from fer_lightning.models.editing import EditingModule
from fer_lightning.pictures import confusion_picture
from fer_lightning.rng import EVALUATION, SUBSETS, stream_seed

VERSION = 2
"""Raised whenever the same model, faces and classifiers come to give other numbers."""

SHOWN = ("recall", "recall_real", "smoothness", "intensity_rank", "intensity_reader")
"""What people are shown of each emotion; the file has the rest."""

NEEDS_JUDGES = (
    "macro_f1, fed, smoothness and intensity_rank are what a classifier says of edits: pass "
    "editing.classifiers=[RUN,RUN], runs of `fer train model=classifier` on such faces"
)


@dataclass(frozen=True)
class EditingMeasurement(Measurement):
    """What was measured of edits, and what there is to see.

    Attributes:
        answers: What critic and classifiers said of every face.
    """

    answers: EditAnswers | None = None


class EditingEvaluator(Evaluator[EditingModule]):
    """Measures edits of real faces to emotions drawn from the same faces' (paper E, Tables I-V).

    Every face is edited to a target; the targets are a permutation of the faces' own emotions.
    Edits are rounded to 8 bits, as in a file, before the critic or a classifier sees them.

    - ``macro_f1``, ``accuracy`` and ``recall/<emotion>``: what a classifier takes the edits for,
      against their targets; ``macro_f1_real`` and so on: its answers to the faces as they are,
      against their labels. The mean is over all classes of the model, of which one without a face
      counts as 0.
    - ``fed``: the Fréchet distance between its vectors of the faces and of their edits.
    - ``smoothness``, ``smoothness_median`` and ``…_skipped``, of neutral faces that are led along
      each emotion: :func:`~fer_lightning.metrics.functional.editing.smoothness_metrics`.
    - ``critic_f1``, ``critic_f1_midpoint``, their ``_real`` and ``_fake``, and ``critic_auc``: of
      the model's own critic, :func:`~fer_lightning.metrics.functional.editing.critic_metrics`.
    - ``reconstruction_ssim``: of the faces and what becomes of their edits when these are edited
      back to where the critic sees the faces (paper E, equation 7); ``identity_ssim``: of neutral
      faces and their edits of intensity 0.
    - ``intensity_rank``, where the archive knows intensities: whether what a regressor reads from
      the led faces grows with the intensity that was asked for,
      :func:`~fer_lightning.metrics.functional.editing.intensity_metrics`; ``intensity_reader``:
      what that regressor is worth, :class:`~fer_lightning.metrics.intensity.IntensityReaders`.

    With several classifiers, ``<name>_1`` is of the first, and ``<name>`` and ``<name>_sd`` are
    mean and standard deviation; of ``fed`` there is no mean, and intensities are read by the first
    classifier alone. Without a classifier, the critic's and the SSIM are measured.

    Args:
        faces: The real faces, set up.
        split: Part of them: ``train``, ``val`` or ``test``; ``all`` is every labelled image.
        judges: The classifiers.
        settings: Intensity, counts, seed and batch size.
        trained_on: The faces of the model's training; None where they are not to be had.
    """

    def __init__(
        self,
        faces: FaceDataModule,
        split: str,
        judges: Sequence[EditingJudge],
        settings: EditingConfig,
        trained_on: FaceDataModule | None,
    ) -> None:
        super().__init__()
        self.faces = faces
        self.split = split
        self.judges = list(judges)
        self.settings = settings
        self.trained_on = trained_on

    def protocol(self, module: EditingModule) -> dict[str, Any]:
        """Which faces, how they are edited, who judges them, and what is known of all.

        Raises:
            UserError: If the part holds too few images.
        """
        selection, settings = self._select(module), self.settings
        neutral, known = self._neutral(module, selection), self._known(selection)
        skipped: dict[str, str] = {}
        if not self.judges:
            skipped["classifiers"] = NEEDS_JUDGES
        elif isinstance(known, str):
            skipped["intensity_rank"] = known
        return {
            "version": VERSION,
            "device": module.device.type,
            "split": self.split,
            **selection.record(self.faces, module.classes),
            "trained_on": training_record(self.faces, selection.rows, self.trained_on),
            "classifiers": [
                {
                    "checkpoint": judge.checkpoint,
                    **exposure(self.faces, selection.rows, judge.trained_on),
                }
                for judge in self.judges
            ],
            "below_dimensions": self._below_dimensions(len(selection.rows)),
            "intensity": settings.intensity,
            "curves": {"faces": len(neutral), "rows": digest(neutral.tolist())},
            "reader": known.protocol() if self.judges and not isinstance(known, str) else None,
            "skipped": skipped,
            "ema": module.average is not None,
            "batch_size": settings.batch_size,
            "seed": settings.seed,
        }

    def _below_dimensions(self, count: int) -> dict[str, dict[str, Any]]:
        lengths = {f"classifier {m}": j.network.num_features for m, j in enumerate(self.judges, 1)}
        return {
            name: {"dimensions": length, "groups": ["all"]}
            for name, length in lengths.items()
            if count < length
        }

    @torch.no_grad()
    def measure(self, module: EditingModule) -> EditingMeasurement:
        """Edit every face once, and lead neutral faces along every emotion.

        Raises:
            UserError: If the part holds too few images, or an edit is not finite.
        """
        protocol, settings, size = self.protocol(module), self.settings, self.settings.batch_size
        selection = self._select(module)
        emotions = [name for name in module.classes if name != NEUTRAL]
        for judge in self.judges:
            judge.network.to(module.device)
        judgements = [Judgement(judge, module.classes, emotions) for judge in self.judges]
        readers = self._readers(module, selection, emotions)
        random = np.random.default_rng(stream_seed(settings.seed, EVALUATION))
        targets, critic = random.permutation(selection.emotions), CriticF1(settings.seed)
        neutral = self._neutral(module, selection)
        with module.uncompiled():
            cycle = edit_faces(
                module, self.faces, selection, targets, settings.intensity, size, judgements, critic
            )
            led = lead_faces(module, self.faces, neutral, size, judgements, readers)
        of_judges = [judgement.compute() for judgement in judgements]
        found = over_judges(of_judges)
        found.add(critic.compute())
        found.metrics["reconstruction_ssim"] = float(cycle.compute())
        found.add(led.compute())
        if readers is not None:
            found.add(readers.quality)
        details = {
            "classifiers": [
                {"run": str(judge.run), **{n: v for n, v in of.metrics.items() if "/" not in n}}
                for judge, of in zip(self.judges, of_judges, strict=True)
            ],
            "curves": led.curves(judgements),
            "notes": list(editing_cautions(protocol, [str(judge.run) for judge in self.judges])),
        }
        return EditingMeasurement(
            found.metrics,
            {**protocol, "left_out": found.left_out},
            details=details,
            answers=EditAnswers(selection, targets, *critic.scores(), judgements),
        )

    def _readers(
        self, module: EditingModule, selection: Selection, emotions: Sequence[str]
    ) -> IntensityReaders | None:
        known = self._known(selection)
        if not self.judges or isinstance(known, str):
            return None
        return IntensityReaders(known, self.judges[0].network, emotions, module.device)

    def write(self, path: Path, measured: Measurement) -> None:
        """Curves over intensity, a confusion matrix of each classifier, and a row for each face."""
        if not isinstance(measured, EditingMeasurement) or measured.answers is None:
            return
        protocol, answers = measured.protocol, measured.answers
        files = _files(path, len(answers.judgements))
        part = f"{protocol['split']} of {protocol['corpus']}"
        if measured.details["curves"]:
            title = f"{protocol['curves']['faces']:,} neutral faces, {part}, led along each emotion"
            curves_picture(measured.details["curves"], files["curves"], title)
        for number, found in enumerate(answers.judgements, 1):
            names = found.judge.emotions
            matrix = confusion_matrix(found.of_edits.answers(), answers.targets, len(names))
            title = f"{part}, {protocol['count']:,} edits; true is what an edit was to show"
            confusion_picture(matrix, names, files[f"confusion matrix {number}"], title)
        write_table(files["predictions"], answers.table(self.faces, list(protocol["classes"])))

    def report(self, path: Path, content: Mapping[str, Any]) -> Iterator[str]:
        """Counts and cautions, the numbers, and where pictures and answers are."""
        protocol, judges = content["protocol"], content["classifiers"]
        yield (
            f"{protocol['count']:,} faces, {protocol['split']} of {protocol['corpus']}, edited at "
            f"intensity {protocol['intensity']:g}; model at {content['images_seen']:,} images"
        )
        yield from cautions(protocol)
        yield from content["notes"]
        metrics = content["metrics"]
        shown = {n: v for n, v in metrics.items() if "/" not in n or n.partition("/")[0] in SHOWN}
        yield recognition_table(shown, {})
        yield ""
        for number, judge in enumerate(judges, 1):
            yield (
                f"classifier {number}: macro F1 {judge['macro_f1']:.4f} of edits, "
                f"{judge['macro_f1_real']:.4f} of faces as they are: {judge['run']}"
            )
        yield from unmeasured(protocol)
        for what, file in _files(path, len(judges)).items():
            if file.is_file():
                yield f"{what}: {file}"

    def _select(self, module: EditingModule) -> Selection:
        settings = self.settings
        return select(self.faces, self.split, module.classes, settings.count, settings.seed)

    def _neutral(self, module: EditingModule, selection: Selection) -> NDArray[np.int64]:
        """Rows of the neutral faces that are led along emotions, ascending."""
        rows = selection.rows[selection.emotions == module.classes.index(NEUTRAL)]
        random = np.random.default_rng(stream_seed(self.settings.seed, SUBSETS))
        return np.sort(random.permutation(rows)[: self.settings.curve_faces])

    def _known(self, selection: Selection) -> KnownIntensities | str:
        return KnownIntensities.of(self.faces, selection.rows)


def _files(path: Path, judges: int) -> dict[str, Path]:
    """What stands beside an evaluation's JSON file, by what it is."""
    matrices = {
        f"confusion matrix {m}": path.with_name(f"{path.stem}-confusion-{m}.png")
        for m in range(1, judges + 1)
    }
    return {
        "curves": path.with_suffix(".png"),
        **matrices,
        "predictions": path.with_suffix(".parquet"),
    }
