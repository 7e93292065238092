"""The DCGAN of paper D on the shared training base."""

from __future__ import annotations

from torch import Generator as RandomGenerator
from torch import Tensor, nn

from fer_lightning.data.batch import FaceBatch
from fer_lightning.losses.adversarial import discriminator_terms, generator_terms
from fer_lightning.models.base import Losses, in_eval_mode
from fer_lightning.models.config import FaceFormat
from fer_lightning.models.dcgan.config import DCGANConfig
from fer_lightning.models.dcgan.networks import Discriminator, Generator
from fer_lightning.models.sampling import SamplingModule
from fer_lightning.nn.dcgan import initialise, latent_vectors


class DCGAN(SamplingModule):
    """Deep convolutional GAN without labels (Radford et al. 2015, arXiv 1511.06434)."""

    def __init__(self, config: DCGANConfig, faces: FaceFormat, seed: int) -> None:
        self.config = config
        self.faces = faces
        super().__init__(config, faces, seed)

    def networks(self) -> tuple[nn.Module, nn.Module]:
        """Paper D's networks at the size of the data."""
        config, shape = self.config, (self.faces.image_size, self.faces.channels)
        generator = Generator(config.latent_dim, *shape, config.generator_width)
        discriminator = Discriminator(*shape, config.discriminator_width)
        for network in (generator, discriminator):
            initialise(network, config.init_std)
        return generator, discriminator

    def generate(self, batch: FaceBatch) -> FaceBatch:
        """As many fakes as there are real images."""
        return FaceBatch(self.generator(self._latent(len(batch), self.noise)), batch.emotions)

    def discriminator_loss(self, real: FaceBatch, fake: FaceBatch) -> Losses:
        """Real and fake go through apart: in one batch, batch norm would tell of the other half."""
        of_real = self.discriminator(real.images)
        return discriminator_terms(of_real, self.discriminator(fake.images))

    def generator_loss(self, real: FaceBatch, fake: FaceBatch) -> Losses:
        """How little the discriminator believes the fakes."""
        return generator_terms(self.discriminator(fake.images))

    def sample(self, emotions: Tensor, generator: RandomGenerator) -> Tensor:
        """Images from the averaged generator where there is one, batch norm in eval mode.

        Args:
            emotions: (N,); its values are ignored.
            generator: CPU generator.
        """
        latent = self._latent(len(emotions), generator).to(self.device)
        return in_eval_mode(self.best_generator, latent).float()

    def _latent(self, count: int, generator: RandomGenerator) -> Tensor:
        return latent_vectors(self.config.prior, count, self.config.latent_dim, generator)
