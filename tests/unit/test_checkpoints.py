"""Checkpoints describe themselves, and no foreign file runs code."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import lightning
import pytest
import torch

from fer_lightning.checkpoints import (
    checkpoint_of,
    load_hashed,
    load_model,
    read_checkpoint,
    read_to_go_on,
)
from fer_lightning.data.fingerprint import file_digest
from fer_lightning.errors import UserError
from fer_lightning.models.cgan.config import CGANConfig
from fer_lightning.models.config import FaceFormat
from fer_lightning.rng import sample_generator

FACES = FaceFormat(image_size=16, channels=3, classes=["fear", "anger"], frequencies=[3, 1])


def test_a_model_comes_back_without_its_data(tmp_path: Path) -> None:
    module = CGANConfig(width=2, latent_dim=5, ema_half_life=9).build(FACES, seed=3)
    module.images_seen = 77
    trainer = lightning.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False)
    trainer.strategy.connect(module)
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    loaded = load_model(tmp_path / "last.ckpt")
    assert loaded.images_seen == 77
    again, key = load_hashed(tmp_path / "last.ckpt")
    assert again.images_seen == 77
    assert key == file_digest(tmp_path / "last.ckpt")
    assert loaded.classes == ["fear", "anger"]
    emotions = torch.tensor([0, 1])
    one, two = (m.sample(emotions, sample_generator(0)) for m in (module, loaded))  # type: ignore[operator]
    assert torch.equal(one, two)


def test_an_earlier_version_can_be_measured_but_not_continued(tmp_path: Path) -> None:
    module = CGANConfig(width=2, latent_dim=5).build(FACES, seed=3)
    trainer = lightning.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False)
    trainer.strategy.connect(module)
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    saved = read_to_go_on(tmp_path / "last.ckpt")
    del saved["fer"]["random"]
    torch.save(saved, tmp_path / "last.ckpt")
    assert load_model(tmp_path / "last.ckpt").classes == ["fear", "anger"]
    with pytest.raises(UserError, match="cannot go on"):
        read_to_go_on(tmp_path / "last.ckpt")


class Evil:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self):  # type: ignore[no-untyped-def]
        return (os.mkdir, (str(self.target),))


def test_a_pickle_that_runs_code_is_refused(tmp_path: Path) -> None:
    torch.save({"fer": Evil(tmp_path / "ran")}, tmp_path / "last.ckpt")
    (tmp_path / "plain.ckpt").write_bytes(pickle.dumps(Evil(tmp_path / "ran")))
    for name in ("last.ckpt", "plain.ckpt"):
        with pytest.raises(UserError, match="read safely"):
            read_checkpoint(tmp_path / name)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 truncated", b"text"])
def test_a_damaged_file_is_one_clear_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "last.ckpt").write_bytes(content)
    for read in (read_checkpoint, load_hashed):
        with pytest.raises(UserError, match="no checkpoint that can be read"):
            read(tmp_path / "last.ckpt")


def test_a_foreign_checkpoint_is_refused(tmp_path: Path) -> None:
    torch.save({"state_dict": {}}, tmp_path / "last.ckpt")
    with pytest.raises(UserError, match="not written by fer_lightning"):
        read_checkpoint(tmp_path / "last.ckpt")


def test_a_folder_without_weights_names_the_key(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"run={tmp_path}"):
        checkpoint_of(tmp_path)
