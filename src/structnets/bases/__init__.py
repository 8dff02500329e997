"""Filter bases: pure maths in float64, without layers."""
