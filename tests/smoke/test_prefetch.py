"""What was laid ready is all that a study needs: its jobs try no connection."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fer_lightning.prefetched import VARIABLE
from tests.conftest import Fer
from tests.helpers.server import served
from tests.helpers.small import class_folders
from tests.smoke.test_study import write_study

STUDY = """
name: mine
seeds: [0]
stages:
  train:
    job: train
    overrides:
      - model=cgan
      - model.width=4
      - image_size=16
      - detector=whole_image
      - data=folder
      - data.batch_size=8
      - "data.root='\\\\${oc.env:FER_DATA}/faces'"
      - trainer.accelerator=cpu
      - trainer.max_images=32
      - logger=wandb_online
  evaluate:
    job: evaluate
    overrides: ["run=cell:train", split=test, feature=inception, accelerator=cpu]
"""


@pytest.mark.slow
def test_a_study_runs_without_a_connection(fer: Fer, tmp_path: Path) -> None:
    conf = str(write_study(tmp_path, STUDY))
    class_folders(tmp_path / "data" / "faces", each=40)
    with served({}) as proxy:
        network = {
            "FER_DATA": str(tmp_path / "data"),
            "TORCH_HOME": str(tmp_path / "torch"),
            "WANDB_API_KEY": "a" * 40,
            "WANDB_BASE_URL": "https://wandb.invalid",
            **dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), proxy.url),
        }
        laid = fer("prefetch", "--config-dir", conf, "study=mine", "out=OUT", **network)
        assert laid.returncode == 2  # Inception's weights are not to be had here
        assert laid.stderr.count("fer: error: ") == 1
        assert any("github.com" in asked for asked in proxy.asked)
        command = laid.stdout.splitlines()[-1].split()
        assert command == ["fer", "study", "--config-dir", conf, "study=mine"]
        proxy.asked.clear()
        shutil.rmtree(tmp_path / "data")
        network[VARIABLE] = str(tmp_path / "OUT")
        done = fer(*command[1:], **network)
        assert done.returncode == 0, done.stderr + done.stdout
        assert proxy.asked == []
    assert "2 of 2 cells are done" in done.stdout
    assert f"{VARIABLE} is set, so W&B writes offline" in done.stderr
    assert "fer: warning: feature=inception: its weights are not in" in done.stderr
    (run,) = (tmp_path / "multirun" / "train").glob("cgan-*")
    assert len(list(run.glob("wandb/offline-run-*"))) == 2
