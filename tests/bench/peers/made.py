"""Rows without people, for lists that have nothing else to do."""

from __future__ import annotations

from typing import Final

COLUMNS: Final = ("Name", "Login", "Account", "Product", "State", "Ticket")
WIDTHS: Final = (24, 30, 20, 14, 12, 10)


def made(number: int) -> tuple[str, ...]:
    """Give the cells of a row."""
    return (
        f"User {number:07d}",
        f"user{number}@example.test",
        f"Account {number % 997}",
        ("Partner", "Portal", "Desk")[number % 3],
        ("ok", "locked", "flagged")[number % 7 % 3],
        f"#{10_000 + number}",
    )
