"""The host's side of the board's interface: personas that run in its namespace."""
