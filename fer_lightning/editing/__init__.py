"""Editing the faces of whole photographs: where they stand, what is blended back, what is noted."""
