"""Virtual phones: they ask as real ones do and show what real ones would make of the answers."""
