"""Where requests come in. A door only translates; doors do not know each other."""
