"""Which of the sixteen pairs the written log can no longer decide.

Computed from the rows that were left and the cause that was played, never from a verdict.
"""

from __future__ import annotations

from tests.bench.world.logs import Written
from tests.bench.world.records import Row
from tests.bench.world.stage import Stage

PAIRS = (
    "D1/D2", "C1/C2", "C3/C2", "B1/B3", "A2/B5", "A2/F1", "A1/B1", "D4/D5", "D4/D4b", "D3/D9",
    "D8/F1", "E1/D3", "E1/E2", "C5/C2", "C11/C2", "F3/lost phone",
)  # fmt: skip
"""The pairs by name, main first as the source lists them."""

REPLIES: dict[str, dict[str, tuple[str, ...]]] = {
    "D1/D2": {
        "D1": ("there is no later one", "no, that is the only one", "a while ago, nothing newer"),
        "D2": ("yes, there is a later one", "a newer one came after it", "I have two of them"),
    },
    "C1/C2": {
        "C1": ("that is not my mailbox", "a colleague reads that one", "I do not know it"),
        "C2": ("that is my own mailbox", "it is mine"),
    },
    "C3/C2": {
        "C3": ("yes, it has just come", "it came a few minutes later"),
        "C2": ("no, still nothing", "no, it has not come"),
    },
    "B1/B3": {
        "B1": ("only after I close the browser", "not before I close it"),
        "B3": ("yes, it asks again before I close it", "it asks again right away"),
    },
    "A2/B5": {
        "A2": ("no VPN, I am travelling", "no, neither"),
        "B5": ("yes, a VPN", "I use the hot-spot of my phone"),
    },
    "A2/F1": {
        "A2": ("yes, that was me",),
        "F1": ("no, that was not me", "I was not there"),
    },
    "A1/B1": {
        "A1": ("no, it stays open", "no, I never close it"),
        "B1": ("yes, I close it each time", "yes"),
    },
    "D8/F1": {"D8": ("yes, we use a mail filter", "yes, our company scans all mail")},
    "E1/D3": {"E1": ("it simply asks again",), "D3": ("it says wrong code",)},
    "E1/E2": {
        "E1": ("no, it is the same in a private window", "no"),
        "E2": ("yes, a private window works", "yes"),
    },
}
"""What callers answer to the question of a pair, by the cause that is behind it."""

WITHOUT_QUESTION = frozenset({"D4/D4b", "D3/D9", "C5/C2"})
"""Pairs for which the caller cannot help."""


def undecidable(stage: Stage, written: Written) -> list[str]:
    """The pairs with the main cause on one side whose deciding fact is not in the log."""
    truth = stage.scene.truth
    main = truth[0] if truth else "lost phone"
    answered = {reply["ask"] for reply in written.case.get("answers", ())}
    found = []
    for pair in PAIRS:
        sides = pair.split("/")
        if main in sides and main not in answered and pair not in answered:
            check = _CHECKS.get(pair)
            if check is not None and check(stage, written, main):
                found.append(pair)
    return found


def _kind(written: Written, kind: str) -> list[Row]:
    return [row for row in written.rows if row["kind"] == kind]


def _reasons(written: Written) -> set[str]:
    """The words the log has for refusals."""
    return {row.get("reason") or "" for row in _kind(written, "answer") if not row["ok"]}


def _d1_d2(stage: Stage, written: Written, main: str) -> bool:
    lacks = written.lacks
    if "answer-send" not in lacks or _reasons(written) & {"expired", "superseded"}:
        return False
    refused = [row for row in _kind(written, "answer") if not row["ok"]]
    if not refused:
        return False
    last = refused[-1]
    mine = [s for s in _kind(written, "send") if s["at"] <= last["at"] < s["at"] + 7200]
    known = "expiry" not in lacks or stage.product == "partner-portal"
    return len(mine) > 1 and not known and last["at"] - mine[-1]["at"] > 150


def _c1_c2(stage: Stage, written: Written, main: str) -> bool:
    lacks = written.lacks
    seen = "to" not in lacks and "send" not in lacks
    moved = any("changed" in row["change"] for row in _kind(written, "factor"))
    return not seen and "user-facts" in lacks and not moved


def _c3_c2(stage: Stage, written: Written, main: str) -> bool:
    if not written.lacks & {"delivery", "send"} or stage.factor != "email":
        return False
    asked = _kind(written, "challenge")[-1:]
    typed = _kind(written, "answer")[-1:]
    return not (asked and typed and typed[0]["at"] > asked[0]["at"])


def in_sitting(written: Written) -> bool:
    """Whether somebody signed in again within the hour and was not asked."""
    rows = written.rows
    proved: dict[str | None, float] = {}
    for index, row in enumerate(rows):
        if row["kind"] == "answer" and row["ok"]:
            proved[row.get("browser")] = row["at"]
        if row["kind"] == "password" and row["ok"]:
            before = proved.get(row.get("browser"), -1e9)
            asked = any(
                r["kind"] == "challenge" and r["at"] - row["at"] < 30
                for r in rows[index + 1 : index + 5]
            )
            if row["at"] - before < 4000 and not asked:
                return True
    return False


def _b1_b3(stage: Stage, written: Written, main: str) -> bool:
    if main == "B3":
        return "browser" in written.lacks
    return not in_sitting(written)


def _a1_b1(stage: Stage, written: Written, main: str) -> bool:
    if "rule" not in written.lacks or stage.product in ("partner-portal", "lead-gen-crm"):
        return False
    if main == "A1":
        return "browser" in written.lacks
    return not in_sitting(written) and "trust" in written.lacks


def _a2_b5(stage: Stage, written: Written, main: str) -> bool:
    return "ip" in written.lacks


def _a2_f1(stage: Stage, written: Written, main: str) -> bool:
    told = written.case["complaint"] == "unasked-codes"
    return main == "F1" and "browser" in written.lacks and not told


def _d4_d5(stage: Stage, written: Written, main: str) -> bool:
    if any(row.get("drift_s") is not None for row in written.rows):
        return False
    if main == "D4":
        return "drift" not in _reasons(written)
    return {"one-word", "drift"} <= written.lacks


def _d4_d4b(stage: Stage, written: Written, main: str) -> bool:
    drifts = any("drift_s" in row or row.get("reason") == "drift" for row in written.rows)
    return drifts and not written.case.get("others")


def _d3_d9(stage: Stage, written: Written, main: str) -> bool:
    if "lock" not in written.lacks or "locked" in _reasons(written):
        return False
    if main == "D3":
        ends_well = any(row["ok"] for row in _kind(written, "answer")[-1:])
        return "one-word" in written.lacks and not ends_well
    refused = [row for row in written.rows if row["kind"] in ("answer", "password")]
    linked = any("send" in row for row in refused[-1:])
    return refused[-1]["kind"] == "answer" and not linked


def _d8_f1(stage: Stage, written: Written, main: str) -> bool:
    return main == "D8" and {"ip", "fetch"} <= written.lacks


def _e1_e2(stage: Stage, written: Written, main: str) -> bool:
    return not written.case.get("others")


def _c5_c2(stage: Stage, written: Written, main: str) -> bool:
    silent = bool(written.lacks & {"delivery", "send"})
    return silent and stage.factor == "email" and not written.case.get("others")


def _f3_lost(stage: Stage, written: Written, main: str) -> bool:
    if not _kind(written, "call"):
        return False
    if main != "F3":
        reset = any(row.get("asks") == "reset" for row in _kind(written, "call"))
        return reset and {"ip", "factor-events"} <= written.lacks
    changed = any("changed" in row["change"] for row in _kind(written, "factor"))
    foreign = any(
        row.get("ip", stage.home.ip) != stage.home.ip
        for row in written.rows
        if row["kind"] in ("password", "challenge") and row["at"] >= stage.trouble
    )
    return not changed and not foreign


_CHECKS = {
    "D1/D2": _d1_d2,
    "C1/C2": _c1_c2,
    "C3/C2": _c3_c2,
    "B1/B3": _b1_b3,
    "A1/B1": _a1_b1,
    "A2/B5": _a2_b5,
    "A2/F1": _a2_f1,
    "D4/D5": _d4_d5,
    "D4/D4b": _d4_d4b,
    "D3/D9": _d3_d9,
    "D8/F1": _d8_f1,
    "E1/E2": _e1_e2,
    "C5/C2": _c5_c2,
    "F3/lost phone": _f3_lost,
}
"""By pair; a pair that is not here is decided by a fact that is never dropped."""
