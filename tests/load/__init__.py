"""The load generator against servers whose truth is known."""
