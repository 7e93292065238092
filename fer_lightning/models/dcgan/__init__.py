"""Paper D: a DCGAN without labels, whose discriminator gives the features of faces."""
