"""Certificates, encryption of secrets at rest, hashes of passwords and PINs."""
