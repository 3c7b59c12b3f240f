"""Why another machine was not reached, in the words of whoever reads the sentence."""

from __future__ import annotations

import errno
import re
import socket
import ssl
from collections.abc import Iterator
from typing import Final

from helpdesk.domain.text import clean

CUT: Final = "the connection was cut"
LATE: Final = "nobody answered in time"
NO_WAY: Final = "the network knows no way there"
REFUSED: Final = "the connection was refused"

_BY_NUMBER: Final = {
    errno.ECONNREFUSED: REFUSED,
    errno.ENETUNREACH: NO_WAY,
    errno.ENETDOWN: NO_WAY,
    errno.EHOSTUNREACH: NO_WAY,
    errno.EHOSTDOWN: NO_WAY,
    errno.ETIMEDOUT: LATE,
    errno.ECONNRESET: CUT,
    errno.ECONNABORTED: CUT,
    errno.EPIPE: CUT,
}
"""What a number of the operating system stands for, what tells most first."""

_NUMBER: Final = re.compile(r"\[(?:Errno|WinError) (\d+)\]")


def reason(error: BaseException) -> str:
    """Return why, as the end of a sentence without its full stop; never the name of a class."""
    for each in _behind(error):
        if found := _of(each):
            return found
    # Of a host with several addresses only the text says what became of each.
    numbers = {int(number) for number in _NUMBER.findall(str(error))}
    known = (words for number, words in _BY_NUMBER.items() if number in numbers)
    return next(known, "no whole answer came back")


def _of(error: BaseException) -> str:
    if isinstance(error, socket.gaierror):
        if error.errno == socket.EAI_AGAIN:
            return "its name cannot be looked up now"
        return "no host of that name is known"
    if isinstance(error, UnicodeError):
        return "no host can have that name"
    if isinstance(error, ssl.SSLCertVerificationError):
        why = clean(error.verify_message, limit=120).rstrip(".")
        return f"its certificate is not trusted{f': {why}' if why else ''}"
    if isinstance(error, ssl.SSLError):
        return "no TLS could be agreed on with it"
    if isinstance(error, TimeoutError):
        return LATE
    return _BY_NUMBER.get(error.errno or 0, "") if isinstance(error, OSError) else ""


def _behind(error: BaseException | None) -> Iterator[BaseException]:
    """Give an error and what it was raised from, the first cause last."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
