"""Paper E: GANmut, which edits the emotion of a face by a point of a space that it has learnt."""
