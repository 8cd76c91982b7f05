"""The commands of `provisioning`: each does one thing and exits non-zero with one clear line."""
