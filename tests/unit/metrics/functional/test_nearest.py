"""Nearest neighbours are those of a plain search, and copies are at distance zero."""

from __future__ import annotations

import pytest
import torch

from fer_lightning.metrics.functional import nearest as module
from fer_lightning.metrics.functional.nearest import nearest


@pytest.mark.parametrize("piece", [1 << 24, 100])
def test_it_finds_what_a_plain_search_finds(piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PIECE", piece)
    generator = torch.Generator().manual_seed(0)
    queries, references = (torch.rand((n, 7), generator=generator) + 50 for n in (31, 43))
    plain = (queries[:, None].double() - references[None].double()).norm(dim=2).min(1)
    distances, indices = nearest(queries, references)
    torch.testing.assert_close(distances, plain.values)
    assert torch.equal(indices, plain.indices)


def test_a_copy_is_at_distance_zero() -> None:
    references = torch.rand((20, 9), generator=torch.Generator().manual_seed(0)) * 1e3
    distances, indices = nearest(references[[4, 17]], references)
    assert distances.tolist() == [0.0, 0.0]
    assert indices.tolist() == [4, 17]


def test_no_query_has_no_neighbour() -> None:
    distances, indices = nearest(torch.zeros((0, 3)), torch.zeros((2, 3)))
    assert len(distances) == len(indices) == 0
