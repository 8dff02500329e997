"""Every public layer in every ordinary use of PyTorch: right, or refused with a reason."""
