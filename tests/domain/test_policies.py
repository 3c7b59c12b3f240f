"""Who may do what, in which product, and with which words it is refused."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from helpdesk.domain.actions import ACTIONS, Risk
from helpdesk.domain.agents import Role
from helpdesk.domain.cases import Case
from helpdesk.domain.decisions import Decision, Weight
from helpdesk.domain.lacks import Lack
from helpdesk.domain.policies import DESK_ACTS, decide, decide_all, is_address, is_mobile, named
from helpdesk.domain.timeline import AnyEvent
from helpdesk.domain.users import MfaState
from tests.factories import (
    CARDS,
    FIRST_FACTOR,
    NOW,
    account,
    action,
    agent,
    ago,
    case,
    event,
    factor,
    ticket,
    user,
    weigh,
)

LETTERS = {
    "S": Role.SUPPORT,
    "A": Role.ACCOUNT_MANAGER,
    "P": Role.PRODUCT_ADMINISTRATOR,
    "L": Role.LEAD,
    "T": Role.TRAINER,
    "U": Role.AUDITOR,
}
PRODUCTS = ("activecampaign", "partner-portal", "constant-contact", "sms-2fa", "lead-gen-crm")
GRID = """
                  activecampaign  partner-portal  constant-contact  sms-2fa  lead-gen-crm
send-code         SA·LT·          SA·LT·          SA·LT·            SA·LT·   SAPLT·
reset-factor      ······          ······          S··LT·            ······   ··P···
reset-all         ······          ······          S··LT·            ······   ··P···
turn-off-mfa      ······          ······          ······            ·A····   ······
turn-on-mfa       ······          ······          ······            SA·LT·   ······
change-address    ······          S··LT·          ······            ······   ······
change-mobile     ······          ······          ······            SA·LT·   ······
unlock            SA·LT·          SA·LT·          SA·LT·            SA·LT·   SAPLT·
end-sessions      SA·LT·          SA·LT·          SA·LT·            SA·LT·   SAPLT·
suspend-factor    SA·LT·          SA·LT·          SA·LT·            SA·LT·   SAPLT·
resume-factor     S··LT·          S··LT·          S··LT·            S··LT·   S·PLT·
temporary-pass    ······          ······          S··LT·            ······   ··PL··
enrol-totp        ······          ······          S··LT·            ······   ··PL··
route             SAPLT·          SAPLT·          SAPLT·            SAPLT·   SAPLT·
note              SAPLT·          SAPLT·          SAPLT·            SAPLT·   SAPLT·
take-ticket       SA·LT·          SA·LT·          SA·LT·            SA·LT·   SA·LT·
close-ticket      SA·LT·          SA·LT·          SA·LT·            SA·LT·   SA·LT·
flag              SAPLT·          SAPLT·          SAPLT·            SAPLT·   SAPLT·
reveal            SAPLT·          SAPLT·          SAPLT·            SAPLT·   SAPLT·
"""
ROWS = [line.split() for line in GRID.strip().splitlines()[1:]]
CELLS = [
    (act, product, letters)
    for act, *cells in ROWS
    for product, letters in zip(PRODUCTS, cells, strict=True)
]


def ready(product: str, act: str = "") -> Case:
    """Give a case to which every act applies: failures, a factor active and one suspended."""
    kind = FIRST_FACTOR[product]
    mfa = MfaState.OFF if act == "turn-on-mfa" else MfaState.ON
    factors = (factor(kind, "f1", failures=2), factor(kind, "f2", "suspended"))
    return case(user(product, factors=factors, mfa=mfa))


def needs(decision: Decision) -> list[str]:
    return [need.what for need in decision.needs]


def test_a_lost_factor_must_be_there_and_its_provider_able_to_replace_it() -> None:
    it = case(user("constant-contact", factors=(factor("sms", "f1"), factor("push", "f2"))))
    lack = Lack(what="lost-factor", why="This provider switches no single factor off.")

    told = [
        weigh(Role.SUPPORT, "temporary-pass", of, lost=lost)
        for of, lost in ((it, "f2"), (it, "f9"), (replace(it, lacks=(lack,)), "f2"))
    ]

    assert [each.is_refused for each in told] == [False, True, True]
    assert "no factor f9" in told[1].why
    assert told[2].why.endswith(lack.why)
    assert not weigh(Role.SUPPORT, "temporary-pass", replace(it, lacks=(lack,))).is_refused


def test_the_grid_names_every_act_once() -> None:
    assert [act for act, *_ in ROWS] == list(ACTIONS)


@pytest.mark.parametrize(("act", "product", "letters"), CELLS)
def test_each_role_may_what_the_grid_says(act: str, product: str, letters: str) -> None:
    it = ready(product, act)

    may = "".join(
        "·" if weigh(role, act, it).is_refused else letter for letter, role in LETTERS.items()
    )

    assert may == letters


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("act", [act for act in ACTIONS if ACTIONS[act] not in DESK_ACTS])
def test_a_refusal_by_the_card_says_why_what_instead_and_where_it_stands(
    act: str, product: str
) -> None:
    it = ready(product, act)

    refused = [weigh(role, act, it) for role in Role if role is not Role.AUDITOR]

    for decision in refused:
        if decision.is_refused:
            assert decision.why.endswith(".")
            assert decision.instead
            assert decision.rules
            assert decision.source == CARDS[product].source.file
            assert "{" not in decision.why + decision.instead


@pytest.mark.parametrize("product", PRODUCTS)
def test_trainers_may_what_support_may_and_no_more_than_leads(product: str) -> None:
    acts = CARDS[product].acts.values()

    assert all((Role.TRAINER in act.who) == (Role.SUPPORT in act.who) for act in acts)


@pytest.mark.parametrize("act", list(ACTIONS))
def test_nobody_acts_on_themselves(act: str) -> None:
    me = agent(Role.LEAD, login="MAYA.okafor@northwind.example")

    decision = decide(me, action(act), CARDS["constant-contact"], ready("constant-contact"), NOW)

    assert decision.is_refused
    assert "yourself" in decision.why or "themselves" in decision.why


def test_the_same_id_is_the_same_person() -> None:
    me = agent(Role.PRODUCT_ADMINISTRATOR, id="u1")

    decision = decide(me, action("reset-all"), CARDS["lead-gen-crm"], case(), NOW)

    assert decision.is_refused
    assert "themselves" in decision.why


@pytest.mark.parametrize("act", list(ACTIONS))
def test_an_auditor_changes_nothing(act: str) -> None:
    decision = weigh(Role.AUDITOR, act, ready("lead-gen-crm"))

    assert decision.is_refused
    assert decision.why == "An auditor reads and changes nothing."


def test_an_administrator_of_another_account_is_sent_to_this_ones() -> None:
    stranger = agent(Role.PRODUCT_ADMINISTRATOR, account="a2")

    decision = decide(stranger, action("reset-all"), CARDS["lead-gen-crm"], case(), NOW)

    assert decision.is_refused
    assert "Northwind Travel" in decision.why
    assert "Priya Shah" in decision.instead


def test_the_accounts_own_administrator_may_reset() -> None:
    own = agent(Role.PRODUCT_ADMINISTRATOR, account="a1")
    wish = action("reset-all", reason="lost the phone", ticket="4821")

    decision = decide(own, wish, CARDS["lead-gen-crm"], case(), NOW)

    assert decision.is_allowed


@pytest.mark.parametrize("act", ["reset-all", "reset-factor"])
@pytest.mark.parametrize("role", [Role.SUPPORT, Role.LEAD, Role.PRODUCT_ADMINISTRATOR])
def test_a_reset_in_vain_leads_to_the_vendor_whoever_asks(role: Role, act: str) -> None:
    it = case("lead-gen-crm", event("reset", 30, ok=True), event("password", 20, ok=True))

    decision = weigh(role, act, it)

    assert decision.is_refused
    assert decision.route == "vendor"
    assert "Constant Contact Support" in decision.instead
    assert "S4.17" in decision.rules


@pytest.mark.parametrize(
    "since",
    [
        [],
        [event("password", 20, ok=True), event("answer", 19, challenge="c", ok=True)],
        [event("password", 20, ok=True), event("session", 19, state="created")],
        [event("password", 20, ok=True), event("factor", 19, change="enrolled")],
    ],
    ids=["nothing tried", "code accepted", "let in", "enrolled anew"],
)
def test_after_a_reset_that_helped_or_was_not_tried_another_is_possible(
    since: list[AnyEvent],
) -> None:
    it = case("lead-gen-crm", event("reset", 30, ok=True), *since)

    decision = weigh(Role.PRODUCT_ADMINISTRATOR, "reset-all", it)

    assert not decision.is_refused


def test_a_failed_reset_does_not_count_as_one() -> None:
    it = case("lead-gen-crm", event("reset", 30, ok=False), event("password", 20, ok=True))

    decision = weigh(Role.PRODUCT_ADMINISTRATOR, "reset-all", it)

    assert not decision.is_refused


@pytest.mark.parametrize("act", [name for name, kind in ACTIONS.items() if kind.risk is Risk.HIGH])
def test_every_dangerous_act_asks_for_reason_and_ticket(act: str) -> None:
    may = next(
        (product, role)
        for product in PRODUCTS
        for role in Role
        if act in CARDS[product].acts and role in CARDS[product].acts[act].who
    )

    decision = weigh(may[1], act, ready(may[0]))

    assert decision.weight is Weight.NEEDS
    assert {"reason", "ticket"} <= set(needs(decision))


def test_a_blank_reason_is_no_reason() -> None:
    decision = weigh(Role.LEAD, "reset-all", "constant-contact", reason="  \t", ticket="4821")

    assert needs(decision) == ["reason"]


@pytest.mark.parametrize("given", ["4821", "#4821"])
def test_an_open_ticket_is_enough_with_or_without_its_sign(given: str) -> None:
    decision = weigh(Role.LEAD, "reset-all", "constant-contact", reason="lost", ticket=given)

    assert decision.is_allowed


def test_a_ticket_of_somebody_else_is_named_and_the_open_ones_offered() -> None:
    decision = weigh(Role.LEAD, "reset-all", "constant-contact", reason="lost", ticket="99")

    assert needs(decision) == ["ticket"]
    assert decision.needs[0].choices == ("4821",)
    assert "99" in decision.needs[0].says


def test_a_closed_ticket_does_not_count() -> None:
    it = case("constant-contact", tickets=(ticket(closed_at=ago(1)),))

    decision = weigh(Role.LEAD, "reset-all", it, reason="lost", ticket="4821")

    assert needs(decision) == ["ticket"]
    assert "take-ticket" in decision.needs[0].says


def test_with_two_factors_the_desk_asks_which() -> None:
    factors = (factor("sms", "f1"), factor("push", "f2"), factor("totp", "f3"))
    it = case(user("constant-contact", factors=factors))

    decision = weigh(Role.SUPPORT, "send-code", it)

    assert needs(decision) == ["factor"]
    assert decision.needs[0].choices == ("f1", "f2")


def test_the_factor_that_was_asked_last_comes_first() -> None:
    factors = (factor("sms", "f1"), factor("push", "f2"))
    asked = event("challenge", 2, challenge="c1", factor="push")
    it = case(user("constant-contact", factors=factors), asked)

    decision = weigh(Role.SUPPORT, "send-code", it)

    assert decision.needs[0].choices == ("f2", "f1")


def test_with_one_factor_nothing_is_asked() -> None:
    decision = weigh(Role.SUPPORT, "send-code", "constant-contact")

    assert decision.is_allowed


def test_a_factor_that_is_not_there_is_named_with_those_that_are() -> None:
    decision = weigh(Role.SUPPORT, "send-code", "constant-contact", factor="f9")

    assert decision.is_refused
    assert "f9" in decision.why
    assert "f1" in decision.why


def test_no_code_can_be_sent_to_an_authenticator_app() -> None:
    it = case(user("constant-contact", factors=(factor("totp"),)))

    without = weigh(Role.SUPPORT, "send-code", it)
    named_one = weigh(Role.SUPPORT, "send-code", it, factor="f1")

    assert without.is_refused
    assert named_one.is_refused
    assert "made on the phone" in without.why
    assert "made on the phone" in named_one.why


def test_the_next_code_waits_for_the_last() -> None:
    it = case("partner-portal", event("send", 0.5, send="s1", channel="email"))

    decision = weigh(Role.SUPPORT, "send-code", it)

    assert needs(decision) == ["wait"]
    assert decision.needs[0].seconds == 90


def test_a_locked_user_is_unlocked_first() -> None:
    it = case(user("sms-2fa", locked_until=ago(-10)))

    decision = weigh(Role.SUPPORT, "send-code", it)

    assert decision.is_refused
    assert "Unlock first" in decision.why


def test_a_lock_that_is_over_holds_nothing_back() -> None:
    it = case(user("sms-2fa", locked_until=ago(1)))

    assert weigh(Role.SUPPORT, "send-code", it).is_allowed
    assert weigh(Role.SUPPORT, "unlock", it).is_refused


@pytest.mark.parametrize("state", [MfaState.OFF, MfaState.PENDING])
def test_what_is_off_is_neither_sent_to_nor_turned_off(state: MfaState) -> None:
    it = case(user("sms-2fa", mfa=state))

    assert "not on" in weigh(Role.SUPPORT, "send-code", it).why
    assert "off already" in weigh(Role.ACCOUNT_MANAGER, "turn-off-mfa", it).why


def test_what_is_on_is_not_turned_on() -> None:
    assert "on already" in weigh(Role.SUPPORT, "turn-on-mfa", "sms-2fa").why


@pytest.mark.parametrize(
    ("number", "is_good"),
    [
        ("+44 7700 900321", True),
        ("+1 (555) 010-0199", True),
        ("+49.151.23456789", True),
        ("07700 900321", False),
        ("+0447700900321", False),
        ("+447", False),
        ("+٤٤٧٧٠٠٩٠٠٣٢١", False),
        ("+44 7700 900321 ext 4", False),
        ("", False),
    ],
)
def test_a_mobile_number_has_its_country(number: str, is_good: bool) -> None:
    assert is_mobile(number) is is_good


@pytest.mark.parametrize(
    ("address", "is_good"),
    [
        ("mfa@agency.example", True),
        ("o'brien+codes@mail.agency.example", True),
        ("agency.example", False),
        ("Maya <mfa@agency.example>", False),
        ("a@b.example,c@d.example", False),
        ("mfa@agency", False),
        ("mfa@-agency.example", False),
        ("mfa\u202e@agency.example", False),
        ("mfa\x1b@agency.example", False),
        ("", False),
    ],
)
def test_an_address_is_one_plain_mail_address(address: str, is_good: bool) -> None:
    assert is_address(address) is is_good


def test_a_bad_new_address_is_asked_for_again() -> None:
    def change(address: str) -> Decision:
        given = {"address": address, "reason": "mailbox lost", "ticket": "4821"}
        return weigh(Role.SUPPORT, "change-address", "partner-portal", None, **given)

    bad = change("new mailbox")
    good = change("x@y.example")

    assert needs(bad) == ["address"]
    assert good.is_allowed


def test_a_bad_new_number_is_asked_for_without_being_repeated() -> None:
    given = {"mobile": "07700900321", "reason": "new phone", "ticket": "4821"}

    bad = weigh(Role.SUPPORT, "change-mobile", "sms-2fa", None, **given)

    assert needs(bad) == ["mobile"]
    assert "07700900321" not in bad.needs[0].says


@pytest.mark.parametrize(("code", "wanted"), [("12a456", ["code"]), ("123 456", [])])
def test_the_first_code_of_an_app_has_six_digits(code: str, wanted: list[str]) -> None:
    it = case(user("constant-contact", factors=(factor("totp", state="pending"),)))

    decision = weigh(Role.LEAD, "enrol-totp", it, code=code, reason="new phone", ticket="4821")

    assert needs(decision) == wanted


def test_a_first_code_without_an_enrolment_is_refused() -> None:
    decision = weigh(Role.LEAD, "enrol-totp", "constant-contact", code="123456")

    assert decision.is_refused


def test_an_unknown_way_is_named_and_the_ways_offered() -> None:
    decision = weigh(Role.SUPPORT, "route", "lead-gen-crm", to="nowhere")

    assert needs(decision) == ["to"]
    assert decision.needs[0].choices == ("administrator", "vendor", "enrol")


@pytest.mark.parametrize(("act", "wanted"), [("note", "text"), ("flag", "reason")])
def test_an_empty_note_or_flag_asks_for_its_words(act: str, wanted: str) -> None:
    assert needs(weigh(Role.SUPPORT, act, "sms-2fa")) == [wanted]


def test_with_two_open_tickets_closing_asks_which() -> None:
    it = case("sms-2fa", tickets=(ticket("1", 20), ticket("2", 10)))

    decision = weigh(Role.SUPPORT, "close-ticket", it)

    assert decision.needs[0].choices == ("2", "1")


def test_without_an_open_ticket_there_is_nothing_to_close() -> None:
    assert weigh(Role.SUPPORT, "close-ticket", case("sms-2fa", tickets=())).is_refused


def test_names_on_record_cannot_smuggle_in_other_places() -> None:
    it = case(account=account(name="{manager} \x1b[2J"))

    words = named("Ask {account} about {nothing}.", it)

    assert words == "Ask {manager} ␛[2J about {nothing}."


def test_the_user_is_not_named_as_their_own_administrator() -> None:
    it = case(user(id="u9", role="administrator"))

    decision = weigh(Role.SUPPORT, "reset-all", it)

    assert "Priya Shah" not in decision.why
    assert "nobody is on record" in decision.why


def test_every_act_is_answered_in_the_order_of_the_list() -> None:
    answers = decide_all(agent(), CARDS["sms-2fa"], case("sms-2fa"), NOW)

    assert [decision.act for decision in answers] == list(ACTIONS)
