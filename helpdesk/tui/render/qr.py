"""A QR code in half blocks, dark on light whatever the theme, with the quiet zone scanners want."""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote

QUIET_ZONE: Final = 2
"""Modules of light around the code.

The standard asks for four; two are read by every telephone tried and save eight columns.
"""


MOST: Final = 7_089
"""The largest QR code holds so many digits, and fewer letters; more is not even tried."""


def shortened(uri: str) -> str:
    """Return an `otpauth://` address without what it says twice, so that its picture is smaller.

    The issuer stands before the account already; apps read it there.
    """
    start, _, query = uri.partition("?")
    named = unquote(start.rpartition("/")[2]).partition(":")[0]
    kept = [
        part
        for part in query.split("&")
        if unquote(part.partition("=")[2]) != named or "=" not in part
    ]
    return f"{start.replace('%40', '@')}?{'&'.join(kept)}" if query else uri


def qr_lines(text: str) -> list[str]:
    """Return the rows of a QR code, two modules a character, to be drawn black on white.

    Raises:
        ValueError: *text* does not fit into any QR code.
    """
    if len(text) > MOST:
        raise ValueError("no QR code holds that much")
    import segno  # noqa: PLC0415 - heavy, and only the handover of an enrolment draws one

    code = segno.make(text, error="l", micro=False, boost_error=False)
    matrix = [[bool(module) for module in row] for row in code.matrix_iter(border=QUIET_ZONE)]
    if len(matrix) % 2:
        matrix.append([False] * len(matrix[0]))
    return [
        "".join(_BLOCKS[upper, lower] for upper, lower in zip(*pair, strict=True))
        for pair in zip(matrix[::2], matrix[1::2], strict=True)
    ]


_BLOCKS: Final = {
    (False, False): " ",
    (True, False): "▀",
    (False, True): "▄",
    (True, True): "█",
}
