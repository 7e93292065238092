"""Inception with random weights, of the shapes that FID's has."""

from __future__ import annotations

import io

import torch
from torch import Tensor
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3


def random_inception() -> dict[str, Tensor]:
    """A state dict of its shapes; its constructor would download or unpickle one."""

    class Unloaded(FeatureExtractorInceptionV3):  # type: ignore[misc]
        def load_state_dict(self, *arguments: object, **options: object) -> None:
            pass

    nothing = io.BytesIO()
    torch.save({}, nothing)
    nothing.seek(0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        state: dict[str, Tensor] = Unloaded("inception-v3-compat", ["2048"], nothing).state_dict()
    # He et al. 2015 instead of torch's default, under which the signal fades on its long way.
    return {n: v * 6**0.5 if n.endswith("conv.weight") else v for n, v in state.items()}
