"""Users and devices as CSV: in with an error per row or not at all, out so that in changes nothing."""
