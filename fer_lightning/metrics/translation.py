"""Measures what translating faces does for classifiers that then name them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from PIL import Image

from fer_lightning.callbacks.translation_sheet import drawn, translation_sheet
from fer_lightning.config.evaluate import TranslationConfig
from fer_lightning.data.batch import to_bytes, to_unit_range
from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.data.loader import FaceStore
from fer_lightning.labels import EMOTIONS
from fer_lightning.metrics.evaluator import Evaluator, Measurement
from fer_lightning.metrics.exposure import exposure, training_record
from fer_lightning.metrics.functional.translation import (
    answer_shares,
    paired_ssim,
    translation_metrics,
)
from fer_lightning.metrics.judges import Judge
from fer_lightning.metrics.predictions import source_columns, write_table
from fer_lightning.metrics.report import (
    cautions,
    recognition_table,
    translation_cautions,
    unmeasured,
)
from fer_lightning.metrics.selection import Selection, select
from fer_lightning.models.egc_gan.module import EGCGAN
from fer_lightning.pictures import shares_picture
from fer_lightning.progress import progress_bar

VERSION = 2
"""Raised whenever the same model, faces and classifiers come to give other numbers."""

COLUMNS = 4
"""Source faces of each emotion in the sheet."""


@dataclass(frozen=True)
class Answers:
    """What classifiers take faces for, before and after these are translated.

    Attributes:
        selection: Which faces, and their true classes.
        names: Of the answers: the model's classes, then what classifiers know besides.
        before: Numbers of answers to the faces as they are, (M, N).
        after: The same of their translations.
    """

    selection: Selection
    names: Sequence[str]
    before: NDArray[np.int64]
    after: NDArray[np.int64]


@dataclass(frozen=True)
class TranslationMeasurement(Measurement):
    """What was measured of translations, and what there is to see.

    Attributes:
        answers: What the classifiers said.
        sheet: Source faces, their translations and the nearest target faces.
    """

    answers: Answers | None = None
    sheet: Image.Image | None = None


class TranslationEvaluator(Evaluator[EGCGAN]):
    """Measures how well classifiers name faces as they are, and translated.

    A classifier answers with the likeliest of all the emotions that it knows; one that the model
    does not know is wrong of every face. It is shown both at the size and in the colours of the
    model, rounded to 8 bits as in a file, and brought to its own from there.

    Args:
        faces: The source faces, set up.
        split: Part of them: ``train``, ``val`` or ``test``; ``all`` is every labelled image.
        judges: The classifiers, one at least.
        settings: Seed and batch size.
        trained_on: The source faces of the model's training; None where they are not to be had.
        target: The target faces of its training, for the sheet; None leaves them out.
    """

    def __init__(
        self,
        faces: FaceDataModule,
        split: str,
        judges: Sequence[Judge],
        settings: TranslationConfig,
        trained_on: FaceDataModule | None,
        target: FaceDataModule | None,
    ) -> None:
        super().__init__()
        self.faces = faces
        self.split = split
        self.judges = list(judges)
        self.settings = settings
        self.trained_on = trained_on
        self.target = target

    def protocol(self, module: EGCGAN) -> dict[str, Any]:
        """Which faces, who judges them, and what is known of both; plain data.

        Raises:
            UserError: If the part holds too few images.
        """
        selection = self._select(module)
        return {
            "version": VERSION,
            "device": module.device.type,
            "split": self.split,
            **selection.record(self.faces, module.classes),
            "trained_on": training_record(self.faces, selection.rows, self.trained_on),
            "classifiers": [self._described(judge, selection) for judge in self.judges],
            "told_label": module.config.generator_label,
            "ema": module.average is not None,
            "batch_size": self.settings.batch_size,
            "seed": self.settings.seed,
        }

    def _described(self, judge: Judge, selection: Selection) -> dict[str, Any]:
        return {
            "checkpoint": judge.checkpoint,
            "in_loss": judge.in_loss,
            **exposure(self.faces, selection.rows, judge.trained_on),
        }

    def measure(self, module: EGCGAN) -> TranslationMeasurement:
        """Translate every face once, and let all classifiers name both.

        Raises:
            UserError: If the part holds too few images.
        """
        protocol = self.protocol(module)
        answers, ssim = self._answers(module)
        labels, classes = answers.selection.emotions, module.classes
        others = answers.names[len(classes) :]
        found = translation_metrics(answers.before, answers.after, labels, classes, others)
        found.metrics["ssim_source"] = ssim
        runs = [str(judge.run) for judge in self.judges]
        rates = zip(
            runs, *((said == labels).mean(1) for said in (answers.before, answers.after)),
            strict=True,
        )  # fmt: skip
        details = {
            "classifiers": [
                {"run": run, "tpr_before": float(before), "tpr_after": float(after)}
                for run, before, after in rates
            ],
            "notes": list(translation_cautions(protocol, runs)),
        }
        return TranslationMeasurement(
            found.metrics,
            {**protocol, "left_out": found.left_out},
            details=details,
            answers=answers,
            sheet=self._sheet(module, answers.selection),
        )

    @torch.no_grad()
    def _answers(self, module: EGCGAN) -> tuple[Answers, float]:
        """All answers, and the mean SSIM of translations to their sources."""
        selection, size = self._select(module), self.settings.batch_size
        known = {name for judge in self.judges for name in judge.network.classes}
        names = [*module.classes, *(n for n in EMOTIONS if n in known - set(module.classes))]
        numbers = [
            np.array([names.index(name) for name in judge.network.classes]) for judge in self.judges
        ]
        networks = [judge.network.to(module.device) for judge in self.judges]
        store = FaceStore(self.faces.archives, torch.device("cpu"))
        total = len(selection.rows)
        before, after = (np.empty((len(networks), total), np.int64) for _ in range(2))
        similarity = 0.0
        title = f"Translating {self.split} images"
        with (
            module.uncompiled(),
            progress_bar(total=total, desc=title, unit="img", leave=False, delay=1) as bar,
        ):
            for start in range(0, total, size):
                part = slice(start, start + size)
                faces = to_unit_range(store.gather(selection.rows[part]).to(module.device))
                labels = torch.from_numpy(selection.emotions[part]).to(module.device)
                made = to_unit_range(to_bytes(module.translate(faces, labels)))
                for m, (network, own) in enumerate(zip(networks, numbers, strict=True)):
                    for answers, images in ((before, faces), (after, made)):
                        answers[m, part] = own[network(images).argmax(1).cpu().numpy()]
                similarity += len(faces) * paired_ssim(made, faces)
                bar.update(len(faces))
        return Answers(selection, names, before, after), similarity / total

    def _sheet(self, module: EGCGAN, selection: Selection) -> Image.Image:
        chosen = [
            drawn(selection.rows[selection.emotions == number], COLUMNS, self.settings.seed)
            for number in range(len(module.classes))
        ]
        return translation_sheet(module, self.faces, chosen, self.target, COLUMNS)

    def write(self, path: Path, measured: Measurement) -> None:
        """The sheet, a picture of what the classifiers answered, and every answer as Parquet."""
        if not isinstance(measured, TranslationMeasurement) or measured.answers is None:
            return
        answers, protocol = measured.answers, measured.protocol
        files = _files(path)
        if measured.sheet is not None:
            measured.sheet.save(files["sheet"])
        count, labels = len(answers.names), answers.selection.emotions
        shares = {
            "true": answer_shares(labels[None], count)[0],
            "answered before": answer_shares(answers.before, count).mean(0),
            "answered after": answer_shares(answers.after, count).mean(0),
        }
        judges = f"{len(self.judges)} classifier{'s' * (len(self.judges) > 1)}"
        title = (
            f"{protocol['split']} of {protocol['corpus']}, {protocol['count']:,} images, {judges}"
        )
        shares_picture(shares, answers.names, files["answers"], title)
        table = source_columns(self.faces, answers.selection.rows)
        names = np.asarray(answers.names, dtype=object)
        columns = {"emotion": labels}
        for when, said in (("before", answers.before), ("after", answers.after)):
            columns |= {f"predicted_{when}_{m}": each for m, each in enumerate(said, 1)}
        for name, numbers in columns.items():
            table = table.append_column(name, pa.array(names[numbers], pa.string()))
        write_table(files["predictions"], table)

    def report(self, path: Path, content: Mapping[str, Any]) -> Iterator[str]:
        """Counts and cautions, the numbers, and where pictures and answers are."""
        protocol, judges = content["protocol"], content["classifiers"]
        yield (
            f"{protocol['count']:,} faces, {protocol['split']} of {protocol['corpus']}, as they "
            f"are and translated; model at {content['images_seen']:,} images"
        )
        yield from cautions(protocol)
        yield from content["notes"]
        yield recognition_table(content["metrics"], {})
        yield ""
        for number, judge in enumerate(judges, 1):
            yield (
                f"classifier {number}: tpr {judge['tpr_before']:.4f} before, "
                f"{judge['tpr_after']:.4f} after: {judge['run']}"
            )
        yield from unmeasured(protocol)
        for what, file in _files(path).items():
            if file.is_file():
                yield f"{what}: {file}"

    def _select(self, module: EGCGAN) -> Selection:
        return select(self.faces, self.split, module.classes, None, self.settings.seed)


def _files(path: Path) -> dict[str, Path]:
    """What stands beside an evaluation's JSON file, by what it is."""
    return {
        "sheet": path.with_suffix(".png"),
        "answers": path.with_name(f"{path.stem}-answers.png"),
        "predictions": path.with_suffix(".parquet"),
    }
