"""The conditional GAN of paper A on the shared training base."""

from __future__ import annotations

import torch
from torch import Generator as RandomGenerator
from torch import Tensor
from torch.optim import Adam, Optimizer

from fer_lightning.data.batch import FaceBatch
from fer_lightning.models.base import AdversarialModule, Losses
from fer_lightning.models.cgan.config import CGANConfig, FakeLabels, Prior
from fer_lightning.models.cgan.networks import Discriminator, Generator, initialise
from fer_lightning.models.cgan.objective import discriminator_terms, generator_terms
from fer_lightning.models.config import FaceFormat
from fer_lightning.nn.ema import AveragedNetwork
from fer_lightning.rng import WEIGHTS, stream_seed


class CGAN(AdversarialModule):
    """Class-conditional DCGAN with optional spectral normalisation (arXiv 2508.04481)."""

    def __init__(self, config: CGANConfig, faces: FaceFormat, seed: int) -> None:
        super().__init__(config, faces, seed)
        self.config = config
        self.critic_steps = config.critic_steps
        classes = len(faces.classes)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(stream_seed(seed, WEIGHTS))
            self.generator = Generator(
                config.latent_dim, classes, faces.image_size, faces.channels, config.width
            )
            self.discriminator = Discriminator(
                classes,
                faces.image_size,
                faces.channels,
                config.width,
                config.spectral_norm,
                config.spectral_norm_dense,
                config.dropout,
            )
            for network in (self.generator, self.discriminator):
                initialise(network, config.init_std)
                network.to(memory_format=torch.channels_last)
        half_life = config.ema_half_life
        self.average = AveragedNetwork(self.generator, half_life) if half_life else None
        frequencies = torch.tensor(faces.class_counts, dtype=torch.float32)
        if config.fake_labels is FakeLabels.uniform:
            frequencies = torch.ones(classes)
        self.register_buffer("frequencies", frequencies, persistent=False)

    def configure_optimizers(self) -> list[Optimizer]:
        """Adam for the discriminator, then for the generator."""
        betas = (self.config.beta1, self.config.beta2)
        return [
            Adam(self.discriminator.parameters(), self.config.discriminator_lr, betas),
            Adam(self.generator.parameters(), self.config.generator_lr, betas),
        ]

    def generate(self, batch: FaceBatch) -> FaceBatch:
        """As many fakes as there are real images, with labels of their own."""
        frequencies: Tensor = self.get_buffer("frequencies")
        emotions = torch.multinomial(frequencies, len(batch), True, generator=self.noise)
        latent = self._latent(len(batch), self.noise)
        return FaceBatch(self.generator(latent, emotions), emotions)

    def discriminator_loss(self, real: FaceBatch, fake: FaceBatch) -> Losses:
        """Real and fake go through together.

        There is no batch norm that could tell them apart, and one power iteration a step is what
        spectral norm was published with.
        """
        images = torch.cat([real.images, fake.images])
        logits = self.discriminator(images, torch.cat([real.emotions, fake.emotions]))
        of_real, of_fake = logits.split([len(real), len(fake)])
        return discriminator_terms(of_real, of_fake, self.config.label_smoothing)

    def generator_loss(self, real: FaceBatch, fake: FaceBatch) -> Losses:
        """How little the discriminator believes the fakes."""
        return generator_terms(self.discriminator(fake.images, fake.emotions))

    def after_step(self, images: int) -> None:
        """Let the averaged generator follow."""
        if self.average is not None:
            self.average.update(self.generator, images, self.images_seen)

    @torch.no_grad()
    def sample(self, emotions: Tensor, generator: RandomGenerator) -> Tensor:
        """Images from the averaged generator where there is one, batch norm in eval mode."""
        latent = self._latent(len(emotions), generator).to(self.device)
        network = self.generator if self.average is None else self.average.network
        training = network.training
        network.eval()
        images: Tensor = network(latent, emotions.to(self.device))
        network.train(training)
        return images.float()

    def _latent(self, count: int, generator: RandomGenerator) -> Tensor:
        shape = (count, self.config.latent_dim)
        if self.config.prior is Prior.normal:
            return torch.randn(shape, generator=generator, device=generator.device)
        return torch.rand(shape, generator=generator, device=generator.device) * 2 - 1
