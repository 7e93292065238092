"""``trainer.compile`` changes how a run computes, not what comes out."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from tests.conftest import Fer

RUN = ["train", "experiment=smoke_cgan", "trainer.max_images=64", "logger=csv"]


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("c++"), reason="needs hardware: a C++ compiler")
def test_compiled_networks_learn_the_same(fer: Fer, tmp_path: Path) -> None:
    weights = []
    for name, options in (("PLAIN", []), ("COMPILED", ["trainer.compile=default"])):
        done = fer(*RUN, *options, f"run_dir={name}", "model.spectral_norm=true")
        assert done.returncode == 0, done.stderr
        file = tmp_path / name / "checkpoints" / "last.ckpt"
        weights.append(torch.load(file, weights_only=True)["state_dict"])
    plain, compiled = weights
    assert plain.keys() == compiled.keys()
    for name, weight in plain.items():
        torch.testing.assert_close(compiled[name], weight, atol=2e-4, rtol=0, msg=name)
    assert not all(torch.equal(compiled[name], weight) for name, weight in plain.items())
    goes_on = fer(*RUN[:2], "trainer.max_images=96", "logger=csv", "run_dir=COMPILED")
    assert "resumed at 64 images" in goes_on.stdout


@pytest.mark.slow
def test_without_a_compiler_it_is_refused(fer: Fer, tmp_path: Path) -> None:
    done = fer(*RUN, "trainer.compile=default", PATH=str(tmp_path))
    assert done.returncode == 2
    assert "install g++" in done.stderr


@pytest.mark.slow
def test_clipping_is_refused_where_gradients_are_scaled(fer: Fer) -> None:
    done = fer(*RUN, "trainer.precision=16-mixed", "model.gradient_clip=1")
    assert done.returncode == 2
    assert "use bf16-mixed" in done.stderr
