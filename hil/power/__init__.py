"""One module per way to take a board off its port and put it back."""
