"""What a device sent, from any source, as one type."""
