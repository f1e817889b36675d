"""The job that the machine is given."""

import subprocess
from pathlib import Path

from hil.launcher.guest import Job, User, command_script, job_script

ROOT = User(0, 0, ())


def job(argv: tuple[str, ...] = ("true",), user: User = ROOT, **env: str) -> Job:
    return Job(argv, Path("/srv/my project"), env, user, Path("/srv/out"), (Path("/srv/a b"), Path("/tmp/x.xml")))


def test_words_arrive_as_they_were() -> None:
    """A shell that reads the line gets the same words, whatever is in them."""
    argv = ("echo", "a b", "$HOME", "it's", "*", "line\nbreak", "")
    line = command_script(job(argv, NAME="v al")).split("\nexec /usr/bin/env", 1)[1]
    script = f"for word in {line.removesuffix(' 3>&-' + chr(10))}; do printf '%s\\0' \"$word\"; done"
    words = subprocess.run(["sh", "-c", script], capture_output=True, check=True).stdout.decode().split("\0")
    assert words[:-1] == ["-i", "NAME=v al", *argv]


def test_root_stays_root_and_a_user_stays_one() -> None:
    """Identity and groups are the caller's."""
    assert "setpriv" not in command_script(job())
    become = "/usr/bin/setpriv --reuid=1000 --regid=1001 --groups 20,1001 -- /usr/bin/env"
    assert become in command_script(job(user=User(1000, 1001, (20, 1001))))
    assert "--clear-groups" in command_script(job(user=User(1000, 1000, ())))


def test_the_variables_say_what_is_shared_and_what_returns() -> None:
    """Paths are quoted; what returns is relative to the overlay's upper directory."""
    text = job_script(job(), ["vhci_hcd", "tun"])
    script = f'{text}\neval "set -- $returned"; printf "%s|" "$artifacts" "$modules" "$@"'
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "/srv/out|vhci_hcd tun|srv/a b|tmp/x.xml|"
