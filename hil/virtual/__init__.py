"""The virtual ESP32-S3: one process, seen by the kernel as a USB device and by nobody as Python."""
