"""The server's configuration; only the commands and the composition root read it."""

from provisioning.config.load import load_config
from provisioning.config.schema import KEYS, Config, Key

__all__ = ["KEYS", "Config", "Key", "load_config"]
