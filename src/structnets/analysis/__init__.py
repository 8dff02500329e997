"""What trained networks have learned: arrays, spectra, inversion, separability, stability."""
