"""Figure 11: boundary detectors beside what people drew."""
