"""fer_lightning: an experiment framework for GANs in facial expression recognition."""

__version__ = "0.1.0"
