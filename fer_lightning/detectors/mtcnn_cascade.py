"""MTCNN's three networks, run together over images of mixed sizes; needs torch when imported."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torchvision.ops import nms

INPUTS = (12, 24, 48)
"""Side in pixels of what each network looks at; the first looks at every second place."""


class SummedAreas:
    """Images as running sums, from which the mean of any rectangle takes four look-ups.

    All that the networks see are such means, of pyramid levels and of crops.

    Args:
        images: RGB arrays of shape (H, W, 3), those of equal size next to one another.
        device: Where the sums are kept.

    Attributes:
        sizes: Height and width of each image, int64 of shape (N, 2), on the CPU.
        tables: For each run of equal sizes the index of its first image, and its sums, int32 of
            shape (M, H + 1, W + 1, 3).
    """

    def __init__(self, images: Sequence[NDArray[np.uint8]], device: torch.device) -> None:
        self.sizes = torch.tensor([image.shape[:2] for image in images])
        cells = (self.sizes + 1).prod(1)
        self._starts = cells.cumsum(0) - cells
        # Beyond 8 million pixels the sums may overflow; their differences are right all the same.
        self._sums = torch.zeros(int(cells.sum()), 3, dtype=torch.int32, device=device)
        self.tables: list[tuple[int, Tensor]] = []
        first = 0
        for (height, width, _), run in groupby(images, key=np.shape):
            pixels = torch.from_numpy(np.stack(list(run))).to(device)
            shape = (len(pixels), height + 1, width + 1, 3)
            table = self._sums[self._starts[first] :][: np.prod(shape[:3])].view(shape)
            table[:, 1:, 1:] = pixels.cumsum(1, dtype=torch.int32).cumsum(2, dtype=torch.int32)
            self.tables.append((first, table))
            first += len(pixels)

    def crops(self, image: Tensor, corners: Tensor, side: int) -> Tensor:
        """Scale parts of the images to squares.

        Args:
            image: Index of each part's image, int64 of shape (K,).
            corners: Left, top, right and bottom pixel of the parts, the latter two exclusive,
                int64 of shape (K, 4).
            side: Side of the squares in pixels.

        Returns:
            A network's input of shape (K, 3, side, side).
        """
        left, top, right, bottom = corners.unbind(1)
        pitch = self.sizes[image, 1] + 1
        corner = self._starts[image] + top * pitch + left
        places = torch.stack([corner, pitch, bottom - top, right - left]).to(self._sums.device)
        corner, pitch, height, width = places[..., None]
        tops, bottoms = _bins(height, side, self._sums.device)
        lefts, rights = _bins(width, side, self._sums.device)
        above, below = (corner + tops * pitch)[..., None], (corner + bottoms * pitch)[..., None]
        before, after = lefts[:, None], rights[:, None]
        sums = self._sums[below + after] - self._sums[above + after]
        sums -= self._sums[below + before] - self._sums[above + before]
        return _input(sums, bottoms - tops, rights - lefts)


def scaled(table: Tensor, height: int, width: int) -> Tensor:
    """Scale the images of a table of ``SummedAreas`` to a network's input (M, 3, height, width)."""
    tops, bottoms = _bins(table.shape[1] - 1, height, table.device)
    lefts, rights = _bins(table.shape[2] - 1, width, table.device)
    rows = table.index_select(1, bottoms) - table.index_select(1, tops)
    sums = rows.index_select(2, rights) - rows.index_select(2, lefts)
    return _input(sums, bottoms - tops, rights - lefts)


def _bins(length: int | Tensor, parts: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Begin and end of equal parts of a length; two parts share a pixel that lies in both."""
    cuts = torch.arange(parts + 1, device=device) * length
    return cuts[..., :-1] // parts, (cuts[..., 1:] + parts - 1) // parts


def _input(sums: Tensor, heights: Tensor, widths: Tensor) -> Tensor:
    """Make sums (K, h, w, 3) over bins of such heights and widths a network's input."""
    means = sums.float().div_(heights[..., None, None]).div_(widths[..., None, :, None])
    # Colours stay innermost in memory: a CPU runs the networks up to three times faster so.
    return means.sub_(127.5).div_(128).permute(0, 3, 1, 2)


class Candidates(NamedTuple):
    """Boxes that may hold a face, on the CPU.

    Attributes:
        image: Index of the image, int64 of shape (K,).
        box: Left, top, right, bottom in pixels of the image, float32 of shape (K, 4).
        score: Confidence in [0, 1], float32 of shape (K,).
        shift: How far the sides should move, in widths and heights, float32 of shape (K, 4).
        points: x of five landmarks, then y, in widths and heights from the box's corner, float32
            of shape (K, 10); zeros before the last network.
    """

    image: Tensor
    box: Tensor
    score: Tensor
    shift: Tensor
    points: Tensor

    def at(self, rows: Tensor) -> Candidates:
        """Choose or reorder by index or mask."""
        return Candidates(*(column[rows] for column in self))

    def extent(self, inclusive: int) -> Tensor:
        """Width and height (K, 2); 1 where right and bottom count as inside, else 0."""
        return self.box[:, 2:] - self.box[:, :2] + inclusive

    def shifted(self, inclusive: int) -> Candidates:
        """Move the sides of the boxes by their shifts."""
        return self._replace(box=self.box + self.shift * self.extent(inclusive).repeat(1, 2))

    def squared(self) -> Candidates:
        """Make the shorter side of the boxes as long as the other, about the same centre."""
        extent = self.extent(0)
        side = extent.amax(1, keepdim=True)
        corner = self.box[:, :2] + extent * 0.5 - side * 0.5
        return self._replace(box=torch.cat([corner, corner + side], 1))

    def suppressed(
        self,
        overlap: float,
        rule: Callable[[Tensor, Tensor, float], Tensor] = nms,
        groups: Tensor | None = None,
    ) -> Candidates:
        """Keep boxes that overlap no better one of their group, else image; by falling score.

        Groups are gone through one by one: told apart by an offset to their coordinates, as is
        usual, boxes would be rounded, and more so with each further image.
        """
        groups = self.image if groups is None else groups
        order = groups.argsort(stable=True)
        sizes = torch.unique_consecutive(groups[order], return_counts=True)[1]
        members = order.tensor_split(sizes.cumsum(0)[:-1])
        kept = [rows[rule(self.box[rows], self.score[rows], overlap)] for rows in members]
        return self.at(torch.cat(kept))


def covering(boxes: Tensor, scores: Tensor, overlap: float) -> Tensor:
    """Keep boxes (K, 4) unless they share over a fraction of the smaller area with a better one."""
    # Scores near 1 are often equal in float32, and the box that stays is then the one that numpy's
    # default sort puts last, which differs among CPUs: the sort must be facenet-pytorch's own.
    order = torch.from_numpy(scores.numpy().argsort()[::-1].copy())
    low, high = boxes[order, :2], boxes[order, 2:] + 1
    area = (high - low).prod(1)
    shared = (high[:, None].minimum(high) - low[:, None].maximum(low)).clamp(min=0).prod(2)
    clash = shared / area[:, None].minimum(area) > overlap
    keep = torch.ones(len(order), dtype=torch.bool)
    for i in range(len(order)):
        if keep[i]:
            keep[i + 1 :] &= ~clash[i, i + 1 :]
    return order[keep]


@dataclass(frozen=True)
class Cascade:
    """Finds in many images at once what ``facenet_pytorch.MTCNN`` finds in each alone.

    Attributes:
        networks: Those of facenet-pytorch; the shifts of boxes come first in their outputs, the
            scores last.
        thresholds: Least score that a candidate keeps after each network.
        scales: Gives the levels of an image's pyramid, relative to the image, by falling size,
            from its shorter side in pixels.
        batch_pixels: Pixels that a network looks at together.
        device: Where the networks are.
    """

    networks: Sequence[nn.Module]
    thresholds: Sequence[float]
    scales: Callable[[int], Iterable[float]]
    batch_pixels: int
    device: torch.device

    def find(self, images: Sequence[NDArray[np.uint8]]) -> Candidates:
        """Find faces, by image, then by falling score; images as for ``SummedAreas``."""
        areas = SummedAreas(images, self.device)
        faces = self._propose(areas).suppressed(0.7).shifted(0).squared()
        faces = self._judge(1, areas, faces).suppressed(0.7).shifted(1).squared()
        faces = self._judge(2, areas, faces)
        extent, corner = (xy.repeat_interleave(5, 1) for xy in (faces.extent(1), faces.box[:, :2]))
        points = faces.points * extent + corner - 1
        return faces._replace(points=points).shifted(1).suppressed(0.7, covering)

    def _propose(self, areas: SummedAreas) -> Candidates:
        """Move the first network's window over all pyramids; take what no level finds twice."""
        found, batches = [], []
        for first, table in areas.tables:
            count, height, width = len(table), table.shape[1] - 1, table.shape[2] - 1
            for scale in self.scales(min(height, width)):
                size = int(height * scale + 1), int(width * scale + 1)
                step = max(1, self.batch_pixels // (size[0] * size[1]))
                for start in range(0, count, step):
                    shift, scores = self.networks[0](scaled(table[start : start + step], *size))
                    where = (scores[:, 1] >= self.thresholds[0]).nonzero()
                    image, y, x = where.unbind(1)
                    found.append((where, scores[image, 1, y, x], shift[image, :, y, x]))
                    batches.append((len(where), first + start, scale))
        where, score, shift = (torch.cat(part).cpu() for part in zip(*found, strict=True))
        counts, starts, scales = (torch.tensor(part) for part in zip(*batches, strict=True))
        batch = torch.arange(len(batches)).repeat_interleave(counts)
        image = where[:, 0] + starts[batch]
        corner = 2 * where[:, [2, 1]] + 1
        box = (torch.cat([corner, corner + INPUTS[0] - 1], 1) / scales[batch, None]).floor()
        faces = Candidates(image, box, score, shift, score.new_zeros(len(score), 10))
        return faces.suppressed(0.5, groups=image * len(batches) + batch)

    def _judge(self, stage: int, areas: SummedAreas, faces: Candidates) -> Candidates:
        """Show candidates to a later network; keep those that it takes for faces."""
        corners = faces.box.trunc().long()
        corners[:, :2] = (corners[:, :2] - 1).clamp(min=0)
        corners[:, 2:] = corners[:, 2:].minimum(areas.sizes[faces.image].flip(1))
        inside = (corners[:, :2] < corners[:, 2:]).all(1)
        faces, corners = faces.at(inside), corners[inside]
        if not len(corners):
            return faces
        network, side = self.networks[stage], INPUTS[stage]
        step = max(1, self.batch_pixels // side**2)
        outputs = [
            network(areas.crops(faces.image[i : i + step], corners[i : i + step], side))
            for i in range(0, len(corners), step)
        ]
        shift, *points, scores = (torch.cat(part).cpu() for part in zip(*outputs, strict=True))
        score = scores[:, 1]
        faces = Candidates(faces.image, faces.box, score, shift, *(points or [faces.points]))
        return faces.at(score > self.thresholds[stage])
