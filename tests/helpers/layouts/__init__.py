"""Datasets in their official layouts, made of drawn faces: one module a dataset."""
