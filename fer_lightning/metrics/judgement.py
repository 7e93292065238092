"""What a classifier takes generated faces for, beside what they were meant to be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from fer_lightning.metrics.distribution import Comparison
from fer_lightning.metrics.functional.editing import agreement
from fer_lightning.metrics.functional.recognition import confusion_matrix


def judgement(
    logits: Tensor, known: Sequence[str], meant: NDArray[np.int64], classes: Sequence[str]
) -> Comparison:
    """Agreement of a classifier with the labels that images were generated for.

    ``judged_accuracy`` and ``judged_f1`` (macro F1 over the classes, paper E's Tables I and II)
    take the meant emotion as the truth; ``judged_recall/<emotion>`` is of one emotion, and
    ``judged_share/<emotion>`` is the share of all images that the classifier takes for it. They
    say as much about the classifier as about the images.

    Args:
        logits: The classifier's, (N, k).
        known: Its emotions, k of them.
        meant: Class that each image was generated for, (N,).
        classes: The generator's.
    """
    found = Comparison()
    wanted = np.array([classes[number] for number in meant])
    judged = np.array(known)[logits.argmax(1).cpu().numpy()]
    shared = [name for name in classes if name in known]
    for name in classes:
        if name not in shared:
            found.left_out[f"judged_recall/{name}"] = "the classifier does not know it"
    rated = np.isin(wanted, shared)
    if rated.any():
        agreed = agreement(judged[rated], wanted[rated], shared).metrics
        found.metrics["judged_f1"] = agreed.pop("macro_f1")
        found.metrics |= {f"judged_{name}": value for name, value in agreed.items()}
    for name in known:
        found.metrics[f"judged_share/{name}"] = float((judged == name).mean())
    return found


def judged_confusion(
    logits: Tensor, known: Sequence[str], meant: NDArray[np.int64], classes: Sequence[str]
) -> dict[str, Any]:
    """How many of the images that were meant as each class the classifier takes for each.

    Args:
        logits: The classifier's, (N, k).
        known: Its emotions, k of them.
        meant: Class that each image was generated for, (N,).
        classes: The generator's.

    Returns:
        ``classes`` of both, and ``rows_true`` as of real faces, where what was meant is the truth.
    """
    names = list(dict.fromkeys([*classes, *known]))
    places = np.array([names.index(name) for name in known])
    matrix = confusion_matrix(places[logits.argmax(1).cpu().numpy()], meant, len(names))
    return {"classes": names, "rows_true": matrix.tolist()}
