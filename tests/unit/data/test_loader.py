"""Batches: the right pixels, a new order each epoch, a state that repeats and skips nothing."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from fer_lightning.data.batch import to_bytes, to_unit_range
from fer_lightning.data.corpora.base import AugmentationConfig
from fer_lightning.data.loader import FaceLoader, FaceStore
from tests.helpers.small import small_archive

CPU = torch.device("cpu")


@pytest.fixture
def store(tmp_path: Path) -> FaceStore:
    return FaceStore(
        [small_archive(tmp_path / "a"), small_archive(tmp_path / "b", 30, seed=1)], CPU
    )


def loader(store: FaceStore, training: bool = True, **options: object) -> FaceLoader:
    rows = np.arange(3, 90)
    settings: dict[str, object] = {"batch_size": 8, "seed": 5} | options
    return FaceLoader(store, rows, rows % 3, training=training, **settings)  # type: ignore[arg-type]


def test_a_store_joins_archives(store: FaceStore, tmp_path: Path) -> None:
    rows = np.array([70, 0, 59, 60, 89])
    both = np.concatenate([store.parts[0].numpy(), store.parts[1].numpy()])
    assert np.array_equal(store.gather(rows).numpy(), both[rows])


def test_pixels_survive_the_way_to_a_model_and_back() -> None:
    faces = torch.arange(256, dtype=torch.uint8).reshape(1, 16, 16, 1)
    images = to_unit_range(faces)
    assert images.shape == (1, 1, 16, 16)
    assert (images.min(), images.max()) == (-1, 1)
    assert torch.equal(to_bytes(images), faces)


def test_evaluation_goes_through_all_in_order(store: FaceStore) -> None:
    batches = list(loader(store, training=False))
    assert [len(b) for b in batches] == [8] * 10 + [7]
    images = torch.cat([b.images for b in batches])
    assert torch.equal(to_bytes(images), store.gather(np.arange(3, 90)))


def test_an_epoch_shows_every_image_once_in_full_batches(store: FaceStore) -> None:
    one = loader(store, batch_size=29)
    epochs = [torch.cat([b.emotions for b in one]) for _ in range(2)]
    assert all(torch.bincount(e).tolist() == [29, 29, 29] for e in epochs)
    assert not torch.equal(*epochs)


def test_a_state_goes_on_with_the_next_batch(store: FaceStore) -> None:
    augmentation = AugmentationConfig(flip=True, rotation=20, shift=0.2)
    whole, first, second = (loader(store, augmentation=augmentation) for _ in range(3))
    expected = [b.images for _ in range(3) for b in whole]
    seen = [b.images for b in first]
    seen += [b.images for b in islice(first, 4)]
    second.load_state_dict(first.state_dict())
    seen += [b.images for _ in range(2) for b in second]
    assert len(seen) == len(expected) == 30
    assert all(torch.equal(a, b) for a, b in zip(seen, expected, strict=True))


@pytest.mark.parametrize("balance", [False, True])
def test_targets_go_with_their_rows(store: FaceStore, balance: bool) -> None:
    targets = np.arange(3, 90, dtype=np.float32)[:, None]
    for training in (True, False):
        batch = next(iter(loader(store, training, targets=targets, balance=balance)))
        assert batch.targets is not None
        assert batch.targets.shape == (8, 1)
        rows = batch.targets[:, 0].long()
        assert torch.equal(to_bytes(batch.images), store.gather(rows))
        assert torch.equal(batch.emotions, (rows - 3) % 3)


def test_a_batch_moves_with_its_targets(store: FaceStore) -> None:
    plain = next(iter(loader(store)))
    assert plain.targets is None
    assert plain.to("meta").targets is None
    soft = next(iter(loader(store, targets=np.ones((87, 3), np.float32)))).to("meta")
    assert soft.targets is not None
    assert {t.device.type for t in (soft.images, soft.emotions, soft.targets)} == {"meta"}


def test_balanced_sampling_shows_classes_equally_often(store: FaceStore) -> None:
    rows = np.arange(90)
    emotions = np.where(rows < 80, 0, np.where(rows < 88, 1, 3))
    balanced = FaceLoader(store, rows, emotions, 10, 0, training=True, balance=True)
    seen = np.concatenate([b.emotions.numpy() for _ in range(40) for b in balanced])
    shares = np.bincount(seen, minlength=4) / len(seen)
    assert shares == pytest.approx([1 / 3, 1 / 3, 0, 1 / 3], abs=0.03)
