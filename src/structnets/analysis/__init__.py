<<<<<<< HEAD
"""Studies of trained networks: what their filters, arrays and spaces have learned."""
=======
"""What trained networks compute: spectra, inversion, interpolation, separability, stability."""
>>>>>>> irevnet
