"""Real companions of scenarios (databases, origins), started on demand."""
