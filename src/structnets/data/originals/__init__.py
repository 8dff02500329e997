"""Original files: formats, archives, downloads."""
