"""Roost: a provisioning server for desk phones and DECT."""

__version__ = "0.1.0"
