"""The HTTP and HTTPS doors: files for phones, the API for people."""
