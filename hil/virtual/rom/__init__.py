"""The ESP32-S3's ROM and what it boots: serial loader, flasher stub, and the stages of a boot. Bytes in, bytes out."""
