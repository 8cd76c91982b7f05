"""Vendors as data: vendor.toml to frozen dataclasses, the registry and the match."""
