"""The conditional GAN of paper A on the shared training base."""

from __future__ import annotations

import torch
from torch import Generator as RandomGenerator
from torch import Tensor, nn

from fer_lightning.data.batch import FaceBatch
from fer_lightning.losses.adversarial import discriminator_terms, generator_terms
from fer_lightning.models.base import Losses, in_eval_mode
from fer_lightning.models.cgan.config import CGANConfig, FakeLabels
from fer_lightning.models.cgan.networks import Discriminator, Generator
from fer_lightning.models.config import FaceFormat
from fer_lightning.models.sampling import SamplingModule
from fer_lightning.nn.dcgan import initialise, latent_vectors


class CGAN(SamplingModule):
    """Class-conditional DCGAN with optional spectral normalisation (arXiv 2508.04481)."""

    def __init__(self, config: CGANConfig, faces: FaceFormat, seed: int) -> None:
        self.config = config
        self.faces = faces
        super().__init__(config, faces, seed)
        frequencies = torch.tensor(faces.frequencies, dtype=torch.float32)
        if config.fake_labels is FakeLabels.uniform:
            frequencies = torch.ones(len(faces.classes))
        self.register_buffer("frequencies", frequencies, persistent=False)

    def networks(self) -> tuple[nn.Module, nn.Module]:
        """Paper A's networks at the size of the data."""
        config, faces = self.config, self.faces
        shape = (len(faces.classes), faces.image_size, faces.channels, config.width)
        generator = Generator(config.latent_dim, *shape)
        discriminator = Discriminator(*shape, config.dropout)
        for network in (generator, discriminator):
            initialise(network, config.init_std)
        discriminator.normalise(config.spectral_norm, config.spectral_norm_dense)
        return generator, discriminator

    def generate(self, batch: FaceBatch) -> FaceBatch:
        """As many fakes as there are real images, with labels of their own."""
        frequencies: Tensor = self.get_buffer("frequencies")
        emotions = torch.multinomial(frequencies, len(batch), True, generator=self.noise)
        latent = self._latent(len(batch), self.noise)
        return FaceBatch(self.generator(latent, emotions), emotions)

    def discriminator_loss(self, real: FaceBatch, fake: FaceBatch) -> Losses:
        """Real and fake go through together.

        There is no batch norm that could tell them apart.
        """
        images = torch.cat([real.images, fake.images])
        logits = self.discriminator(images, torch.cat([real.emotions, fake.emotions]))
        of_real, of_fake = logits.split([len(real), len(fake)])
        return discriminator_terms(of_real, of_fake, self.config.label_smoothing)

    def generator_loss(self, real: FaceBatch, fake: FaceBatch) -> Losses:
        """How little the discriminator believes the fakes."""
        return generator_terms(self.discriminator(fake.images, fake.emotions))

    def sample(self, emotions: Tensor, generator: RandomGenerator) -> Tensor:
        """Images from the averaged generator where there is one, batch norm in eval mode."""
        latent = self._latent(len(emotions), generator).to(self.device)
        return in_eval_mode(self.best_generator, latent, emotions.to(self.device)).float()

    def perceive(self, images: Tensor) -> None:
        """Run the discriminator without saying which emotion is claimed."""
        unknown = torch.full((len(images),), -1, device=images.device)
        in_eval_mode(self.discriminator, images, unknown)

    def _latent(self, count: int, generator: RandomGenerator) -> Tensor:
        return latent_vectors(self.config.prior, count, self.config.latent_dim, generator)
