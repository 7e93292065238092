"""From source images to batches: corpora, archives, splits, loader, data module."""
