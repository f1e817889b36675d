"""iOS: Apple's client on a phone."""

from dataclasses import replace

from hil.personas.apple import APPLE

IOS = replace(
    APPLE,
    name="ios",
    # add_computer_name() sends the device's name; this one is a stand-in.
    host_name="iPhone",
)
