"""Where an agent is found."""

from pathlib import Path

SOCKET = Path("/run/hil/agent.sock")
"""Where a service listens."""
COMING = "HIL_AGENT"
"""Environment variable: an agent listens at this path, or will as soon as it has started."""
