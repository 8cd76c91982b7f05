"""The composition root: builds the core from a configuration and runs every door around it."""

from provisioning.app.build import build, open_authority, open_database
from provisioning.app.run import App, serve

__all__ = ["App", "build", "open_authority", "open_database", "serve"]
