"""Pure functions of tensors that two or more systems use."""
