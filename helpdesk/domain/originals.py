"""The original of an event: what the provider itself wrote down, made fit to be shown.

row of a provider ─▶ secrets left out ─▶ bounded and cleaned ─▶ masked, unless it was revealed

What a provider writes can hold anything, so three nets hold personal data back: what is known of
the user, what the name of a field says, and what a value looks like.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct, field
from msgspec.structs import replace

from helpdesk.domain.text import clean, digits, mask, mask_mail, mask_phone
from helpdesk.domain.timeline import AnyEvent, Event, Other
from helpdesk.domain.users import At, User

ROW: Final = "raw"
"""The name under which an event carries the provider's own row."""

NONE: Final = "This event has no other form: it was not told by a provider."
LEFT_OUT: Final = "(a secret, left out)"
HIDDEN: Final = "•••"
MORE: Final = "(more, left out)"

MOST_VALUES: Final = 400
MOST_LETTERS: Final = 400
MOST_DEPTH: Final = 10
"""What is shown of one row: so many values, so long, so far within each other."""


class Original(Struct, frozen=True, kw_only=True):
    """An event as its provider told it.

    Attributes:
        provider: Its name, as a sentence begins with it.
        name: The event's own name there; empty where it gave none.
        kind: What it was read as here.
        row: The row, in JSON's values; empty where there is no other form.
        says: Why there is none, in a sentence; empty where there is one.
        is_masked: Whether personal data in it is masked.
    """

    provider: str
    name: str
    kind: str
    at: At
    row: dict[str, Any] = field(default_factory=dict)
    says: str = ""
    is_masked: bool = True


def row_of(event: AnyEvent) -> dict[str, Any]:
    """Return the provider's row beside an event, as it came; empty where there is none."""
    beside = event.raw if isinstance(event, Other) else event.extra
    row = beside.get(ROW)
    return row if isinstance(row, dict) else {}


def without_row(event: AnyEvent) -> AnyEvent:
    """Return an event without the provider's row, which is asked for by itself."""
    if (not isinstance(event, Other) and not event.extra) or not row_of(event):
        return event
    if isinstance(event, Other):
        return replace(event, raw={key: event.raw[key] for key in event.raw if key != ROW})
    assert isinstance(event, Event)  # noqa: S101 - told apart for the type checker
    return replace(event, extra={key: event.extra[key] for key in event.extra if key != ROW})


def original(event: AnyEvent, provider: str, user: User, *, is_masked: bool = True) -> Original:
    """Return the original of an event of a user, as far as it may be shown."""
    row = row_of(event)
    told = _Showing(user if is_masked else None).of(row) if row else {}
    given = (row.get(key) for key in ("uuid", "txid", "id", "number"))
    name = next((str(one) for one in given if isinstance(one, str | int) and str(one)), "")
    return Original(
        provider=clean(provider, limit=100),
        name=clean(name, limit=100),
        kind=clean(event.kind, limit=100),
        at=event.at,
        row=told if isinstance(told, dict) else {},
        says="" if row else NONE,
        is_masked=is_masked,
    )


def row_lines(told: Original) -> list[str]:
    """Return the row as lines of indented JSON, each fit for a terminal; or why there is none."""
    if not told.row:
        return [clean(told.says, limit=MOST_LETTERS)]
    text = json.dumps(told.row, ensure_ascii=False, indent=2)
    return [clean(line, limit=2 * MOST_LETTERS) for line in text.split("\n")]


def original_lines(told: Original) -> list[str]:
    """Return an original as a person reads it: whose it is, what it was read as, the row."""
    who = clean(told.provider, limit=100)
    name = clean(told.name, limit=100) or "an event without a name"
    masked = ", masked" if told.is_masked and told.row else ""
    head = f"{who}: {name}{masked}" if told.row else who
    read = f"{told.at:%Y-%m-%d %H:%M:%S} UTC, read here as: {clean(told.kind, limit=100)}"
    return [head, read, "", *row_lines(told)]


class _Showing:
    """Makes one row fit to be shown, for one look at it."""

    def __init__(self, user: User | None) -> None:
        self._left = MOST_VALUES
        self._user = user
        self._known = _known(user) if user is not None else {}

    def of(self, value: Any, name: str = "", within: str = "", depth: int = 0) -> Any:
        """Return a value under a name, which stands within what another name means."""
        self._left -= 1
        if self._left < 0 or depth > MOST_DEPTH:
            return MORE
        if isinstance(value, dict):  # a secret may be a table: {"password": {"value": …}}
            return LEFT_OUT if _is_secret(name, within, "") else self._mapping(value, name, depth)
        if isinstance(value, list | tuple):
            kept = value[: max(0, self._left)]
            shown = [self.of(each, name, within, depth + 1) for each in kept]
            return shown if len(kept) == len(value) else [*shown, MORE]
        if isinstance(value, bool) or value is None:
            return value
        if _is_secret(name, within, value):
            return LEFT_OUT
        if isinstance(value, int | float):
            return value if self._user is None else self._number(value, name)
        return self._text(str(value), name, within, depth)

    def _mapping(self, value: Mapping[Any, Any], name: str, depth: int) -> dict[str, Any]:
        shown: dict[str, Any] = {}
        # Keycloak and others write a credential as a kind beside a value.
        kinds = (str(value.get(key, "")) for key in ("type", "key", "name"))
        kind = next((kind for kind in kinds if _is_secret(kind, "", "")), "")
        for key, each in value.items():
            if self._left <= 0:
                shown["…"] = MORE
                break
            inner = kind if kind and key == "value" else str(key)
            shown[clean(self._hidden(str(key)), limit=80)] = self.of(each, inner, name, depth + 1)
        return shown

    def _text(self, value: str, name: str, within: str, depth: int) -> Any:
        if value[:1] in {"{", "["} and len(value) <= 65_536:
            with contextlib.suppress(ValueError, RecursionError):
                return self.of(json.loads(value), name, within, depth + 1)
        said = value[: 4 * MOST_LETTERS]
        for pattern, instead in _SECRETS:
            said = pattern.sub(instead, said)
        if self._user is not None:
            said = self._masked(said, name, within)
        return clean(said, limit=MOST_LETTERS)

    def _number(self, value: float, name: str) -> float | str:
        plain = _plain(name)
        if plain in _PLACES:
            return HIDDEN
        return mask_phone(str(value)) if plain in _PHONES or self._is_known(str(value)) else value

    def _masked(self, value: str, name: str, within: str) -> str:
        plain = _plain(name)
        if plain in _PLACES:
            return HIDDEN
        if plain in _LOGINS or (plain == "name" and _plain(within) in _LOGINS):
            return mask_mail(value) if _MAIL.fullmatch(value) else HIDDEN
        if plain in _PHONES and len(digits(value)) >= 5:
            return mask_phone(value)
        return self._hidden(value)

    def _hidden(self, value: str) -> str:
        """Mask what is known of the user, and what looks like an address or a number."""
        if self._user is None:
            return value
        for known, instead in self._known.items():
            if known in value.casefold():
                value = re.sub(re.escape(known), instead, value, flags=re.IGNORECASE)
        value = _MAIL.sub(lambda found: mask_mail(found[0]), value)
        value = _PHONE.sub(lambda found: mask_phone(found[0]), value)
        return mask_phone(value) if self._is_known(value) else value

    def _is_known(self, value: str) -> bool:
        """Whether the digits of a value are the user's own number."""
        user = self._user
        if user is None or len(digits(value)) < 7:
            return False
        numbers = [digits(user.mobile or ""), *(digits(one.to or "") for one in user.factors)]
        return any(len(one) >= 7 and one[-7:] in digits(value) for one in numbers)


def _known(user: User) -> dict[str, str]:
    """Return what must not be seen of a user, in one case, with what stands for it."""
    own = (user.login, user.notification_address, user.mobile, *(one.to for one in user.factors))
    kept = {
        text for text in own if text and len(text) >= 3 and (text == user.login or _is_far(text))
    }
    masks = {text.casefold(): mask(text) if _is_far(text) else HIDDEN for text in kept}
    return dict(sorted(masks.items(), key=lambda pair: -len(pair[0])))


def _is_far(text: str) -> bool:
    """Whether a text is an address or a number, not the name of a device."""
    return mask(text) != text


def _words(name: str) -> list[str]:
    """Return the words of a field's name: `stateToken`, `state_token` and `state-token` alike."""
    return re.findall(r"[a-z]+|[0-9]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).lower())


def _plain(name: str) -> str:
    return "".join(_words(name))


def _is_secret(name: str, within: str, value: object) -> bool:
    words = _words(name)
    if not words or isinstance(value, bool):
        return False
    if words[-1] in _SECRET_WORDS or _plain(name) in _SECRET_NAMES:
        return True
    return words[-1] in {"code", "codes"} and (
        len(words) == 1 or words[-2] in _CODES or _plain(within) in _CODES
    )


_SECRET_WORDS: Final = frozenset(
    _words(
        "password passwd passcode passphrase pin otp totp secret secrets seed assertion credential "
        "cookie cookies authorization signature token tokens passcodes"
    )
)
"""A field whose name ends with one of these holds what opens something."""

_SECRET_NAMES: Final = frozenset(
    _words(
        "otpkey privatekey apikey secretkey sharedsecret clientkey nonce challengedata secretdata "
        "credentialdata qrcode otpvalue answer pass "
        "samlresponse googleurl keyuri"
    )
)
"""Whole names of such fields, as their letters."""

_CODES: Final = frozenset(
    _words(
        "pass auth authorization otp verification recovery backup bypass user device security "
        "login activation sms email registration confirmation access"
    )
)
"""What a code that is a secret is called by; that of an error or a country is none."""

_LOGINS: Final = frozenset(
    _words(
        "login username user alternateid userlogin loginname principal preferredusername uid upn "
        "admin administrator identity samaccountname useralias email mail useremail"
    )
)
_PHONES: Final = frozenset(
    _words("phone phonenumber mobile mobilephone msisdn tel telephone callernumber")
)
_PLACES: Final = frozenset(
    _words(
        "lat lon lng latitude longitude postalcode zip street streetaddress postaladdress birthdate"
        " birthday"
    )
)

_MAIL: Final = re.compile(r"[^\s@<>\"',;:()\[\]{}]+@[^\s@<>\"',;:()\[\]{}]+\.[^\W\d_]{2,}")
_PHONE: Final = re.compile(r"(?<![\w.:/-])(?:\+\d|0\d)[\d ().-]{6,}\d(?![\w:])")

_SECRETS: Final = (
    (re.compile(r"otpauth(?:-migration)?://\S+", re.IGNORECASE), LEFT_OUT),
    (re.compile(r"\beyJ[\w-]{8,}(?:\.[\w-]*){1,4}"), LEFT_OUT),
    (re.compile(r"\b(bearer|ssws|basic|dpop)\s+[\w.~+/=-]{8,}", re.IGNORECASE), rf"\1 {LEFT_OUT}"),
    (re.compile(r"(?<=[?#])[\w%.~-]+=[^\s\"'<>]*"), "…"),  # parts of an address may be keys
    (
        re.compile(
            r"\b(pass(?:word|code)?|otp|pin|secret|token)(\s*[=:]\s*)[^\s,;&]+", re.IGNORECASE
        ),
        rf"\1\2{LEFT_OUT}",
    ),
    (re.compile(r"\b(code)(\s*(?:[=:]|is)\s*)\d{4,10}\b", re.IGNORECASE), rf"\1\2{LEFT_OUT}"),
)
"""What is a secret wherever it stands, and what is written in its place."""
