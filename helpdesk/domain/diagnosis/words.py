"""What to tell the customer, cause by cause: plain, short, to be read aloud.

Places in braces are filled from the events and the card: `{life}` the life of a code, `{newest}`
and `{arrived}` when the newest message left and came, `{to}` where the code went, `{until}` the end
of a lock or wait, `{wait}` the card's wait between codes, `{role}` a role that is never asked,
`{landing}` the page to open directly, `{help}` who can help. Where neither names it, the sentence
that does without is taken: each cause has one such as its last.
"""

from __future__ import annotations

import string
from datetime import datetime, timedelta

from helpdesk.domain.codes import expiry
from helpdesk.domain.diagnosis.claims import otherwise
from helpdesk.domain.diagnosis.facts import Facts, Resend
from helpdesk.domain.diagnosis.verdicts import clock
from helpdesk.domain.text import clean, counted

SAY: dict[str, tuple[str, ...]] = {
    "A1": ("Nothing is wrong: it asks at every login, and is meant to.",),
    "A2": (
        "You came from a network that nobody in your company had used. It asks once for each.",
        "You came from a new network or place. It asks once for each, to keep you safe.",
    ),
    "A3": ("This is your first login on this browser or device, so it asks once.",),
    "A4": ("It remembers a browser for a while and then asks again. That time was over.",),
    "A5": ("Taking contacts out always asks for a code, even when you are logged in.",),
    "A6": ("Your company has set how often it asks; the strictest of its rules counts.",),
    "A7": ("Your browser was updated or your login details changed, so it asks once more.",),
    "B1": (
        "Your browser deletes its cookies when you close it, so it is a stranger each time.\n"
        "Turn that off, or make an exception for our site.",
    ),
    "B2": ("In a private window nothing is remembered. Use a normal window, and it asks less.",),
    "B3": (
        "An extension or setting of your browser blocks our cookie.\n"
        "Allow our site, or try once with the extension off.",
    ),
    "B4": ("You are logged in on two browsers or devices. Log out on one before the other.",),
    "B5": (
        "Your network address keeps changing, as with a VPN or a mobile line.\n"
        "Turn the VPN off, or stay on one network while you log in.",
    ),
    "B6": ("Your connection seems to drop while you log in. Please try another network.",),
    "B7": ("An older tab of the login page is in the way. Close all of them and start from one.",),
    "B8": ("This is our fault: the page does not remember you. We are on it; please hold on.",),
    "C1": (
        "The code went to {to}. Who reads that mailbox or phone?",
        "The code goes to another mailbox or phone than you expect. Who reads it?",
    ),
    "C2": (
        "The message arrived at {arrived}. Please look in spam, junk and quarantine.",
        "The message has left us. Please look in spam, junk and quarantine first.",
    ),
    "C3": (
        "The message is on its way. Please wait {wait} and do not ask for another:\n"
        "a new one may make the last one worthless.",
        "The message is on its way. Please wait a little and do not ask for another:\n"
        "a new one may make the last one worthless.",
    ),
    "C4": ("Your mail server refuses our mail, so nothing reaches you. I will have it looked at.",),
    "C5": ("We have a fault in sending codes. Nothing is wrong on your side; please hold on.",),
    "C6": (
        "Your phone company did not deliver it. Is the phone on, and can it take texts and calls?",
    ),
    "C7": ("The number we have for you may be missing or wrong. What are its last two digits?",),
    "C8": (
        "We sent a notice to your phone. Please open the app there and look for it;\n"
        "it may not be allowed to show notices.",
    ),
    "C9": ("The message has arrived, but your mail program has not fetched it. Open webmail.",),
    "C10": (
        "Too many codes were asked for. Please wait until {until}, then ask once.",
        "Too many codes were asked for. Please wait a little, then ask only once.",
    ),
    "C11": ("No code was sent yet: it comes only after the right password on the right page.",),
    "C12": ("Nothing is sent to you: open the authenticator app on your phone and read the code.",),
    "C13": ("That message only confirmed your number. The login code comes in another one.",),
    "C14": ("Your number is confirmed, but it was never saved. Tick the box again and save.",),
    "D1": (
        "A code lives {life}, and yours was older. Take a new one and enter it at once.",
        "The code was too old. Take a new one and enter it at once.",
    ),
    "D2": (
        "Use only the newest message, the one from {newest}, and delete the others.",
        "Use only the newest message and delete the others.",
    ),
    "D3": (
        "A character was off. Type the code again or paste it, without spaces.\n"
        "It may hold letters as well as digits.",
        "A digit was off. Type the code again or paste it, without spaces.",
    ),
    "D4": ("The clock of your phone is off. Set its time to automatic and try the next code.",),
    "D4b": ("Our clock is off, not yours. Please hold on; you need not change anything.",),
    "D5": ("Your app still shows an old entry. Delete it and use the newer one.",),
    "D6": ("That code was used already. Wait for the next number in the app.",),
    "D7": ("That code belongs to another login. Who else is logging in at this moment?",),
    "D8": ("Your company's mail filter opened the message first. Type the code instead.",),
    "D9": (
        "You are locked out until {until}. Even the right code fails until then.",
        "You are locked out for now. Even the right code fails; please stop trying.",
    ),
    "D10": (
        "Older failed tries added up, and you are locked out until {until}. Please stop trying.",
        "Older failed tries added up to a lock. Please stop trying; I will see to it.",
    ),
    "E1": (
        "Your code is accepted, but the page loses you. Open this page directly:\n{landing}",
        "Your code is accepted, but the page loses you afterwards. Close the browser,\n"
        "open it again and go straight to the page you want.",
    ),
    "E2": ("An old cookie of our site is in the way. Delete our site's cookies,\n"
           "or use a private window for now.",),
    "E3": ("Your login stopped half way. Log out fully, close the tab and start again.",),
    "E4": ("You must choose a way to prove yourself now. I will send you the article.",),
    "E5": (
        "The reset was done, and something else still keeps you out. I pass you on to\n{help}.",
        "The reset was done, and something else still keeps you out. I will pass you on.",
    ),
    "E6": (
        "The role {role} is never asked for a code here. I will show you the right way in.",
        "That page belongs to another product. I will show you the right way in.",
    ),
    "F1": (
        "Somebody else seems to know your password. Change it now,\n"
        "and give a code to nobody, not even to us.",
    ),
    "F2": ("Decline every notice you did not ask for, and report it. I am holding all changes.",),
    "F3": ("For your safety I will call you back on the number we have on record.",),
    "F4": (
        "For your safety I am holding all changes,\n"
        "and I will call you back on the number we had on record before.",
    ),
}  # fmt: skip
"""By cause: what to say, the fullest first; the last needs nothing that may be missing."""


def say(cause_id: str, facts: Facts) -> str:
    """Return the sentence for the customer: the fullest for which everything is known."""
    told = otherwise(cause_id, facts)
    if told:
        return told
    known = _fills(cause_id, facts)
    choices = SAY.get(cause_id, ("",))
    if not _fits(cause_id, facts):
        choices = choices[1:] or choices
    for sentence in choices:
        places = {name for _, name, _, _ in string.Formatter().parse(sentence) if name}
        if places <= known.keys():
            return sentence.format_map(known)
    return choices[-1]


def _fits(cause_id: str, facts: Facts) -> bool:
    """Whether the fuller sentence holds for this product."""
    if cause_id == "A2":
        return facts.card.memory.unit.value == "account"
    if cause_id == "D3":
        return facts.card.codes.alphabet.value == "digits-and-letters" and _is_sent(facts)
    return True


def _is_sent(facts: Facts) -> bool:
    return facts.last is None or facts.last.factor != "totp"


def _fills(cause_id: str, facts: Facts) -> dict[str, str]:
    fills: dict[str, str] = {}
    sends = [sent for one in facts.recent for sent in one.sends]
    if sends:
        fills["newest"] = clock(sends[-1].event.at)
        to = next((s.event.to for s in reversed(sends) if s.event.to), None)
        if to:
            fills["to"] = clean(to, limit=50)
        if sends[-1].arrived_at:
            fills["arrived"] = clock(sends[-1].arrived_at)
        life = _life(facts, sends[-1].event.at, expiry(facts.card, sends[-1].event))
        if life:
            fills["life"] = life
    wait = facts.card.codes.resend_wait_s.value
    if wait:
        fills["wait"] = _span(wait)
    role = facts.card.role(facts.user.role)
    if role is not None and not role.has_mfa:
        fills["role"] = clean(role.name, limit=40)
    until = _until(cause_id, facts)
    if until:
        fills["until"] = clock(until)
    if facts.card.landing.value:
        fills["landing"] = clean(facts.card.landing.value, limit=80)
    route = facts.card.acts["reset-all"].again if "reset-all" in facts.card.acts else None
    found = facts.card.route(route) or facts.card.route("vendor")
    if found and "{" not in found.to:
        fills["help"] = clean(found.to, limit=60)
    return fills


def _life(facts: Facts, sent_at: datetime, end: datetime | None) -> str:
    seconds = facts.card.codes.life_s.value
    if seconds is None and end is not None:
        seconds = round((end - sent_at).total_seconds())
    return _span(seconds) if seconds is not None and seconds > 0 else ""


def _span(seconds: int) -> str:
    """A span in words: whole minutes where it is long or comes out even."""
    if seconds % 60 == 0 or seconds > 180:
        return counted(max(1, round(seconds / 60)), "minute")
    return counted(seconds, "second")


def _until(cause_id: str, facts: Facts) -> datetime | None:
    if cause_id in {"D9", "D10"}:
        end = facts.active_lock.until if facts.active_lock else facts.user.lock_ends_at
        return end if end and end > facts.now else None
    if cause_id == "C10":
        waits = [r for r in facts.since(Resend) if r.retry_after_s]
        if waits:
            end = waits[-1].at + timedelta(seconds=min(waits[-1].retry_after_s or 0, 7 * 86_400))
            return end if end > facts.now else None
    return None
