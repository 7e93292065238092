"""Root schemas, their registration with Hydra, and the way from overrides to typed objects."""
