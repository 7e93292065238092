"""A package of somebody else's adds a corpus, a model and YAML, and trains them unchanged here."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.conftest import Fer

FILES = {
    "stripes/__init__.py": "",
    "stripes/corpus.py": """
from dataclasses import dataclass
import numpy as np
from fer_lightning.data.corpora.base import Corpus, SourceRow

@dataclass(kw_only=True)
class Stripes(Corpus):
    name: str = "stripes"
    pitch: int = 4

    def rows(self):
        emotions = ("fear", "anger")
        return [SourceRow(path=f"stripe/{i}", emotion=emotions[i % 2]) for i in range(40)]

    def files(self, rows):
        return []

    def load(self, row):
        shade = (np.arange(32) // self.pitch % 2 * 200).astype(np.uint8)
        return np.repeat(np.tile(shade, (32, 1))[:, :, None], 3, 2)
""",
    "stripes/model.py": """
from dataclasses import dataclass
from fer_lightning.models.cgan.config import CGANConfig

@dataclass(kw_only=True)
class StripeGANConfig(CGANConfig):
    name: str = "stripe_gan"
    sharpness: float = 1.0

    def build(self, faces, seed):
        from fer_lightning.models.cgan.module import CGAN

        class StripeGAN(CGAN):
            def generator_loss(self, real, fake):
                losses = super().generator_loss(real, fake)
                return {"loss": losses["loss"] * self.config.sharpness}

        return StripeGAN(self, faces, seed)
""",
    "stripes/conf/__init__.py": "",
    "stripes/conf/data/stripes.yaml": (
        "defaults:\n  - /schema/data@_here_: stripes\n"
        "  - override /detector@_global_.detector: whole_image\n  - _self_\npitch: 8\n"
    ),
    "stripes/conf/model/stripe_gan.yaml": (
        "defaults:\n  - /schema/model@_here_: stripe_gan\n  - _self_\nwidth: 4\n"
    ),
    "stripes/conf/experiment/stripes.yaml": (
        "# @package _global_\ndefaults:\n  - override /data: stripes\n"
        "  - override /model: stripe_gan\nimage_size: 16\ndata:\n  batch_size: 8\n"
        "trainer:\n  max_images: 32\n"
    ),
    "stripes-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: stripes\nVersion: 1.0\n",
    "stripes-1.0.dist-info/WHEEL": (
        "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    ),
    "stripes-1.0.dist-info/entry_points.txt": (
        "[fer_lightning.corpora]\nstripes = stripes.corpus:Stripes\n"
        "[fer_lightning.models]\nstripe_gan = stripes.model:StripeGANConfig\n"
        "[fer_lightning.conf]\nstripes = stripes.conf\n"
    ),
    "stripes-1.0.dist-info/RECORD": "",
}


def test_a_third_party_package_trains(fer: Fer, tmp_path: Path) -> None:
    wheel = tmp_path / "stripes-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)
    site = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--target"]
    subprocess.run([*pip, str(site), str(wheel)], check=True)
    path = os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])

    text = fer("--help", PYTHONPATH=path).stdout
    assert "stripes" in text
    assert "stripe_gan" in text
    done = fer("train", "experiment=stripes", "model.sharpness=2", "run_dir=RUN", PYTHONPATH=path)
    assert done.returncode == 0, done.stderr
    assert "pitch: 8" in (tmp_path / "RUN" / "config.yaml").read_text()
    made = fer("generate", "run=RUN", "count=4", PYTHONPATH=path)
    assert made.returncode == 0, made.stderr
    mistake = fer("train", "experiment=stripes", "data.pich=2", PYTHONPATH=path)
    assert "did you mean data.pitch?" in mistake.stderr
