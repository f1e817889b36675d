"""What should have happened."""
