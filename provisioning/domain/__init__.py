"""What the product is about, in the standard library alone: no I/O, no framework."""
