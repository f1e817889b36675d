"""macOS: Apple's client on a computer. Its waits are taken to be those of iOS, whose source it shares (NV on a Mac)."""

from dataclasses import replace

from hil.personas.apple import APPLE, PARAMETERS

MACOS = replace(
    APPLE,
    name="macos",
    # dhcp.c, dhcp_static_default_params where the target is not an embedded one: LDAP and NetBIOS over TCP/IP.
    requested=(*PARAMETERS, 95, 44, 46),
    # add_computer_name() sends the computer's name; this one is a stand-in.
    host_name="Mac",
)
