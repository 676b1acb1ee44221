"""Raw conversations with a server, and a strict reading of its answers."""
