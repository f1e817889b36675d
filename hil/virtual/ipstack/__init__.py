"""The virtual board's IP stack: a network namespace behind a TAP interface, with ESP-IDF's servers modelled on top."""
