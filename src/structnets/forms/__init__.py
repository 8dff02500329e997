"""Forms of data: how each is stored, read and learned."""
