"""Boards as kernel USB devices: found, cabled, put to sleep and asked; real and virtual ones alike."""
