"""What the simulated server of each product does, and the causes that can befall it there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rules:
    """One product: how it asks, by what, and where one signs in.

    Attributes:
        modes: Ways of asking: each login, by browser, by address of the account, by policy.
        life_s: Lives of a code the server may be set to; one where the product documents it.
        doors: Pages where a password is given, in order.
        other_door: A page people take for it.
    """

    id: str
    modes: tuple[str, ...]
    factors: tuple[str, ...]
    life_s: tuple[int, ...]
    doors: tuple[str, ...]
    other_door: str
    roles: tuple[str, ...]
    odd_role: str | None = None


SILENT = (180, 300, 600, 900)

RULES = {
    rules.id: rules
    for rules in (
        Rules(
            "activecampaign",
            ("device", "every-login"),
            ("email", "sms"),
            SILENT,
            ("https://app.campaign.example/login",),
            "https://partner.example/login",
            ("admin", "user"),
        ),
        Rules(
            "partner-portal",
            ("every-login",),
            ("email",),
            (300,),
            ("https://campaign.example/partner", "https://partner.example/login"),
            "https://affiliate.example/login",
            ("agency-member", "reseller"),
            "affiliate",
        ),
        Rules(
            "constant-contact",
            ("every-login", "device"),
            ("push", "sms", "voice", "totp"),
            SILENT,
            ("https://login.email.example/",),
            "https://app.leadgen.example/login",
            ("account-owner", "user"),
        ),
        Rules(
            "sms-2fa",
            ("ip",),
            ("sms",),
            SILENT,
            ("https://login.textgate.example/",),
            "https://status.textgate.example/login",
            ("owner", "managed-user"),
        ),
        Rules(
            "lead-gen-crm",
            ("every-login",),
            ("push", "totp", "sms", "voice"),
            SILENT,
            ("https://app.leadgen.example/login",),
            "https://login.email.example/",
            ("administrator", "company-manager", "sales-manager", "salesperson"),
        ),
    )
}

AC, PP, CC, S2, LG = RULES

DOORS: dict[str, tuple[tuple[str, ...], ...]] = {
    AC: (
        RULES[AC].doors,
        ("https://acme.campaign.example/admin/login",),
        ("https://www.campaign.example/signin",),
    ),
    PP: (
        RULES[PP].doors,
        ("https://www.campaign.example/partner/", "https://www.campaign.example/partner/sign-in"),
        ("https://campaign.example/login", "https://partners.campaign.example/"),
        ("https://partner.example/login",),
    ),
    CC: (
        RULES[CC].doors,
        ("https://app.mailer.example/login",),
        ("https://identity.newsletter.example/signin",),
    ),
    S2: (RULES[S2].doors, ("https://r1.textgate.example/login.aspx",)),
    LG: (
        RULES[LG].doors,
        ("https://crm.example/sign-in",),
        ("https://app.leadcrm.example/",),
    ),
}
"""Where one signs in, as this or that log has it."""

OTHER_DOORS: dict[str, tuple[str, ...]] = {
    AC: ("https://partner.example/login", "https://partners.campaign.example/"),
    PP: (
        "https://affiliate.example/login",
        "https://affiliates.campaign.example/dashboard",
        "https://www.affiliate-dashboard.example/login",
    ),
    CC: ("https://app.leadgen.example/login", "https://crm.example/sign-in"),
    S2: ("https://status.textgate.example/login",),
    LG: ("https://login.email.example/", "https://app.mailer.example/login"),
}
"""Doors of products that people take for theirs."""

ALL = (AC, PP, CC, S2, LG)
MAIL = (AC, PP)
TEXTS = (AC, CC, S2, LG)
PHONE = (CC, LG)
"""Those with push and authenticator apps."""

WHERE: dict[str, tuple[str, ...]] = {
    "A1": (AC, PP, CC, LG),
    "A2": (AC, S2),
    "A3": (AC, CC),
    "A4": (AC, CC),
    "A5": (S2,),
    "A6": (AC, CC, LG),
    "A7": (AC, CC),
    "B1": (AC, CC),
    "B2": (AC, CC),
    "B3": (AC, CC),
    "B4": (AC, PP, CC, LG),
    "B5": (AC, S2),
    "B6": ALL,
    "B7": ALL,
    "B8": ALL,
    "C1": MAIL,
    "C2": MAIL,
    "C3": ALL,
    "C4": MAIL,
    "C5": ALL,
    "C6": TEXTS,
    "C7": TEXTS,
    "C8": PHONE,
    "C9": MAIL,
    "C10": ALL,
    "C11": ALL,
    "C12": PHONE,
    "C13": (S2,),
    "C14": (S2,),
    "D1": ALL,
    "D2": ALL,
    "D3": ALL,
    "D4": PHONE,
    "D4b": PHONE,
    "D5": PHONE,
    "D6": PHONE,
    "D7": (AC, PP),
    "D8": MAIL,
    "D9": ALL,
    "D10": ALL,
    "E1": ALL,
    "E2": ALL,
    "E3": ALL,
    "E4": PHONE,
    "E5": PHONE,
    "E6": (AC, PP, CC, LG),
    "F1": ALL,
    "F2": PHONE,
    "F3": ALL,
    "F4": ALL,
}
"""The products each cause can occur in, from what each product does."""
