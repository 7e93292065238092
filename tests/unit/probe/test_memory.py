"""What does not fit is refused before any work, with remedies that do."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from fer_lightning.config.probe import Method, ProbeSettings
from fer_lightning.errors import UserError
from fer_lightning.probe.memory import Load, bytes_needed, check_memory, keeps_every_fold

PAPER = Load(rows=1_608, fit=1_448, test=161, width=8_192, folds=10)
LARGE = Load(rows=30_000, fit=27_000, test=3_000, width=8_192, folds=10)


@pytest.mark.parametrize("method", list(Method))
def test_more_of_anything_takes_more(method: Method) -> None:
    settings = ProbeSettings()
    least = bytes_needed(PAPER, method, settings)
    for key in ("rows", "fit", "test", "width"):
        assert bytes_needed(replace(PAPER, **{key: 40_000}), method, settings) > least
    assert bytes_needed(PAPER, method, settings, every_fold=True) > least
    assert bytes_needed(replace(PAPER, gaps=True), method, settings) >= least


def test_kernel_and_vectors_are_counted() -> None:
    least = 4 * 30_000 * 8_192 + (4 + 8) * 30_000 * 27_000
    assert least < bytes_needed(LARGE, Method.svm_rbf, ProbeSettings()) < 1.2 * least


def test_the_paper_s_size_keeps_every_fold() -> None:
    check_memory(PAPER, Method.svm_rbf, ProbeSettings())
    assert keeps_every_fold(PAPER, Method.svm_rbf, ProbeSettings())
    middle = replace(LARGE, rows=18_000, fit=16_200, test=1_800)
    check_memory(middle, Method.svm_rbf, ProbeSettings())
    assert not keeps_every_fold(middle, Method.svm_rbf, ProbeSettings())


def test_thirty_thousand_are_refused_with_remedies_that_work() -> None:
    with pytest.raises(UserError, match=r"^probe\.memory=8: fitting 27,000 vectors") as error:
        check_memory(LARGE, Method.svm_rbf, ProbeSettings())
    offers = dict(re.findall(r"probe\.(max_rows|nystroem|memory)=(\d+)\b", str(error.value)[14:]))
    assert offers.keys() == {"max_rows", "nystroem", "memory"}
    assert int(offers["max_rows"]) > 10_000
    for key, value in offers.items():
        check_memory(LARGE, Method.svm_rbf, replace(ProbeSettings(), **{key: int(value)}))


def test_nystroem_is_offered_for_the_rbf_kernel_alone() -> None:
    with pytest.raises(UserError, match="max_rows") as error:
        check_memory(LARGE, Method.svm_linear, ProbeSettings())
    assert "nystroem" not in str(error.value)


def test_vectors_alone_can_be_too_much() -> None:
    with pytest.raises(UserError, match=r"GB; give probe\.memory=\d+$"):
        check_memory(LARGE, Method.svm_rbf, ProbeSettings(memory=0.5))
