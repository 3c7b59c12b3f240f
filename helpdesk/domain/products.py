"""Product cards: what each product's own source says, and where it is silent.

A card is a TOML file (`helpdesk/products/*.toml`, or one the user drops into the configuration
directory). Nothing in the
program knows a product by name: who may reset, how long a code lives, where codes go, whom to ask:
all of it is read here.
Every value carries the numbers of the rules it comes from; a value that is absent is *not
documented*.
"""

import unicodedata
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Generic, Literal, TypeVar

from msgspec import Meta, Struct

from helpdesk.domain.actions import ACTIONS
from helpdesk.domain.agents import Role
from helpdesk.domain.text import NOT_DOCUMENTED, clean
from helpdesk.domain.tickets import Complaint
from helpdesk.domain.users import FactorKind, MfaState, VoiceWay

T = TypeVar("T")
RuleId = Annotated[str, Meta(pattern=r"^[A-Z][A-Z0-9]*\.[0-9]+$")]
Slug = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=40)]
Words = Annotated[str, Meta(min_length=1, max_length=600)]


class Card(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The shape of every table of a card.

    An unknown key is an error, so that a misspelt rule is not a silent one.
    """


class Fact(Card, Generic[T], frozen=True, kw_only=True):
    """A value of a product and the rules it comes from.

    No value means that the source is silent.
    """

    value: T | None = None
    rules: tuple[RuleId, ...] = ()
    note: str = ""

    @property
    def is_documented(self) -> bool:
        """Whether the source gives a value."""
        return self.value is not None

    def __str__(self) -> str:
        return NOT_DOCUMENTED if self.value is None else str(self.value)


class Source(Card, frozen=True, kw_only=True):
    """The document a card was made from.

    Attributes:
        file: Its name among the source documents.
        title: Its own title, with the article number where it has one.
        kind: What it is: a vendor's article, a mirror, somebody else's text. Says how much to
            trust it.
        dated: When the document says it was written or updated; empty where it does not.
        checked_on: When somebody last held the card against the document.
    """

    file: Words
    title: Words
    kind: Words
    dated: str = ""
    checked_on: Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\d$")]


class Rule(Card, frozen=True, kw_only=True):
    """One numbered statement of the source, in our words."""

    id: RuleId
    says: Words


class Codes(Card, frozen=True, kw_only=True):
    """What a code of this product is like.

    Attributes:
        name: What the product calls it: access code, verification code, one-time code.
        alphabet: `digits`, or `digits-and-letters`: neither input nor advice may then reject
            letters.
        life_s: Seconds from the send until it dies unused.
        resend_wait_s: Seconds to wait before asking for another.
        newest_only: Whether a newer code voids the older ones.
        goes_to: Whose address or device the code is sent to.
        shared: Whether several people read the same mailbox (a colleague may have used the code).
        keep_secret: What the source says about keeping codes.
    """

    name: Fact[Words]
    alphabet: Fact[Literal["digits", "digits-and-letters"]] = Fact()
    life_s: Fact[Annotated[int, Meta(gt=0)]] = Fact()
    resend_wait_s: Fact[Annotated[int, Meta(gt=0)]] = Fact()
    newest_only: Fact[bool] = Fact()
    attempts: Fact[Annotated[int, Meta(gt=0)]] = Fact()
    lock_s: Fact[Annotated[int, Meta(gt=0)]] = Fact()
    goes_to: Fact[
        Literal["login-address-or-mobile", "notification-address", "own-device", "mobile"]
    ]
    shared: Fact[bool] = Fact()
    keep_secret: Fact[Words] = Fact()


class Asked(Card, frozen=True, kw_only=True):
    """One rule by which the product asks for a second proof.

    Attributes:
        rule: The case format's word for it: `every-login`, `new-ip`, `export` …
        when: In words for the customer.
        mode: Which mode of the account it belongs to, where a product has two (S0.8, S0.21):
            `mfa-on` while MFA is on for the account, `device-check` while it is not. Empty where
            MFA has to be on.
    """

    rule: Slug
    when: Words
    rules: tuple[RuleId, ...]
    mode: Literal["", "mfa-on", "device-check"] = ""


class FactorRule(Card, frozen=True, kw_only=True):
    """A factor kind the product knows, and its own name for it."""

    kind: FactorKind
    name: Words
    rules: tuple[RuleId, ...]
    voice: VoiceWay | None = None


class Memory(Card, frozen=True, kw_only=True):
    """What the product remembers so as not to ask again, and for whom.

    Device, browser and place of one user (S0.10 to S0.13), or an address of the account (S3.4).
    """

    by: Fact[Words] = Fact()
    unit: Fact[Literal["user", "account"]] = Fact()
    lasts: Fact[Words] = Fact()


class Mandatory(StrEnum):
    """Whether a user of the product must have a second proof."""

    REQUIRED = "required"
    OPTIONAL = "optional"


class Route(Card, frozen=True, kw_only=True):
    """Who can help when this desk cannot, and how one reaches them.

    Attributes:
        id: Its name in `[acts.*].route`.
        to: Who: `ActiveCampaign Partner team`.
        how: The way there: form, contact reason, menu path, article.
        say: What to tell the customer, with `{administrators}` or `{manager}` where a name belongs.
    """

    id: Slug
    to: Words
    how: Words
    say: Words
    rules: tuple[RuleId, ...] = ()
    steps: tuple[Words, ...] = ()


class Act(Card, frozen=True, kw_only=True):
    """Who may do one act in this product.

    Attributes:
        who: The desk roles that may; empty means nobody at any desk.
        documented: Whether the source says so. Where it is false the desk's own rule stands, and
            the screen says so.
        why: Said when an agent is refused, in the product's words.
        instead: What to do instead.
        first: Said before the act is allowed: what should be tried before it.
        route: The route to take instead.
        again: The route to take when it was done once and the user still cannot log in; None where
            it may be repeated.
        rules: Where it comes from.
    """

    who: tuple[Role, ...] = ()
    documented: bool = True
    why: Words
    instead: str = ""
    first: str = ""
    route: Slug | None = None
    again: Slug | None = None
    rules: tuple[RuleId, ...] = ()


class Advice(Card, frozen=True, kw_only=True):
    """What the source advises for one complaint, in its order."""

    complaint: Complaint
    steps: tuple[Words, ...]
    rules: tuple[RuleId, ...]


class Article(Card, frozen=True, kw_only=True):
    """A page of the product to send to the customer."""

    title: Words
    about: Words
    url: str = ""
    rules: tuple[RuleId, ...] = ()


class RoleRule(Card, frozen=True, kw_only=True):
    """A kind of user the product knows.

    Attributes:
        has_mfa: False for those the product never asks (S1.29).
        administers: Whether they may reset others.
    """

    role: Slug
    name: Words
    has_mfa: bool = True
    administers: bool = False
    rules: tuple[RuleId, ...] = ()


class Product(Card, frozen=True, kw_only=True):
    """One product: its card.

    Attributes:
        synonyms: Other words for its second proof, found by the search.
        landing: The page a good login ends on, to be opened directly in a loop.
        login_steps: The way in, step by step, in words for the customer; `login_rules` say where
            it stands.
        acts: By the act's name on the command line. A product act that is missing here is refused:
            silence opens no door.
    """

    id: Slug
    name: Words
    short: Annotated[str, Meta(min_length=1, max_length=14)]
    vendor: Words
    source: Source
    mandatory: Fact[Mandatory]
    introduced: Fact[Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\d$")]] = Fact()
    synonyms: tuple[str, ...] = ()
    codes: Codes
    memory: Memory = Memory()
    asked: tuple[Asked, ...]
    factors: tuple[FactorRule, ...]
    roles: tuple[RoleRule, ...] = ()
    landing: Fact[str] = Fact()
    login_steps: tuple[Words, ...] = ()
    login_rules: tuple[RuleId, ...] = ()
    acts: dict[Slug, Act]
    routes: tuple[Route, ...]
    advice: tuple[Advice, ...] = ()
    articles: tuple[Article, ...] = ()
    rules: tuple[Rule, ...]

    @property
    def names(self) -> str:
        """Everything the product is called, in one text, for `product:` in a search."""
        return " ".join((self.id, self.name, self.short, self.vendor, *self.synonyms))

    def route(self, route_id: str | None) -> Route | None:
        """The route with this id, or None."""
        return next((route for route in self.routes if route.id == route_id), None)

    def factor(self, kind: FactorKind) -> FactorRule | None:
        """What the card says of a factor kind; None where the product does not have it."""
        return next((factor for factor in self.factors if factor.kind is kind), None)

    def role(self, role: str) -> RoleRule | None:
        """What the card says of a kind of user, or None."""
        return next((rule for rule in self.roles if rule.role == role), None)

    def asked_by(self, rule: str) -> Asked | None:
        """What the card says of the rule that a challenge names, or None."""
        return next((asked for asked in self.asked if asked.rule == rule), None)

    def asked_while(self, mfa: MfaState) -> tuple[Asked, ...]:
        """By which rules a user in this state is asked, in the card's order.

        A product with a device check asks while MFA is off too (S0.8 against S0.21).
        """
        modes = {MfaState.ON: {"", "mfa-on"}, MfaState.NONE: set[str]()}
        return tuple(a for a in self.asked if a.mode in modes.get(mfa, {"device-check"}))

    def advice_for(self, complaint: Complaint | None) -> Advice | None:
        """What the source advises for a complaint, or None where it says nothing."""
        return next((advice for advice in self.advice if advice.complaint is complaint), None)

    def cited(self, rules: tuple[str, ...]) -> str:
        """Where a rule comes from, as the screen says it: `S1.30, 001_….txt`.

        Empty for no rules.
        """
        return f"{', '.join(rules)} · {self.source.file}" if rules else ""


Path = tuple[str | int, ...]
"""The keys and indices that lead to a value of a card: `("acts", "reset-all", "route")`."""


def faults(card: Product) -> list[tuple[Path, str]]:
    """Return what is wrong with a card beyond its types.

    Pairs of (the path of the value, the reason), in no order that matters.
    """
    known = {rule.id for rule in card.rules}
    return [
        *_doubled("rules", "id", tuple(rule.id for rule in card.rules)),
        *_doubled("routes", "id", tuple(route.id for route in card.routes)),
        *_doubled("roles", "role", tuple(role.role for role in card.roles)),
        *_doubled("factors", "kind", tuple(factor.kind.value for factor in card.factors)),
        *_doubled("advice", "complaint", tuple(piece.complaint.value for piece in card.advice)),
        *(
            ((*path, "rules", index), f"rule {rule} is cited but is not among [[rules]]")
            for path, part in _parts(card)
            for index, rule in enumerate(_cited(part))
            if rule not in known
        ),
        *(
            (("login_rules", index), f"rule {rule} is cited but is not among [[rules]]")
            for index, rule in enumerate(card.login_rules)
            if rule not in known
        ),
        *_act_faults(card),
        *(
            (path, "has a character that is invisible or steers the terminal")
            for path, part in _parts(card)
            if isinstance(part, str) and clean(part) != unicodedata.normalize("NFC", part)
        ),
    ]


def _act_faults(card: Product) -> Iterator[tuple[Path, str]]:
    for name, act in card.acts.items():
        if name not in ACTIONS:
            yield ("acts", name), f"{name!r} is no act of this desk"
        for key, route in (("route", act.route), ("again", act.again)):
            if route is not None and card.route(route) is None:
                yield (
                    ("acts", name, key),
                    f"route {route!r} of act {name!r} is not among [[routes]]",
                )


def _doubled(table: str, key: str, values: tuple[str, ...]) -> Iterator[tuple[Path, str]]:
    for index, value in enumerate(values):
        if value in values[:index]:
            yield (table, index, key), f"{value} stands twice in [[{table}]]"


def _cited(part: object) -> tuple[str, ...]:
    """The rules a table of a card cites; the card's own `rules` are the rules themselves."""
    if isinstance(part, Struct) and not isinstance(part, Product):
        return tuple(getattr(part, "rules", ()))
    return ()


def _parts(part: object, path: Path = ()) -> Iterator[tuple[Path, object]]:
    """Give every value of a card with its path, tables before what is in them."""
    yield path, part
    if isinstance(part, Struct):
        for name in part.__struct_fields__:
            yield from _parts(getattr(part, name), (*path, name))
    elif isinstance(part, dict):
        for key, value in part.items():
            yield from _parts(value, (*path, key))
    elif isinstance(part, tuple):
        for index, value in enumerate(part):
            yield from _parts(value, (*path, index))
