"""What is measured of a model, and under which protocol."""
