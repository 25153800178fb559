"""What answers the browser's requests."""
