"""Studies of trained networks: what their filters, arrays and spaces have learned."""
