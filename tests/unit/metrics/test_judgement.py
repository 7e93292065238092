"""What a classifier takes generated faces for."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score

from fer_lightning.metrics.judgement import judged_confusion, judgement

CLASSES = ["happiness", "fear", "contempt"]
KNOWN = ["fear", "happiness", "anger"]


def test_what_was_meant_is_the_truth() -> None:
    judged = ["happiness", "happiness", "anger", "fear", "fear"]
    meant = np.array([0, 0, 0, 1, 0])
    logits = torch.nn.functional.one_hot(torch.tensor([KNOWN.index(j) for j in judged]), 3).float()
    found = judgement(logits, KNOWN, meant, CLASSES)
    assert found.metrics["judged_accuracy"] == pytest.approx(3 / 5)
    names = [CLASSES[number] for number in meant]
    expected = f1_score(names, judged, labels=["happiness", "fear"], average="macro")
    assert found.metrics["judged_f1"] == pytest.approx(expected)
    assert found.metrics["judged_recall/happiness"] == pytest.approx(0.5)
    shares = {name: found.metrics[f"judged_share/{name}"] for name in KNOWN}
    assert shares == pytest.approx({"fear": 0.4, "happiness": 0.4, "anger": 0.2})
    assert found.left_out == {"judged_recall/contempt": "the classifier does not know it"}
    confusion = judged_confusion(logits, KNOWN, meant, CLASSES)
    assert confusion["classes"] == ["happiness", "fear", "contempt", "anger"]
    assert confusion["rows_true"] == [[2, 1, 0, 1], [0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]


def test_an_unknown_emotion_counts_neither_way() -> None:
    logits = torch.eye(3)[[0, 1]]
    found = judgement(logits, KNOWN, np.array([2, 0]), CLASSES)
    assert found.metrics["judged_accuracy"] == 1.0
    nothing = judgement(logits[:1], KNOWN, np.array([2]), CLASSES)
    assert "judged_accuracy" not in nothing.metrics
