"""One story a cause, in Okta's own vocabulary, and why no story can be told of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from helpdesk.connectors.okta.events import timeline_of
from helpdesk.domain.diagnosis import Verdict, diagnose
from helpdesk.domain.tickets import Complaint
from helpdesk.domain.users import FactorKind
from tests.connectors.okta.system_log import (
    ADMIN,
    CHROME,
    DAY,
    FIREFOX,
    HOME,
    HOTEL,
    LOGIN,
    THIEF,
    USER,
    Row,
    answered,
    asked,
    log,
    opened,
    passed,
    password,
    quiet,
    refused,
    send,
    settled,
    started,
    unasked,
)
from tests.factories import CARDS, MOBILE, NOW, factor, user

NEW = ("New Device",)


@dataclass(frozen=True)
class Story:
    """What happened, told in System Log rows."""

    complaint: Complaint | None
    rows: Sequence[Row]
    factor: FactorKind | None = FactorKind.SMS
    product: str = "constant-contact"
    mailbox: str = LOGIN

    @property
    def verdict(self) -> Verdict:
        """What the engine says of what the translation makes of it."""
        person = user(
            self.product,
            id=USER,
            login=LOGIN,
            mobile=MOBILE,
            notification_address=self.mailbox,
            factors=(factor(self.factor),) if self.factor else (),
        )
        return diagnose(
            CARDS[self.product],
            person,
            timeline_of(self.rows, USER),
            NOW,
            complaint=self.complaint,
            cards=CARDS.values(),
        )


def rows(*parts: Any) -> list[Row]:
    """Rows and runs of rows, in one list."""
    return [row for part in parts for row in ([part] if isinstance(part, dict) else part)]


def pushes(count: int, **where: Any) -> list[Row]:
    """Push after push, each declined."""
    return rows(
        *(
            (
                *asked(30 - 3 * n, f"p{n}", "push", **where),
                answered(
                    29 - 3 * n, f"p{n}", "push", "FAILURE", None,
                    pushOnlyResponseType="OV_RESPONSE_DENY", **where,
                ),
            )
            for n in range(count)
        )
    )  # fmt: skip


def delivery(minutes: float, session: str, sent: float, words: str) -> Row:
    """What the carrier says of an SMS."""
    return log(
        minutes, "system.sms.receive_status", session=session, actor="system",
        transactionId=f"carrier-{session}-{sent}", providerStatus=words,
    )  # fmt: skip


def mail(minutes: float, reason: str) -> Row:
    """What the mail provider says of a mail."""
    return log(
        minutes, "system.email.delivery", "SUCCESS", reason, actor="system", providerMessage=reason
    )


def mailed(minutes: float, session: str) -> list[Row]:
    """A login that asks by mail."""
    return rows(settled("email"), asked(minutes, session, "email"))


KEEPS, NO_CODE, REFUSED = Complaint.KEEPS_ASKING, Complaint.NO_CODE, Complaint.CODE_REFUSED

STORIES: Mapping[str, Story] = {
    "A1": Story(KEEPS, rows(settled(), passed(20, "s1"))),
    "A2": Story(
        KEEPS, rows(quiet(), passed(20, "s1", ip=HOTEL, city="York", new=("New IP", "New City")))
    ),
    "A3": Story(KEEPS, rows(quiet(), passed(20, "s1", browser="dt2", agent=CHROME, new=NEW))),
    "A7": Story(
        KEEPS,
        rows(
            quiet(),
            passed(5 * DAY, "s0"),
            passed(20, "s1", browser="dt2", agent=FIREFOX.replace("128", "129"), new=NEW),
        ),
    ),
    "B1": Story(
        KEEPS,
        rows(
            *(unasked(n * DAY, f"q{n}") for n in (9, 10, 11)),
            *(passed(20 + 180 * n, f"s{n}", browser=f"dt9{n}", new=NEW) for n in range(5)),
        ),
    ),
    "B2": Story(
        KEEPS,
        rows(
            *(passed(20 + 180 * n, f"s{n}", browser=f"dt9{n}", new=NEW) for n in range(5)),
            *(unasked(110 + 180 * n, f"q{n}") for n in range(4)),
            quiet(),
        ),
    ),
    "B3": Story(
        KEEPS,
        rows(quiet(), *(passed(60 - 8 * n, f"s{n}", browser=f"dt9{n}", new=NEW) for n in range(4))),
    ),
    "B4": Story(
        KEEPS,
        rows(
            settled(),
            passed(5 * DAY, "s0", browser="dt2", agent=CHROME),
            *(
                passed(50 - 8 * n, f"s{n}", **({}, {"browser": "dt2", "agent": CHROME})[n % 2])
                for n in range(5)
            ),
        ),
    ),
    "B5": Story(
        KEEPS,
        rows(
            quiet(),
            *(
                passed(
                    50 - 8 * n, f"s{n}", ip=(HOTEL, HOME)[n % 2], new=("New IP",), proxy=n % 2 == 0
                )
                for n in range(4)
            ),
        ),
    ),
    "C1": Story(
        NO_CODE,
        rows(mailed(9, "s1"), mail(8.7, "delivered")),
        FactorKind.EMAIL,
        "activecampaign",
        "office@agency.example",
    ),
    "C2": Story(
        NO_CODE, rows(mailed(9, "s1"), mail(8.7, "delivered")), FactorKind.EMAIL, "activecampaign"
    ),
    "C3": Story(
        NO_CODE, rows(mailed(4, "s1"), mail(3.7, "deferred")), FactorKind.EMAIL, "activecampaign"
    ),
    "C4": Story(
        NO_CODE, rows(mailed(9, "s1"), mail(8.7, "bounced")), FactorKind.EMAIL, "activecampaign"
    ),
    "C5": Story(
        NO_CODE,
        rows(settled("email"), *asked(9, "s1", "totp"), send(8.8, "s1", "email", "DENY")),
        FactorKind.EMAIL,
        "activecampaign",
    ),
    "C6": Story(NO_CODE, rows(settled(), asked(9, "s1"), delivery(8.5, "s1", 8.8, "Sms Failed"))),
    "C7": Story(
        NO_CODE,
        rows(
            settled(),
            log(60, "user.account.update_profile", changedAttributes="mobilePhone"),
            asked(9, "s1"),
        ),
    ),
    "C8": Story(NO_CODE, rows(settled("push"), asked(9, "s1", "push")), FactorKind.PUSH),
    "C10": Story(
        NO_CODE,
        rows(
            settled(),
            asked(9, "s1"),
            *(
                log(
                    8 - n / 3, "system.operation.rate_limit.violation", "DENY", session="s1",
                    operationRateLimitType="sms_factor_verify",
                    operationRateLimitSubtype="phone", operationRateLimitSecondsToReset="30",
                )
                for n in range(3)
            ),
        ),
    ),
    "C11": Story(
        NO_CODE, rows(settled(), *(password(9 - n, f"s{n}", ok=False) for n in range(3)))
    ),
    "C12": Story(
        NO_CODE, rows(settled("totp"), asked(9, "s1", "totp")),
        FactorKind.TOTP,
    ),
    "D1": Story(
        REFUSED,
        rows(
            mailed(20, "s1"),
            log(
                8, "system.email.challenge_factor_redeemed", "FAILURE", "Token expired",
                session="s1",
            ),
        ),
        FactorKind.EMAIL,
        "activecampaign",
    ),
    "D2": Story(
        REFUSED, rows(settled(), asked(9, "s1"), send(6, "s1", "sms"), refused(5.7, "s1"))
    ),
    "D3": Story(
        REFUSED, rows(settled(), asked(9, "s1"), refused(8, "s1"), answered(7.6, "s1"))
    ),
    "D4": Story(
        REFUSED,
        rows(
            settled("totp"),
            asked(9, "s1", "totp"),
            *(
                answered(8 - n, "s1", "totp", "FAILURE", "TIME_WINDOW_EXCEEDED")
                for n in range(3)
            ),
        ),
        FactorKind.TOTP,
    ),
    "D5": Story(
        REFUSED,
        rows(
            settled("totp"),
            log(90, "user.mfa.factor.activate", factor="OKTA_SOFT_TOKEN"),
            asked(9, "s1", "totp"),
            *(refused(8 - n, "s1", "totp") for n in range(4)),
        ),
        FactorKind.TOTP,
    ),
    "D6": Story(
        REFUSED,
        rows(
            settled("totp"),
            passed(9, "s1", "totp"),
            asked(8.2, "s2", "totp"),
            answered(8, "s2", "totp", "FAILURE", "PASSCODE_REPLAYED"),
        ),
        FactorKind.TOTP,
    ),
    "D8": Story(
        REFUSED,
        rows(
            mailed(9, "s1"),
            log(
                8.7, "system.email.challenge_factor_redeemed", session="s1", ip=HOTEL,
                browser=None, city="Dublin", action="link clicked",
            ),
            refused(8, "s1", "email"),
        ),
        FactorKind.EMAIL,
        "activecampaign",
    ),
    "D9": Story(
        REFUSED,
        rows(
            settled(),
            asked(30, "s1"),
            *(refused(29 - n, "s1") for n in range(5)),
            log(24, "user.account.lock", "SUCCESS", "LOCKED_OUT", session="s1"),
            asked(9, "s2"),
            answered(8, "s2", "sms", "FAILURE", "LOCKED_OUT"),
        ),
    ),
    "D10": Story(
        Complaint.LOCKED,
        rows(
            *(
                (
                    *asked(n * DAY, f"f{n}"),
                    refused(n * DAY - 1, f"f{n}"),
                    refused(n * DAY - 2, f"f{n}"),
                )
                for n in (2, 3, 4, 5)
            ),
            asked(30, "s1"),
            refused(29, "s1"),
            log(28, "user.account.lock", session="s1"),
        ),
    ),
    "E1": Story(
        Complaint.LOOP,
        rows(
            settled(),
            *(
                (*asked(9 - n, f"s{n}"), answered(8.5 - n, f"s{n}"), started(8.45 - n, f"s{n}"))
                for n in range(4)
            ),
        ),
    ),
    "E4": Story(
        Complaint.LOOP,
        rows(
            settled(),
            log(60, "user.mfa.factor.reset_all", actor=ADMIN),
            password(9, "s1"),
        ),
        None,
    ),
    "E5": Story(
        Complaint.LOCKED,
        rows(
            settled(),
            log(60, "user.mfa.factor.reset_all", actor=ADMIN),
            password(9, "s1"),
            log(8.9, "policy.evaluate_sign_on", "DENY", "Sign-on policy: access denied",
                session="s1"),
            password(5, "s2"),
            log(4.9, "policy.evaluate_sign_on", "DENY", "Sign-on policy: access denied",
                session="s2"),
        ),
    ),
    "F1": Story(
        Complaint.UNASKED_CODES,
        rows(settled(), asked(9, "s1", ip=THIEF, browser="dt66", agent=CHROME, city="Riga",
                              new=("New Device", "New Country"))),
    ),
    "F2": Story(
        Complaint.UNASKED_CODES,
        rows(
            settled("push"),
            pushes(6, ip=THIEF, browser="dt66", city="Riga"),
            log(8, "user.account.report_suspicious_activity_by_enduser"),
        ),
        FactorKind.PUSH,
    ),
    "F3": Story(
        Complaint.LOST_FACTOR,
        rows(
            settled(),
            log(50, "user.account.update_profile", changedAttributes="mobilePhone", ip=THIEF,
                browser="dt66", city="Riga"),
            *(password(40 - n, f"s{n}", ok=False, ip=THIEF, browser="dt66", city="Riga")
              for n in range(3)),
        ),
    ),
    "F4": Story(
        None,
        rows(
            settled(),
            log(90, "user.mfa.factor.update", factor="SMS_FACTOR", ip=THIEF, browser="dt66",
                city="Riga"),
            passed(60, "s1", ip=THIEF, browser="dt66", city="Riga", agent=CHROME, new=NEW),
            opened(50, "s1", ip=THIEF, browser="dt66", city="Riga", agent=CHROME),
        ),
    ),
}  # fmt: skip
"""By cause: a log in which Okta's own events show it."""

UNSEEN: Mapping[str, str] = {
    "A4": "no event says how long a browser is remembered",
    "A5": "what is done inside an app is in the app's own log",
    "A6": "an event names a policy, not how long its sessions live",
    "B6": "a line that breaks leaves no event",
    "B7": "no event names the tab",
    "B8": "only the logs of many users together show it",
    "C9": "only the caller can tell",
    "C13": "a mistaken message leaves no event",
    "C14": "an enrolment that was never saved leaves no event",
    "D4b": "no event says how far a phone's clock is off",
    "D7": "no event says whose code was typed",
    "E2": "only the logs of many users together show it",
    "E3": "no event says how far a session got",
    "E6": "what a customer has elsewhere is not in this log",
}
"""By cause: why Okta's log cannot show it."""
