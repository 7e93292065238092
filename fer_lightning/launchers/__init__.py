"""Launchers for Hydra's sweeps: how the cells of a sweep share one machine."""
