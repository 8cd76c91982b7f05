"""The pages people see: signing in, and taking the phone whose label they scanned."""
