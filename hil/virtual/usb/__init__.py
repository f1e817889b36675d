"""The device side of USB/IP: virtual full-speed devices on the kernel's own USB stack, through vhci_hcd."""
