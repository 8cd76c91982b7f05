"""What goes out to phones and PBXs by our own asking."""
