"""Face detectors behind one protocol, and the crop policy that they share."""
