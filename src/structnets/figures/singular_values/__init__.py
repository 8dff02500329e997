"""Figure 19: singular values of the differential."""
