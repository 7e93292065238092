"""Models that make faces up from noise: sample grids, measures and ``fer generate`` need one."""

from __future__ import annotations

from abc import abstractmethod

from torch import Generator, Tensor

from fer_lightning.models.base import AdversarialModule


class SamplingModule(AdversarialModule):
    """A GAN that draws faces of given emotions; one that translates given faces is none.

    Subclasses implement :meth:`sample` besides the methods of
    :class:`~fer_lightning.models.base.AdversarialModule`.
    """

    @abstractmethod
    def sample(self, emotions: Tensor, generator: Generator) -> Tensor:
        """Images of the given class indices, by ``best_generator`` in eval mode.

        Args:
            emotions: int64 of shape (N,); a model without classes takes its length alone.
            generator: CPU generator, so that samples are equal on every device.

        Returns:
            float32 of shape (N, C, H, W) in [-1, 1].
        """
