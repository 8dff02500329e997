"""What trained networks compute: spectra, inversion, interpolation, separability, stability."""
