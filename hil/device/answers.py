"""What a board answers over HTTP against what its profile says that it answers."""

import json
import re

from hil.device.readings import Reading
from hil.errors import BoardFailure
from hil.profiles.http import Answer, Endpoint
from hil.timeline.events import HttpFailed

SHOWN = 80
"""Characters of a body that a difference shows."""
NAMES: dict[type, str] = {
    bool: "boolean",
    dict: "object",
    float: "number",
    int: "integer",
    list: "array",
    str: "string",
    type(None): "null",
}
"""What JSON calls the types that Python makes of it."""


def require(endpoint: Endpoint, reading: Reading) -> None:
    """The answer is what the profile promises.

    Raises:
        BoardFailure: it is another; the message lists each difference.
    """
    found = differences(endpoint.answer, reading)
    if found:
        raise BoardFailure(f"{endpoint} is answered otherwise than the profile promises\n  " + "\n  ".join(found))


def differences(wanted: Answer, reading: Reading) -> list[str]:
    """In what the answer is another than ``wanted``, one line each; nothing where it is what was promised."""
    reply = reading.reply
    if isinstance(reply, HttpFailed):
        return [f"no answer: {reply.reason} after {reply.took_s:.3f} s: {reply.detail}"]
    found = []
    if reply.status != wanted.status:
        found.append(f"status: wanted {wanted.status}, got {reply.status}")
    if wanted.content_type and reply.content_type != wanted.content_type:
        found.append(f"content type: wanted {wanted.content_type!r}, got {reply.content_type!r}")
    text = reading.body.decode("utf-8", "replace")
    if wanted.body and reply.method != "HEAD" and not re.search(wanted.body, text):
        found.append(f"body: {wanted.body!r} is not found in {_shown(text)}")
    if wanted.json:
        found += _json_differences(wanted, text)
    return found


def _json_differences(wanted: Answer, text: str) -> list[str]:
    try:
        made = json.loads(text)
    except ValueError as error:
        return [f"body: no JSON: {error}; it is {_shown(text)}"]
    if not isinstance(made, dict):
        return [f"body: a JSON {NAMES[type(made)]}, wanted an object; it is {_shown(text)}"]
    keys = dict(wanted.json)
    found = [f"JSON: key {key!r} is missing" for key in keys if key not in made]
    found += [
        f"JSON: {key} is {made[key]!r}, wanted {name}" for key, name in keys.items() if not _fits(made, key, name)
    ]
    return found + [f"JSON: key {key!r} is unknown" for key in made if not wanted.more_keys and key not in keys]


def _fits(made: dict[str, object], key: str, name: str) -> bool:
    """Whether the value has the type, or is not there at all; an integer is a number too."""
    if key not in made:
        return True
    got = NAMES[type(made[key])]
    return got == name or (name == "number" and got == "integer")


def _shown(text: str) -> str:
    return repr(text if len(text) <= SHOWN else f"{text[:SHOWN]}…")
