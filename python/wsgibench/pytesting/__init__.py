"""What the pytest plugin is made of; see wsgibench.pytest_plugin."""
