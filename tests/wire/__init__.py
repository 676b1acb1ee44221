"""Black-box tooling: servers in their own process, raw sockets, strict
parsing of what comes back. Knows HTTP, and nothing of our server's inside."""
