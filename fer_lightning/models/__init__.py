"""One folder a system, with the same file names in each: config, networks, objective, module."""
