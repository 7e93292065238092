"""Pairs: classes match, every source once, a state that repeats and skips nothing, ranks share."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fer_lightning.data.batch import FaceBatch, to_bytes
from fer_lightning.data.corpora.base import AugmentationConfig
from fer_lightning.data.loader import FaceStore
from fer_lightning.data.pairs import PairLoader
from fer_lightning.errors import UserError
from tests.helpers.small import small_archive

CPU = torch.device("cpu")
SOURCE, TARGET = np.arange(5, 59), np.arange(10, 40)
Stores = tuple[FaceStore, FaceStore]


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Stores:
    """Sources of classes 0, 1, 2 in turn; targets likewise, of another noise."""
    folder: Path = tmp_path_factory.mktemp("domains")
    source = FaceStore([small_archive(folder / "source")], CPU)
    return source, FaceStore([small_archive(folder / "target", 40, seed=1)], CPU)


def loader(stores: Stores, **options: Any) -> PairLoader:
    source, target = stores
    settings = {"batch_size": 8, "seed": 5} | options
    return PairLoader(source, SOURCE, SOURCE % 3, target, TARGET, TARGET % 3, **settings)


def rows_of(store: FaceStore, images: torch.Tensor) -> np.ndarray[Any, Any]:
    """Which rows these images are; noise does not repeat."""
    every = store.gather(np.arange(len(store))).flatten(1)
    found = (to_bytes(images).flatten(1)[:, None] == every[None]).all(2)
    assert (found.sum(1) == 1).all()
    return found.int().argmax(1).numpy()


def pairs(stores: Stores, batches: list[FaceBatch]) -> np.ndarray[Any, Any]:
    """Rows of source and target, (2, N)."""
    sources = torch.cat([b.source for b in batches if b.source is not None])
    targets = torch.cat([b.images for b in batches])
    return np.stack([rows_of(stores[0], sources), rows_of(stores[1], targets)])


def test_faces_of_a_pair_are_of_one_class(stores: Stores) -> None:
    batches = list(loader(stores))
    assert [len(b) for b in batches] == [8] * 6
    found = pairs(stores, batches)
    emotions = torch.cat([b.emotions for b in batches]).numpy()
    assert (found % 3 == emotions).all()
    assert np.isin(found[0], SOURCE).all()
    assert np.isin(found[1], TARGET).all()


def test_an_epoch_shows_every_source_once_with_new_partners(stores: Stores) -> None:
    one = loader(stores, batch_size=27)
    epochs = [pairs(stores, list(one)) for _ in range(2)]
    for found in epochs:
        assert sorted(found[0]) == list(SOURCE)
    partners = [dict(found.T) for found in epochs]
    assert sum(partners[0][row] != partners[1][row] for row in SOURCE) > 30


def test_partners_are_drawn_evenly_with_replacement(stores: Stores) -> None:
    one = loader(stores)
    found = np.concatenate([pairs(stores, list(one))[1] for _ in range(50)])
    counts = np.bincount(found, minlength=40)[TARGET]
    # 2,400 draws over 30 rows: 80 each, with a deviation of 9.
    assert counts.min() > 40
    assert counts.max() < 120
    first = pairs(stores, list(loader(stores)))[1]
    assert len(set(first)) < len(first)


def test_a_state_goes_on_with_the_next_batch(stores: Stores) -> None:
    augmentation = AugmentationConfig(flip=True, rotation=20, shift=0.2)
    options = {"source_augmentation": augmentation, "target_augmentation": augmentation}
    whole, first, second = (loader(stores, **options) for _ in range(3))
    expected = [b for _ in range(3) for b in whole]
    seen = [*first, *islice(first, 4)]
    state = first.state_dict()
    assert state == {"epoch": 1, "position": 4}
    second.load_state_dict(state)
    seen += [b for _ in range(2) for b in second]
    assert len(seen) == len(expected) == 18
    for one, other in zip(seen, expected, strict=True):
        assert torch.equal(one.images, other.images)
        assert one.source is not None
        assert other.source is not None
        assert torch.equal(one.source, other.source)
        assert torch.equal(one.emotions, other.emotions)


def test_ranks_share_the_batches_of_one_process(stores: Stores) -> None:
    alone = list(loader(stores))
    ranks = [list(loader(stores, rank=rank, ranks=2)) for rank in range(2)]
    for whole, first, second in zip(alone, *ranks, strict=True):
        assert len(first) == len(second) == 4
        merged = pairs(stores, [first, second])
        assert sorted(merged.T.tolist()) == sorted(pairs(stores, [whole]).T.tolist())


def test_each_domain_is_augmented_as_it_is_told(stores: Stores) -> None:
    flipping = AugmentationConfig(flip=True)
    plain = next(iter(loader(stores)))
    target = next(iter(loader(stores, target_augmentation=flipping)))
    source = next(iter(loader(stores, source_augmentation=flipping)))
    both = next(iter(loader(stores, source_augmentation=flipping, target_augmentation=flipping)))
    assert plain.source is not None
    assert source.source is not None
    assert target.source is not None
    assert both.source is not None
    assert torch.equal(target.source, plain.source)
    assert not torch.equal(target.images, plain.images)
    assert torch.equal(source.images, plain.images)
    assert not torch.equal(source.source, plain.source)
    mirrored = [
        [not torch.equal(a, b) for a, b in zip(one, other, strict=True)]
        for one, other in ((both.source, plain.source), (both.images, plain.images))
    ]
    assert mirrored[0] != mirrored[1]  # each by draws of its own


def test_the_seed_decides_the_pairs(stores: Stores) -> None:
    one, same, other = (pairs(stores, list(loader(stores, seed=s))) for s in (5, 5, 6))
    assert (one == same).all()
    assert not (one == other).all()


def test_balanced_sources_bring_balanced_pairs(stores: Stores) -> None:
    source, target = stores
    rows = np.arange(60)
    emotions = np.where(rows < 50, 0, np.where(rows < 57, 1, 2))
    one = PairLoader(source, rows, emotions, target, TARGET, TARGET % 3, 10, 0, balance=True)
    batches = [b for _ in range(40) for b in one]
    shares = np.bincount(torch.cat([b.emotions for b in batches]).numpy()) / 2400
    assert shares == pytest.approx([1 / 3] * 3, abs=0.04)


def test_a_class_without_target_faces_is_refused(stores: Stores) -> None:
    source, target = stores
    with pytest.raises(UserError, match="no face of class 2, 5"):
        PairLoader(
            source, SOURCE, np.where(SOURCE < 10, 5, SOURCE % 3), target, TARGET, TARGET % 2, 8, 0
        )


def test_a_batch_moves_with_its_sources(stores: Stores) -> None:
    moved = next(iter(loader(stores))).to("meta")
    assert moved.source is not None
    assert {t.device.type for t in (moved.images, moved.emotions, moved.source)} == {"meta"}
