"""Feature networks: what an image is measured by."""
