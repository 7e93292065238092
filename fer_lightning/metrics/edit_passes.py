"""The two passes over faces that make the measured edits, and show each to those who measure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from fer_lightning.data.batch import to_bytes, to_unit_range
from fer_lightning.data.datamodule import FaceDataModule
from fer_lightning.data.loader import FaceStore
from fer_lightning.errors import UserError
from fer_lightning.labels import NEUTRAL
from fer_lightning.metrics.distribution import Comparison
from fer_lightning.metrics.editing import CriticF1, PairedSSIM
from fer_lightning.metrics.editing_judges import NO_NEUTRAL, Judgement
from fer_lightning.metrics.functional.editing import STEPS, intensity_metrics
from fer_lightning.metrics.intensity import IntensityReaders
from fer_lightning.metrics.predictions import source_columns
from fer_lightning.metrics.selection import Selection
from fer_lightning.models.editing import EditingModule
from fer_lightning.progress import progress_bar

ASKED = (0.0, *STEPS)
"""Intensities that are read."""

Part = tuple[slice, Tensor, Tensor]
"""Places of some faces among all, these as uint8 (N, H, W, C), and as a model takes them."""


@dataclass(frozen=True)
class EditAnswers:
    """What the critic and classifiers said of faces and of their edits.

    Attributes:
        selection: The faces, and their classes.
        targets: Classes that they were edited to, (N,).
        real: The critic's scores of the faces, (N,).
        fake: Those of their edits, (N,).
        judgements: What each classifier has found.
    """

    selection: Selection
    targets: NDArray[np.int64]
    real: NDArray[np.float64]
    fake: NDArray[np.float64]
    judgements: Sequence[Judgement]

    def table(self, faces: FaceDataModule, classes: Sequence[str]) -> pa.Table:
        """A row a face: where it comes from, and all that was asked and said.

        Columns: those of :func:`~fer_lightning.metrics.predictions.source_columns`, ``emotion``,
        ``target``, ``critic_real`` and ``critic_edit``, and of the m-th classifier
        ``predicted_real_<m>`` and ``predicted_edit_<m>``.

        Args:
            faces: The real faces.
            classes: Names of the model's classes.
        """
        columns = {
            "emotion": _names(classes, self.selection.emotions),
            "target": _names(classes, self.targets),
            "critic_real": pa.array(self.real),
            "critic_edit": pa.array(self.fake),
        }
        for m, found in enumerate(self.judgements, 1):
            for what, answers in (("real", found.of_real), ("edit", found.of_edits)):
                columns[f"predicted_{what}_{m}"] = _names(found.judge.emotions, answers.answers())
        table = source_columns(faces, self.selection.rows)
        for name, values in columns.items():
            table = table.append_column(name, values)
        return table


def _names(known: Sequence[str], numbers: NDArray[np.int64]) -> pa.Array:
    return pa.array(np.asarray(known, dtype=object)[numbers], pa.string())


@dataclass(frozen=True)
class Led:
    """What became of neutral faces that were led along emotions.

    Attributes:
        identity: Similarity of the faces to their edits at intensity 0.
        emotions: Those whose intensity can be read.
        read: What is read of each at each of :data:`ASKED`, (N, E, 11).
    """

    identity: PairedSSIM
    emotions: Sequence[str]
    read: NDArray[np.float64]

    def compute(self) -> Comparison:
        """``identity_ssim``, and ``intensity_rank`` where intensities can be read."""
        if not len(self.read):
            return Comparison(left_out={"identity_ssim": NO_NEUTRAL})
        found = Comparison({"identity_ssim": float(self.identity.compute())})
        if self.emotions:
            found.metrics |= intensity_metrics(np.array(ASKED), self.read, self.emotions)
        return found

    def curves(self, judgements: Sequence[Judgement]) -> dict[str, dict[str, list[float]]]:
        """Means over the faces, by who looks at them and emotion; empty without faces."""
        if not len(self.read):
            return {}
        found = {
            f"probability by classifier {m}": judgement.curves.mean_curves()
            for m, judgement in enumerate(judgements, 1)
        }
        if self.emotions:
            means = self.read.mean(0).tolist()
            found["intensity read"] = dict(zip(self.emotions, means, strict=True))
        return found


def edit_faces(
    module: EditingModule,
    faces: FaceDataModule,
    selection: Selection,
    targets: NDArray[np.int64],
    intensity: float,
    batch_size: int,
    judgements: Sequence[Judgement],
    critic: CriticF1,
) -> PairedSSIM:
    """Edit every selected face to its target, and back to where the critic sees it.

    The way back is paper E's cycle (equation 7). Critic and classifiers are shown faces and edits
    at 8 bits, as files have them; the way back starts from the edit as it is.

    Args:
        module: The model, on its device.
        faces: The real faces.
        selection: Which of them.
        targets: Class that each is edited to, (N,).
        intensity: Of the edits.
        batch_size: Faces edited at once.
        judgements: Where each classifier takes down what it finds.
        critic: Where the scores go.

    Returns:
        Similarity of the faces to what is made of them on the way back.

    Raises:
        UserError: If an edit is not finite.
    """
    reconstruction = PairedSSIM()
    total = len(selection.rows)
    with _bar(total, "Editing faces") as bar:
        for part, real, images in _parts(module, faces, selection.rows, batch_size):
            shown, wanted = (
                torch.from_numpy(numbers[part]).to(module.device)
                for numbers in (selection.emotions, targets)
            )
            made = _edited(module, images, module.points(wanted, intensity))
            reconstruction.update(_edited(module, made, module.locate(images)), images)
            edits = to_bytes(made)
            critic.update(module.criticise(images), module.criticise(to_unit_range(edits)))
            for judgement in judgements:
                judgement.take(real, shown, edits, wanted)
            bar.update(len(real))
    return reconstruction


def lead_faces(
    module: EditingModule,
    faces: FaceDataModule,
    rows: NDArray[np.int64],
    batch_size: int,
    judgements: Sequence[Judgement],
    readers: IntensityReaders | None,
) -> Led:
    """Lead neutral faces along each emotion, from intensity 0 over 0.1 to 1.

    Args:
        module: The model, on its device.
        faces: The real faces.
        rows: Those to lead, (N,).
        batch_size: Faces edited at once.
        judgements: Where each classifier takes down what it finds.
        readers: Read intensities from vectors of the first classifier; None for none.

    Raises:
        UserError: If an edit is not finite.
    """
    identity = PairedSSIM()
    emotions = [name for name in module.classes if name != NEUTRAL]
    readable = [] if readers is None else readers.emotions
    read = np.zeros((len(rows), len(readable), len(ASKED)))
    with _bar(len(rows), "Leading faces along emotions") as bar:
        for part, real, images in _parts(module, faces, rows, batch_size):
            still = _at(module, images, NEUTRAL, 0.0)
            identity.update(still, images)
            curves = torch.zeros(len(judgements), len(real), len(emotions), len(STEPS))
            for e, emotion in enumerate(emotions if judgements else []):
                edits = [still, *(_at(module, images, emotion, strength) for strength in STEPS)]
                files, own = [to_bytes(each) for each in edits], module.classes.index(emotion)
                for m, judgement in enumerate(judgements):
                    seen = [judgement.judge.features(each) for each in files]
                    certain = [logits.softmax(1)[:, own] for _, logits in seen[1:]]
                    curves[m, :, e] = torch.stack(certain, 1).cpu()
                    if m == 0 and readers is not None and emotion in readable:
                        values = [readers.read(vectors, emotion) for vectors, _ in seen]
                        read[part, readable.index(emotion)] = np.stack(values, 1)
            for judgement, of_judge in zip(judgements, curves, strict=True):
                judgement.follow(of_judge)
            bar.update(len(real))
    return Led(identity, readable, read)


def _at(module: EditingModule, images: Tensor, emotion: str, intensity: float) -> Tensor:
    """Faces edited to one emotion."""
    number = module.classes.index(emotion)
    wanted = torch.full((len(images),), number, dtype=torch.int64, device=module.device)
    return _edited(module, images, module.points(wanted, intensity))


def _edited(module: EditingModule, images: Tensor, points: Tensor) -> Tensor:
    made = module.edit(images, points)
    if not made.isfinite().all():
        raise UserError(
            "the model's edits are not finite: its training diverged; train it again with a "
            "smaller model.generator_lr and model.discriminator_lr"
        )
    return made


def _parts(
    module: EditingModule, faces: FaceDataModule, rows: NDArray[np.int64], batch_size: int
) -> Iterator[Part]:
    store = FaceStore(faces.archives, torch.device("cpu"))
    for start in range(0, len(rows), batch_size):
        part = slice(start, min(start + batch_size, len(rows)))
        real = store.gather(rows[part]).to(module.device)
        yield part, real, to_unit_range(real)


def _bar(total: int, title: str) -> tqdm[None]:
    return progress_bar(total=total, desc=title, unit="img", leave=False, delay=1)
