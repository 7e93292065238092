"""One module a dataset: reads its official layout into an index of images and labels."""
