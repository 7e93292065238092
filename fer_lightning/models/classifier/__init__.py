"""Expression classifiers: networks by name, one training recipe for all."""
