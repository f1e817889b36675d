"""What stands before a line that somebody saved: when it came, and who says so.

A stamp is a moment, what closes it, and perhaps a speaker. Tools differ in how they combine these, hardly in what they
take them from; a new tool is a sample in the tests, and only a new way to write a moment is a line here. Nothing is
taken for a stamp that a board's own line may begin with: a word and a colon are a speaker only with a process number
or a level, and seconds since some start only in brackets or with microseconds.
"""

import re

_DAYS = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]",  # ISO 8601: idf.py monitor, minicom, CI services, journalctl -o short-iso
    r"(?:[A-Z][a-z]{2} )?[A-Z][a-z]{2} [ 0-9][0-9] ",  # strftime's %b %d: ts, syslog, journalctl; with %a: Tera Term
    r"[0-9]{2}-[0-9]{2} ",  # logcat
)
_CLOCK = rf"(?:{'|'.join(_DAYS)})?[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}(?:[.,:][0-9]{{1,9}})?"
_YEAR = r"(?: [0-9]{4}(?=\]))?"
"""Where C's ctime() has it: Tera Term."""
_ZONE = r"(?:Z|[+-][0-9]{2}:?[0-9]{2})?"
_SECONDS = r"[0-9]{10}\.[0-9]{1,9}|[0-9]{1,10}\.[0-9]{6}"
"""Since 1970, or since the start: moreutils' ts with %.s."""
_UPTIME = r"(?<=\[) *[0-9]{1,9}\.[0-9]{1,9}(?=\])"
"""The kernel's printk, in brackets alone."""
_CLOSES = r"\]?+(?: -?> ?|[ \t]|(?=[^ \t0-9]))"
"""`` -> `` Arduino IDE; `` > `` PlatformIO's filter time; a blank, a tab or nothing the others."""
_LEVEL = r"(?:DEBUG|INFO|WARNING|ERROR|CRITICAL)"
_SPEAKERS = (
    r"(?<=[0-9] )[\w.-]+ [\w./@-]+\[[0-9]+\]: ?",  # syslog, RFC 3164 section 4.1.3: host, program and process
    rf"(?<=,[0-9]{{3}} ){_LEVEL}:? *(?:[a-z_][\w.]*: )?",  # Python logging, behind its asctime: levelname and name
    rf"(?<=,[0-9]{{3}} )- (?:[\w.]+ - )?{_LEVEL} - ",  # the same, as its HOWTO shows it
)
STAMP = re.compile(
    rf"\[?(?P<when>{_UPTIME}|{_CLOCK}{_YEAR}{_ZONE}|{_SECONDS}){_CLOSES}(?:{'|'.join(_SPEAKERS)})?",
)
