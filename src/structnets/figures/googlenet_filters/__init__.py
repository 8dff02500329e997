"""Figure 3: filters of a trained GoogLeNet."""
