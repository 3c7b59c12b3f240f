"""What an act will do, said before it is done.

What goes, what stays, who is signed out, who is told, what then.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from msgspec.structs import replace

from helpdesk.domain.actions import (
    AnyAction,
    ChangeAddress,
    ChangeMobile,
    EndSessions,
    EnrolTotp,
    Note,
    ResetAll,
    ResetFactor,
    ResumeFactor,
    Route,
    SendCode,
    SuspendFactor,
    TemporaryPass,
    TurnOffMfa,
    TurnOnMfa,
    Unlock,
)
from helpdesk.domain.cases import Case, Preview
from helpdesk.domain.codes import has_bounced
from helpdesk.domain.diagnosis.verdicts import Verdict
from helpdesk.domain.lacks import lack_of
from helpdesk.domain.notices import Notice, is_told, told_line
from helpdesk.domain.policies import factor_of, fitting_factors, named
from helpdesk.domain.products import Product
from helpdesk.domain.text import NOT_DOCUMENTED, clean, counted, mask
from helpdesk.domain.users import Factor, FactorKind, VoiceWay

PASS_LIFE_S = 3_600
"""How long a temporary pass lives.

One hour, the default of Microsoft Entra's Temporary Access Pass.
"""

LOST_LIFE_S = 259_200
"""How long the password for a lost factor holds.

Three days, our own measure: until there is a new device, and not much longer.
"""

NOBODY = "Nobody is told by this desk; tell the customer yourself."
KEPT = "Open sessions stay: whether the product ends them is not documented. End sessions does."


def preview(
    action: AnyAction,
    card: Product,
    case: Case,
    earlier: Sequence[Notice] = (),
    verdict: Verdict | None = None,
) -> Preview:
    """Return exactly what *action* would do to *case*, which is whole.

    Empty for an act that changes nothing for the user. *earlier* are the notices there are: whoever
    was told lately is told again. *verdict* says what would be of no use.
    """
    against = verdict.will_not_help if verdict else ()
    vain = next((no.why for no in against if no.act == action.name), "")
    found = replace(_preview(action, card, case), vain=vain)
    if not is_told(action):
        return found
    told = told_line(case.user, action, earlier, case.timeline, case.at)
    return replace(found, told=f"{found.told} {told}".strip())


def _preview(action: AnyAction, card: Product, case: Case) -> Preview:
    match action:
        case SendCode():
            return _send(action, card, case)
        case ResetFactor():
            factor = _chosen(action, card, case)
            return _reset((factor,) if factor else (), card, case)
        case ResetAll():
            return _reset(case.user.live_factors, card, case)
        case Note(bundle=True):
            who = "Everybody who works with that ticket can read it; the customer cannot."
            on = f"ticket #{clean(action.ticket).lstrip('#')}" if action.ticket else "the ticket"
            return Preview(then=f"The masked case bundle becomes a comment on {on}. {who}")
        case TurnOffMfa() | TurnOnMfa():
            return _switch(action, card, case)
        case ChangeAddress() | ChangeMobile():
            return _move(action, card, case)
        case _:
            return _small(action, card, case)


def factor_line(factor: Factor, card: Product) -> str:
    """Return a factor in words with its destination masked.

    `SMS •••• 21, active since 2025-11-02`.
    """
    rule = card.factor(factor.kind)
    to = f" {clean(mask(factor.to))}" if factor.to else ""
    since = f" since {factor.since:%Y-%m-%d}" if factor.since else ""
    return f"{rule.name if rule else factor.kind.words}{to}, {factor.state.value}{since}"


def _chosen(action: AnyAction, card: Product, case: Case) -> Factor | None:
    wanted = factor_of(action)
    return next(
        (f for f in fitting_factors(action, card, case) if not wanted or f.id == wanted), None
    )


def _send(action: SendCode, card: Product, case: Case) -> Preview:
    factor = _chosen(action, card, case)
    life_s = card.codes.life_s.value
    life = f"It lives {_span(life_s)}." if life_s else f"How long it lives is {NOT_DOCUMENTED}."
    live = case.codes.live
    if live is None:
        older = "No earlier code is live."
    elif case.codes.voids:
        older = f"The code of {live.at:%H:%M} is void from then on."
    else:
        older = f"Whether the code of {live.at:%H:%M} still works is {NOT_DOCUMENTED}."
    return Preview(
        goes=(older, *([LIFTED] if lifts_bounce(factor, case) else [])),
        stays=("All factors stay as they are.",),
        told=f"The code goes to {factor_line(factor, card)}." if factor else "",
        then=" ".join(
            part for part in (life, _use(factor, card), card.codes.resend_wait_s.note) if part
        ),
    )


LIFTED = "Mail to this user came back: the provider is asked to send to the address again."


def lifts_bounce(factor: Factor | None, case: Case) -> bool:
    """Whether a code to a factor begins with lifting what keeps mail from its address."""
    is_mail = factor is not None and factor.kind is FactorKind.EMAIL
    return is_mail and has_bounced(case.timeline) and lack_of(case.lacks, "lift-bounce") is None


def _span(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    return counted(seconds, "second") if rest or not minutes else counted(minutes, "minute")


def _use(factor: Factor | None, card: Product) -> str:
    """What the customer does with what was sent."""
    if factor and factor.kind is FactorKind.PUSH:
        return "The customer approves it on the device."
    rule = card.factor(factor.kind) if factor else None
    way = (factor.voice if factor else None) or (rule.voice if rule else None)
    if way is VoiceWay.CONFIRM:
        return "The customer answers the call and confirms."
    return "The customer types it in the box that is waiting; you never see it."


def _reset(factors: tuple[Factor, ...], card: Product, case: Case) -> Preview:
    ids = {factor.id for factor in factors}
    stays = [factor_line(f, card) for f in case.user.live_factors if f.id not in ids]
    return Preview(
        goes=tuple(factor_line(factor, card) for factor in factors),
        stays=(*stays, "Password and account data"),
        signed_out=KEPT,
        then="The customer chooses a method at the next login."
        if not stays
        else "The customer may enrol it anew.",
    )


def _switch(action: TurnOffMfa | TurnOnMfa, card: Product, case: Case) -> Preview:
    if isinstance(action, TurnOffMfa):
        asked = " ".join(rule.when for rule in card.asked)
        return Preview(
            goes=(
                "The second proof: from then on the password alone lets in.",
                f"No longer asked: {asked}",
            ),
            stays=(
                *(factor_line(f, card) for f in case.user.live_factors),
                "Password and account data",
            ),
            signed_out=KEPT,
            then=f"On {clean(action.until)} it is in your queue again."
            if action.until
            else "No day is set on which to turn it on again (until).",
        )
    number = clean(mask(action.mobile or case.user.mobile or ""))
    if not action.save:
        return Preview(
            goes=(f"The mobile number becomes {number}.",) if action.mobile else (),
            stays=("MFA stays off until it is saved as a step of its own.",),
            told=f"An SMS goes to {number} to confirm the number; it is not a login code.",
            then="When the customer has it, save.",
        )
    return Preview(
        goes=("The login by password alone.",),
        signed_out=KEPT,
        then=" ".join(rule.when for rule in card.asked),
    )


def _move(action: ChangeAddress | ChangeMobile, card: Product, case: Case) -> Preview:
    if isinstance(action, ChangeAddress):
        old, new = case.user.notification_address, action.address
        told = ""
    else:
        old, new = case.user.mobile, action.mobile
        to = clean(mask(new)) or "the new number"
        told = f"An SMS goes to {to} to confirm the change; it is not a login code."
    shared = card.codes.shared.value and isinstance(action, ChangeAddress)
    return Preview(
        goes=(f"{clean(mask(old)) if old else 'Nothing on record'} no longer gets codes.",),
        stays=(
            "Password, login address and sessions",
            *(("Others who read that mailbox no longer see codes.",) if shared else ()),
        ),
        signed_out="Nobody.",
        told=told,
        then=f"The next code goes to {clean(mask(new)) or 'the new one'}.",
    )


def _small(action: AnyAction, card: Product, case: Case) -> Preview:
    factor = _chosen(action, card, case)
    line = factor_line(factor, card) if factor else ""
    match action:
        case Unlock():
            return Preview(
                goes=("The lock and the count of failures.",), stays=("All factors",), told=NOBODY
            )
        case EndSessions():
            user = case.user
            return Preview(
                goes=(
                    f"Open sessions: {user.sessions}",
                    f"Remembered browsers or addresses: {user.remembered}",
                ),
                stays=("Password and all factors",),
                signed_out="Everybody who is in as this user.",
                told=NOBODY,
                then="The customer logs in anew and is asked for a code.",
            )
        case SuspendFactor():
            return Preview(
                goes=(f"{line} lets nobody in until it is resumed.",),
                stays=("Everything else",),
            )
        case ResumeFactor():
            return Preview(goes=(f"{line} lets in again.",), stays=("Everything else",))
        case TemporaryPass(lost=str(lost)) if lost:
            until = case.at + timedelta(seconds=LOST_LIFE_S)
            rest = (factor_line(f, card) for f in case.user.live_factors if f is not factor)
            return Preview(
                goes=(
                    f"{line} is disabled: it lets nobody in until it is resumed.",
                    f"A password takes its place until {until:%Y-%m-%d %H:%M} UTC.",
                ),
                stays=(*rest, "Password and account data"),
                then="Read it out once; it is kept nowhere. It may be used more than once.",
            )
        case TemporaryPass():
            return Preview(
                goes=("One way in without the second proof, once, for one hour.",),
                stays=("All factors",),
                then="Read it out once; it is kept nowhere.",
            )
        case EnrolTotp():
            return Preview(
                goes=("A new authenticator entry.",),
                stays=("All other factors",),
                then="Its first code is checked.",
            )
        case Route(to=to):
            route = card.route(to) or (card.routes[0] if card.routes else None)
            if route is None:
                return Preview()
            steps = tuple(f"{n}. {named(step, case)}" for n, step in enumerate(route.steps, 1))
            return Preview(
                goes=(f"{named(route.to, case)}: {named(route.how, case)}", *steps),
                then=named(route.say, case),
            )
    return Preview()
