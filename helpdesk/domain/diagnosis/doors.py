"""Doors: which product the page belongs to, and E6, where it is not this one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import urlsplit

from helpdesk.domain.diagnosis.catalog import DECISIVE, HINT, STRONG, Lines, Scene, cause
from helpdesk.domain.diagnosis.facts import Challenge, Facts, Password
from helpdesk.domain.diagnosis.verdicts import Evidence, Source
from helpdesk.domain.products import Product

_COMMON = frozenset(
    {
        "the", "and", "for", "login", "app", "www", "com", "example", "https", "http", "code",
        "codes", "product", "platform", "two", "factor", "mail", "verify", "auth",
        "authenticator", "user", "users", "portal",
    }
)  # fmt: skip
"""Words of names that any page's address may hold."""


@cause("E6", "the wrong product or door", prior=0.0)
def wrong_door(scene: Scene) -> list[Evidence]:
    """A kind of user without a second proof here, or a door that is another product's."""
    facts, lines = scene.facts, Lines(scene.facts)
    role = facts.card.role(facts.user.role)
    if (role is not None and not role.has_mfa) or facts.user.mfa == "none":
        name = role.name if role else "this kind of user"
        lines.note(DECISIVE, f"{name} has no second proof in this product", Source.CARD)
    products = facts.account_products
    if products and facts.card.id not in products:
        lines.note(DECISIVE - HINT, "the account exists only in another product", Source.LOG)
    doors = [e for e in facts.visits if e.door]
    if doors:
        _door_lines(facts, lines, doors)
    if not lines.found and not facts.rounds and facts.since(Password):
        tried = facts.since(Password)
        if not any(p.ok for p in tried):
            lines.add(HINT, "no login of this user ever passed here", tried[-1])
    last = facts.recent[-1] if facts.recent else None
    here = host_of(doors[-1].door) if doors else ""
    if lines.found and last and last.is_accepted and host_of(last.door) in {here, ""}:
        lines.add(-STRONG, "a challenge was passed at this door", last.good)
    return lines.found


def _door_lines(facts: Facts, lines: Lines, doors: list[Password | Challenge]) -> None:
    latest = max(doors, key=lambda event: event.at)
    host = host_of(latest.door)
    if any(is_of(latest.door or "", other, facts.card) for other in facts.cards):
        lines.add(DECISIVE, "the page belongs to another product", latest)
    good_doors = {one.door for one in facts.rounds if one.is_accepted}
    good_doors |= {password.door for password in facts.trusted_logins if password is not latest}
    good_doors |= {one.password.door for one in facts.accepted if one.password}
    good_doors |= {p.door for p in facts.since(Password) if p.ok and p is not latest}
    good = {host_of(door) for door in good_doors} - {""}
    is_in_here = facts.last is not None and facts.last.is_accepted and facts.last.at >= latest.at
    if host and good and host not in good and not is_in_here:
        lines.add(STRONG + HINT, f"never before was {host} the door of a good login", latest)
    if any(word.startswith("affiliate") for word in words_of(latest.door or "")):
        lines.add(DECISIVE, "the page is one for affiliates", latest)


def is_of(door: str, other: Product, own: Product) -> bool:
    """Whether a page's address names another product, and not this one.

    What names a whole company tells its products apart only where nothing better does.
    """
    if other.id == own.id:
        return False
    said, theirs, ours = words_of(door), names_of(other), names_of(own)
    if said & (theirs - ours) and not said & ours:
        return True
    company = _squeezed(other.vendor)
    telling = theirs - ours - company
    if not said & telling or said & (ours - theirs - _squeezed(own.vendor)):
        return False
    return other.vendor == own.vendor or bool(words_of(host_of(door)) & telling)


@lru_cache(256)
def words_of(door: str) -> frozenset[str]:
    """The words of a page's address that may tell products apart."""
    return frozenset(re.findall(r"[a-z]{2,}", door.casefold()))


def names_of(card: Product) -> frozenset[str]:
    """The words that name a product: of its id and names, also written together."""
    return _names_of((card.id, card.name, card.short), card.synonyms)


@lru_cache(64)  # a handful of cards names the products of every verdict
def _names_of(called: Sequence[str], synonyms: Sequence[str]) -> frozenset[str]:
    names = [name.replace("e-mail", "email") for name in called]
    found = {word for name in names for word in re.findall(r"[a-z]{3,}", name.casefold())}
    squeezed = {word for name in names for word in _squeezed(name) if len(word) > 5}
    brands = {word.casefold() for word in synonyms if _is_brand(word)}
    return frozenset(found | squeezed | brands) - _COMMON


def _is_brand(synonym: str) -> bool:
    """Whether a synonym is a name of its own, as products write it: two words in one."""
    return re.fullmatch(r"[A-Z][a-z]+[A-Z][a-z]+", synonym) is not None


def _squeezed(name: str) -> frozenset[str]:
    return frozenset({re.sub(r"[^a-z]", "", name.casefold())})


def host_of(door: str | None) -> str:
    """The host of a page's address; empty where it has none."""
    try:
        return (urlsplit(door or "").hostname or "").casefold()
    except ValueError:
        return ""


def is_other_door(facts: Facts) -> bool:
    """Whether the page that was used is known to be another product's."""
    lines = Lines(facts)
    doors = [e for e in facts.visits if e.door]
    if doors:
        _door_lines(facts, lines, doors)
    return any(line.weight >= STRONG for line in lines.found)
