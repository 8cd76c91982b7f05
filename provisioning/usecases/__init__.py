"""What Roost does: synchronous functions over the store, called by every door in worker threads."""
