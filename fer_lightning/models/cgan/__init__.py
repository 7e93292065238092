"""Paper A: a class-conditional GAN for facial expressions (arXiv 2508.04481)."""
