"""What several raters said of a face, as a distribution over a model's classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fer_lightning.data.archive import FaceArchive
from fer_lightning.errors import UserError


def soft_labels(
    archives: Sequence[FaceArchive], labels: NDArray[np.int64], classes: Sequence[str]
) -> NDArray[np.float32]:
    """The raters' shares of each class, renormalised over the classes.

    A row without votes, or whose votes are all for emotions that are no class, is the one-hot of
    its label.

    Args:
        archives: Their rows, one archive after the other; some have ``vote_<emotion>`` columns.
        labels: Class index of every row, (N,), -1 where unknown.
        classes: Emotions by class index.

    Returns:
        float32 of shape (N, K), rows of sum 1; of sum 0 where there is neither vote nor label.

    Raises:
        UserError: If no archive has votes.
    """
    if not any(name.startswith("vote_") for archive in archives for name in archive.columns):
        places = ", ".join(str(archive.path) for archive in archives)
        raise UserError(
            f"data.soft_labels=true: {places} has no votes; leave it out, or use a corpus with "
            "votes, such as data=fer_plus"
        )
    shares = np.concatenate([_shares(archive, classes) for archive in archives])
    one_hot = labels[:, None] == np.arange(len(classes))
    weights = np.where(shares.any(1, keepdims=True), shares, one_hot)
    targets: NDArray[np.float32] = weights / np.maximum(weights.sum(1, keepdims=True), 1e-9)
    return targets.astype(np.float32)


def _shares(archive: FaceArchive, classes: Sequence[str]) -> NDArray[np.float64]:
    """Votes of each class, (n, K); 0 where there are none."""
    shares = np.zeros((len(archive), len(classes)))
    for number, name in enumerate(classes):
        if f"vote_{name}" in archive.columns:
            votes = np.array(archive.column(f"vote_{name}"), np.float64)
            shares[:, number] = np.nan_to_num(votes)
    return shares
