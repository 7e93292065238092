"""Similarity of all pairs: against torchmetrics pair by pair, and known cases."""

from __future__ import annotations

from itertools import combinations

import pytest
import torch
from torchmetrics.functional.image import structural_similarity_index_measure

from fer_lightning.metrics.functional.ssim import max_ssim_to, pairwise_ssim


def pictures(count: int, seed: int = 0, shape: tuple[int, int, int] = (3, 20, 26)) -> torch.Tensor:
    """Smooth colours that overlap a little, in [0, 1]."""
    random = torch.Generator().manual_seed(seed)
    coarse = torch.rand((count, shape[0], 5, 5), generator=random)
    return torch.nn.functional.interpolate(coarse, shape[1:], mode="bilinear")


def reference(one: torch.Tensor, other: torch.Tensor) -> float:
    value = structural_similarity_index_measure(
        one[None].double(), other[None].double(), data_range=1.0
    )
    assert isinstance(value, torch.Tensor)
    return float(value)


@pytest.mark.parametrize("shape", [(3, 20, 26), (1, 48, 48), (1, 6, 11)])
def test_every_pair_is_as_torchmetrics_has_it(shape: tuple[int, int, int]) -> None:
    images, others = pictures(5, 0, shape), pictures(4, 1, shape)
    for one in images:
        for other in others:
            wanted = pytest.approx(reference(one, other), abs=1e-5)
            assert pairwise_ssim(torch.stack([one, other])) == wanted
            assert float(max_ssim_to(one[None], other[None])) == wanted
    pairs = [reference(one, other) for one, other in combinations(images, 2)]
    assert pairwise_ssim(images) == pytest.approx(sum(pairs) / 10, abs=1e-5)
    best = [max(reference(one, other) for other in others) for one in images]
    assert max_ssim_to(images, others).tolist() == pytest.approx(best, abs=1e-5)


def test_equal_images_have_1_and_a_negative_less_than_0() -> None:
    (image,) = pictures(1)
    assert pairwise_ssim(image.expand(4, -1, -1, -1)) == pytest.approx(1, abs=1e-5)
    white = torch.ones(2, 1, 16, 16)
    assert pairwise_ssim(white) == pytest.approx(1, abs=1e-5)
    assert pairwise_ssim(torch.stack([image, 1 - image])) < 0
    found = max_ssim_to(pictures(6)[2:4], pictures(6))
    assert found.dtype == torch.float64
    assert found.tolist() == pytest.approx([1, 1], abs=1e-5)


def test_order_does_not_matter() -> None:
    images = pictures(6)
    assert pairwise_ssim(images.flip(0)) == pytest.approx(pairwise_ssim(images), abs=1e-9)
    one, other = images[:1], images[1:2]
    assert float(max_ssim_to(one, other)) == pytest.approx(float(max_ssim_to(other, one)))
    assert torch.equal(
        max_ssim_to(images, pictures(5, 1)), max_ssim_to(images, pictures(5, 1).flip(0))
    )


@pytest.mark.parametrize("chunk", [1, 2, 3, 100])
def test_chunks_decide_no_value(chunk: int) -> None:
    images, others = pictures(7), pictures(5, 1)
    assert pairwise_ssim(images, chunk) == pytest.approx(pairwise_ssim(images), abs=1e-7)
    assert torch.allclose(max_ssim_to(images, others, chunk), max_ssim_to(images, others))


def test_bytes_are_read_as_shares_of_255() -> None:
    stored = pictures(4).mul(255).round().to(torch.uint8)
    assert pairwise_ssim(stored) == pytest.approx(pairwise_ssim(stored.float() / 255), abs=1e-6)
    assert max_ssim_to(stored, stored[:1])[0] == pytest.approx(1, abs=1e-5)


def test_repeated_pictures_stand_out() -> None:
    """With k pictures alone, 1/k of all pairs are one picture."""
    real, two = pictures(40, 3), pictures(2, 4)
    collapsed = pairwise_ssim(two.repeat(20, 1, 1, 1))
    assert collapsed > (1 + pairwise_ssim(real)) / 2 - 0.1
    assert pairwise_ssim(real) < 0.4


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.zeros(1, 1, 16, 16), "1 images have no pair"),
        (torch.zeros(4, 16, 16), "shape"),
        (torch.zeros(4, 1, 5, 16), "above 5 x 5"),
        (torch.full((4, 1, 16, 16), -0.5), r"\[0, 1\]"),
        (torch.full((4, 1, 16, 16), torch.nan), r"\[0, 1\]"),
        (torch.full((4, 1, 16, 16), 200.0), r"\[0, 1\]"),
        (torch.zeros(4, 1, 16, 16, dtype=torch.int64), "int64"),
    ],
)
def test_what_does_not_fit_is_refused(images: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pairwise_ssim(images)


def test_references_have_to_fit() -> None:
    with pytest.raises(ValueError, match="references"):
        max_ssim_to(pictures(2), pictures(2, 1, (3, 20, 20)))
    with pytest.raises(ValueError, match="references"):
        max_ssim_to(pictures(2), pictures(0))
