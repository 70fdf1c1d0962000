"""What the desk reads from elsewhere."""
