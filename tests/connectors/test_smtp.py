"""Letters to a real mail server on this machine: over TLS that is verified, or not at all."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from helpdesk.connectors.smtp import SmtpSender
from helpdesk.domain.errors import BadInput, Unreachable
from helpdesk.domain.notices import Channel, Notice

FROM = "desk@helpdesk.example"
NOTICE = Notice(
    id="n7-1", at=datetime(2026, 5, 4, 14, 5, tzinfo=UTC), seq=7, user="u1", act="reset-all",
    channel=Channel.EMAIL, to="maya@agency.example",
    subject="Lead Gen & CRM: all your ways to prove a login were removed",
    body="Hello Ngọc Ánh,\n\n.\nwas it you?\n",
)  # fmt: skip


class Mailbox:
    """What the server took in, and how it answers."""

    def __init__(self) -> None:
        self.letters: list[tuple[list[str], Message]] = []
        self.were_encrypted: list[bool] = []
        self.answers: list[str] = []

    async def handle_DATA(  # noqa: N802  (the server's own name)
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.answers:
            return self.answers.pop(0)
        content = envelope.content
        assert isinstance(content, bytes)
        self.letters.append((envelope.rcpt_tos, message_from_bytes(content)))
        self.were_encrypted.append(session.ssl is not None or server.transport is None)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802  (the server's own name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("gone"):
            return "550 no such mailbox"
        if address.startswith("busy"):
            return "450 come again"
        envelope.rcpt_tos.append(address)
        return "250 OK"


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@contextmanager
def serving(mailbox: Mailbox, **how: Any) -> Iterator[int]:
    """Run a mail server on this machine; give its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    server = Controller(mailbox, hostname="127.0.0.1", port=port, **how)
    server.start()
    try:
        yield port
    finally:
        server.stop()


def context(certificate: Path) -> ssl.SSLContext:
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.load_cert_chain(certificate)
    return made


async def test_a_letter_arrives_over_tls_from_the_first_byte(
    mailbox: Mailbox, certificate: Path
) -> None:
    with serving(mailbox, ssl_context=context(certificate)) as port:
        await SmtpSender(f"smtps://127.0.0.1:{port}", FROM, authorities=certificate).send(NOTICE)

    ((to, letter),) = mailbox.letters
    assert to == ["maya@agency.example"]
    assert letter["From"] == FROM
    assert letter["To"] == "maya@agency.example"
    assert letter["Subject"] == NOTICE.subject
    assert letter["Message-ID"] == "<n7-1.1777903500@helpdesk.example>"
    assert letter["Auto-Submitted"] == "auto-generated"
    body = letter.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert body.decode().replace("\r\n", "\n") == NOTICE.body


async def test_a_letter_arrives_after_turning_to_tls(mailbox: Mailbox, certificate: Path) -> None:
    with serving(mailbox, tls_context=context(certificate), require_starttls=True) as port:
        await SmtpSender(f"smtp://127.0.0.1:{port}", FROM, authorities=certificate).send(NOTICE)

    assert mailbox.were_encrypted == [True]


async def test_a_server_nobody_vouches_for_gets_nothing(
    mailbox: Mailbox, certificate: Path
) -> None:
    first, then = {"ssl_context": context(certificate)}, {"tls_context": context(certificate)}

    for scheme, how in (("smtps", first), ("smtp", then)):
        with serving(mailbox, **how) as port:
            sender = SmtpSender(f"{scheme}://127.0.0.1:{port}", FROM)
            with pytest.raises(Unreachable, match="its certificate is not trusted"):
                await sender.send(NOTICE)

    assert mailbox.letters == []


async def test_a_certificate_of_another_name_is_refused(
    mailbox: Mailbox, certificate: Path
) -> None:
    with serving(mailbox, ssl_context=context(certificate)) as port:
        sender = SmtpSender(f"smtps://localhost:{port}", FROM, authorities=certificate)
        with pytest.raises(Unreachable, match="its certificate is not trusted"):
            await sender.send(NOTICE)


async def test_only_on_this_machine_a_letter_goes_without_tls(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(mailbox) as port:
        await SmtpSender(f"smtp://127.0.0.1:{port}", FROM).send(NOTICE)
        local = socket.getaddrinfo("127.0.0.1", port, type=socket.SOCK_STREAM)
        monkeypatch.setattr(socket, "getaddrinfo", lambda *asked, **how: local)
        elsewhere = SmtpSender(f"smtp://mail.agency.example:{port}", FROM)
        with pytest.raises(Unreachable, match="offers no TLS"):
            await elsewhere.send(NOTICE)

    assert len(mailbox.letters) == 1


async def test_who_must_log_in_does(mailbox: Mailbox, certificate: Path) -> None:
    seen: list[tuple[bytes, bytes]] = []

    def check(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        seen.append((data.login, data.password))
        return AuthResult(success=data.password == b"right", handled=False)

    how = {
        "tls_context": context(certificate), "authenticator": check, "auth_required": True,
    }  # fmt: skip
    with serving(mailbox, **how) as port:
        address = f"smtp://desk%40helpdesk.example@127.0.0.1:{port}"
        await SmtpSender(address, FROM, password="right", authorities=certificate).send(NOTICE)
        with pytest.raises(Unreachable, match=r"refused the login \(535\)"):
            await SmtpSender(address, FROM, password="wrong", authorities=certificate).send(NOTICE)

    assert seen[0] == (b"desk@helpdesk.example", b"right")
    assert len(mailbox.letters) == 1


@pytest.mark.parametrize(
    ("to", "error", "says"),
    [
        ("gone@agency.example", BadInput, "will not deliver there"),
        ("busy@agency.example", Unreachable, "does not take it now"),
        ("a@b.example, all@evil.example", BadInput, "not one mail address"),
        ("a@b.example\r\nBcc: all@evil.example", BadInput, "not one mail address"),
        ("a@b.example\nRCPT TO:<all@evil.example>", BadInput, "not one mail address"),
        ("", BadInput, "not one mail address"),
    ],
)
async def test_what_the_server_or_the_address_refuses(
    mailbox: Mailbox, to: str, error: type[Exception], says: str
) -> None:
    with serving(mailbox) as port, pytest.raises(error, match=says):
        notice = msgspec.structs.replace(NOTICE, to=to)
        await SmtpSender(f"smtp://127.0.0.1:{port}", FROM).send(notice)

    assert mailbox.letters == []


async def test_no_header_is_injected(mailbox: Mailbox) -> None:
    notice = msgspec.structs.replace(
        NOTICE, subject="Hello\r\nBcc: all@evil.example\r\n\r\nclick here"
    )
    with serving(mailbox) as port:
        await SmtpSender(f"smtp://127.0.0.1:{port}", FROM).send(notice)

    ((to, letter),) = mailbox.letters
    assert to == ["maya@agency.example"]
    assert "Bcc" not in letter
    assert set(letter.keys()) == {
        "From", "To", "Subject", "Message-ID", "Date", "Auto-Submitted", "Content-Type",
        "Content-Transfer-Encoding", "MIME-Version", "X-Peer", "X-MailFrom", "X-RcptTo",
    } & set(letter.keys())  # fmt: skip


async def test_a_server_that_is_busy_is_asked_again_later(mailbox: Mailbox) -> None:
    mailbox.answers.append("451 later")

    with serving(mailbox) as port:
        sender = SmtpSender(f"smtp://127.0.0.1:{port}", FROM)
        with pytest.raises(Unreachable, match="answered 451"):
            await sender.send(NOTICE)
        await sender.send(NOTICE)

    assert len(mailbox.letters) == 1


async def test_a_letter_that_was_taken_is_sent_however_the_server_says_goodbye(
    mailbox: Mailbox,
) -> None:
    """A letter that counts as not sent is sent again, up to five times."""

    async def quit_(server: SMTP, session: Session, envelope: Envelope) -> str:
        return "421 too many at once"

    mailbox.handle_QUIT = quit_  # type: ignore[attr-defined]
    with serving(mailbox) as port:
        await SmtpSender(f"smtp://127.0.0.1:{port}", FROM).send(NOTICE)

    assert len(mailbox.letters) == 1


async def test_a_server_that_is_not_there_or_says_nothing_is_unreachable() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        with pytest.raises(Unreachable, match="cannot be reached"):
            await SmtpSender(f"smtp://127.0.0.1:{port}", FROM, patience_s=0.2).send(NOTICE)
    with pytest.raises(Unreachable, match="cannot be reached"):
        await SmtpSender(f"smtp://127.0.0.1:{port}", FROM, patience_s=0.2).send(NOTICE)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: SmtpSender("http://mail.example", FROM), "is no mail server"),
        (lambda: SmtpSender("smtps://", FROM), "is no mail server"),
        (lambda: SmtpSender("smtps://mail.example:many", FROM), "address is wrong"),
        (lambda: SmtpSender("smtps://u:secret@mail.example", FROM), "does not belong"),
        (lambda: SmtpSender("smtps://mail.example", "desk"), "letters can come from"),
    ],
)
def test_wrong_settings_are_named_without_their_secret(
    make: Callable[[], SmtpSender], says: str
) -> None:
    with pytest.raises(BadInput, match=says) as raised:
        make()

    assert "secret" not in str(raised.value)
