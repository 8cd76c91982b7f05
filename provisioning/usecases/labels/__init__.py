"""Labels of phones: an address that whoever scans it signs in at, and then has the phone."""
