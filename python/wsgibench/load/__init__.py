"""Driving the C load generator: what is asked, and what it says of itself."""
