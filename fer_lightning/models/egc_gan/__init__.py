"""Paper C: an encoder, generator, discriminator and frozen classifier that translate faces."""
