"""Does an act apply to what is there? Which factors it can be about, and why it cannot."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from helpdesk.domain.actions import AnyAction, EnrolTotp, FactorAction, TemporaryPass
from helpdesk.domain.products import Product
from helpdesk.domain.text import clean
from helpdesk.domain.users import Factor, FactorKind, FactorState, MfaState

if TYPE_CHECKING:
    from helpdesk.domain.cases import Case

NOTHING_SENT = "Nothing is ever sent for an authenticator app: the code is made on the phone."
NO_CODE = "A passkey has no code: the device itself answers the page that asks."


def fitting_factors(action: AnyAction, card: Product, case: Case) -> tuple[Factor, ...]:
    """Return the factors an action can be about, the likeliest first.

    The one the last challenge asked for.
    """
    fits = _FITS.get(action.name, _none_fits)
    last = next((line.factor for line in reversed(case.challenges) if line.factor), "")
    found = [
        f
        for f in case.user.factors
        if fits(f) and (card.factor(f.kind) or action.name != "send-code")
    ]
    return tuple(sorted(found, key=lambda factor: last not in {factor.id, factor.kind.value}))


def factor_of(action: AnyAction) -> str:
    """Return the factor an action names, or an empty text."""
    if isinstance(action, TemporaryPass):
        return action.lost
    return action.factor if isinstance(action, FactorAction) else ""


def why_unfit(action: AnyAction, card: Product, case: Case, now: datetime) -> str:
    """Return why an act does not apply to what is there; empty where it does."""
    why = _UNFIT[action.name](action, card, case, now) if action.name in _UNFIT else ""
    if not why and action.name in _NO_FACTOR and not fitting_factors(action, card, case):
        why = _no_factor(action, case)
    if not why and factor_of(action):
        why = _unfit_factor(action, card, case)
    return why


def _no_factor(action: AnyAction, case: Case) -> str:
    kinds = {factor.kind for factor in case.user.live_factors}
    if action.name == "send-code" and kinds == {FactorKind.PASSKEY}:
        return f"No active factor takes a sent code. {NO_CODE}"
    return _NO_FACTOR[action.name]


def _unfit_factor(action: AnyAction, card: Product, case: Case) -> str:
    wanted = factor_of(action)
    if any(factor.id == wanted for factor in fitting_factors(action, card, case)):
        return ""
    factor = case.user.factor(wanted)
    if factor is None:
        have = ", ".join(clean(f.id) for f in case.user.live_factors) or "none"
        return f"This user has no factor {clean(wanted)}; there is {have}."
    if action.name == "send-code" and factor.kind is FactorKind.PASSKEY:
        return f"{NO_CODE} Nothing is sent for it."
    if action.name == "send-code" and not factor.kind.is_sent:
        return f"{NOTHING_SENT} Open the app and read it there."
    return f"{action.title} does not fit a factor that is {factor.state.value}."


def _unfit_send(action: AnyAction, card: Product, case: Case, now: datetime) -> str:
    if not card.asked_while(case.user.mfa):
        return "MFA is not on for this user, so no code is asked for."
    if case.user.is_locked(now):
        return "The user is locked: a code would be refused. Unlock first."
    return ""


def _unfit_turn_on(action: AnyAction, card: Product, case: Case, now: datetime) -> str:
    if case.user.mfa is MfaState.ON:
        return "MFA is on already."
    return ""


def _unfit_turn_off(action: AnyAction, card: Product, case: Case, now: datetime) -> str:
    if case.user.mfa in {MfaState.OFF, MfaState.PENDING}:
        return "MFA is off already."
    return ""


def _unfit_unlock(action: AnyAction, card: Product, case: Case, now: datetime) -> str:
    has_failures = any(factor.failures for factor in case.user.factors)
    return "" if case.user.is_locked(now) or has_failures else "Nothing is locked."


def _unfit_reset_all(action: AnyAction, card: Product, case: Case, now: datetime) -> str:
    return (
        ""
        if case.user.live_factors
        else "There is no factor to reset: the user enrols at the next login."
    )


def _unfit_enrol(action: AnyAction, card: Product, case: Case, now: datetime) -> str:
    is_pending = any(
        f.kind is FactorKind.TOTP and f.state is FactorState.PENDING for f in case.user.factors
    )
    if isinstance(action, EnrolTotp) and action.code and not is_pending:
        return "No enrolment is waiting for its first code: begin anew without one."
    return ""


def _none_fits(factor: Factor) -> bool:
    return False


Unfit = Callable[[AnyAction, Product, "Case", datetime], str]

_UNFIT: dict[str, Unfit] = {
    "send-code": _unfit_send,
    "turn-on-mfa": _unfit_turn_on,
    "turn-off-mfa": _unfit_turn_off,
    "unlock": _unfit_unlock,
    "reset-all": _unfit_reset_all,
    "enrol-totp": _unfit_enrol,
}
"""By act: why it does not apply to what is there; empty where it does."""

_FITS: dict[str, Callable[[Factor], bool]] = {
    "send-code": lambda f: f.kind.is_sent and f.state in {FactorState.ACTIVE, FactorState.PENDING},
    "reset-factor": lambda f: f.state is not FactorState.REMOVED,
    "suspend-factor": lambda f: f.state is FactorState.ACTIVE,
    "resume-factor": lambda f: f.state is FactorState.SUSPENDED,
    "temporary-pass": lambda f: f.state in {FactorState.ACTIVE, FactorState.LOCKED},
}
"""By act: which factors it can be about."""

_NO_FACTOR = {
    "send-code": f"No active factor takes a sent code. {NOTHING_SENT}",
    "reset-factor": "There is no factor to reset: the user enrols at the next login.",
    "suspend-factor": "No factor is active.",
    "resume-factor": "No factor is suspended.",
}
