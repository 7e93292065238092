"""Classifiers on fixed features: emotions and action units, within and across datasets."""
