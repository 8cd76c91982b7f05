"""The single checks of vendor folders, each a function from vendors to findings."""
