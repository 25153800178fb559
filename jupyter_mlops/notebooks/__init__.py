"""What can be read from a notebook without executing it."""
