"""The sub-commands of ``python -m wsgibench``; see ``wsgibench.cli``."""
