"""Letters by SMTP, over TLS that is verified."""

from __future__ import annotations

import asyncio
import contextlib
import smtplib
import ssl
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from helpdesk.connectors.unreached import reason
from helpdesk.domain.addresses import is_loopback
from helpdesk.domain.errors import BadInput, Unreachable
from helpdesk.domain.needs import is_address
from helpdesk.domain.notices import Notice
from helpdesk.domain.text import clean

PATIENCE_S: Final = 20.0
"""How long each step of talking to the mail server may take."""

PORTS: Final = {"smtp": 587, "smtps": 465}


class SmtpSender:
    """Sends letters through one mail server.

    `smtps://` speaks TLS from the first byte, `smtp://` turns to it before anything is said
    (STARTTLS); a server that does not offer it is refused, but on this machine itself.

    Args:
        address: `smtp://user@server:port`.
        sender: The mail address letters come from.
        password: Of the user in the address; from the environment, never from a file.
        authorities: A file of certificates to trust instead of the system's.
        patience_s: How long each step may take.

    Raises:
        BadInput: The address is not of that form, holds a password, or the sender is no address.
    """

    def __init__(
        self,
        address: str,
        sender: str,
        *,
        password: str = "",
        authorities: Path | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        try:
            parts = urlsplit(address)
            port = parts.port
        except ValueError as error:
            raise BadInput(f"The mail server's address is wrong: {clean(str(error))}.") from error
        if parts.scheme not in PORTS or not parts.hostname:
            raise BadInput(f"{clean(address)} is no mail server: smtps://user@server:465 is one.")
        if parts.password is not None:
            raise BadInput("A password does not belong in the mail server's address.")
        if not is_address(sender):
            raise BadInput(f"{clean(sender)} is not a mail address letters can come from.")
        self._is_tls = parts.scheme == "smtps"
        self._host, self._port = parts.hostname, port or PORTS[parts.scheme]
        self._user, self._password = unquote(parts.username or ""), password
        self._sender, self._authorities, self._patience_s = sender, authorities, patience_s

    async def send(self, notice: Notice) -> None:
        """Send one letter.

        Raises:
            BadInput: It can never be sent: the address is none, or the server will not have it.
            Unreachable: It could not be sent now.
        """
        await asyncio.to_thread(self._send, notice)

    def _send(self, notice: Notice) -> None:
        letter = self._letter(notice)
        try:
            with contextlib.closing(self._connected()) as server:
                server.send_message(letter, self._sender, [notice.to])
                with contextlib.suppress(smtplib.SMTPException, OSError):
                    server.quit()  # it has the letter, however it says goodbye
        except smtplib.SMTPRecipientsRefused as error:
            code, _ = next(iter(error.recipients.values()))
            if 500 <= code < 600:
                raise BadInput(f"The mail server will not deliver there ({code}).") from error
            raise Unreachable(f"The mail server does not take it now ({code}).") from error
        except smtplib.SMTPAuthenticationError as error:
            raise Unreachable(f"The mail server refused the login ({error.smtp_code}).") from error
        except smtplib.SMTPResponseException as error:
            raise Unreachable(f"The mail server answered {error.smtp_code}.") from error
        except smtplib.SMTPNotSupportedError as error:
            raise Unreachable(
                f"The mail server {self._host} offers no TLS or no login; nothing was sent."
            ) from error
        except (smtplib.SMTPException, OSError) as error:
            raise Unreachable(
                f"The mail server {self._host} cannot be reached: {reason(error)}."
            ) from error

    def _connected(self) -> smtplib.SMTP:
        if self._is_tls:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self._host, self._port, timeout=self._patience_s, context=self._trust()
            )
        else:
            server = smtplib.SMTP(self._host, self._port, timeout=self._patience_s)
        try:
            server.ehlo()
            if not self._is_tls and (server.has_extn("starttls") or not is_loopback(self._host)):
                server.starttls(context=self._trust())
                server.ehlo()
            if self._user:
                server.login(self._user, self._password)
        except BaseException:
            server.close()
            raise
        return server

    def _trust(self) -> ssl.SSLContext:
        authorities = str(self._authorities) if self._authorities else None
        context = ssl.create_default_context(cafile=authorities)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context

    def _letter(self, notice: Notice) -> EmailMessage:
        """Return the notice as a letter; no header takes a line break or a second address."""
        if not is_address(notice.to):
            raise BadInput(f"{clean(notice.to, limit=80)} is not one mail address.")
        letter = EmailMessage(policy=SMTP)
        try:
            letter["From"] = Address(addr_spec=self._sender)
            letter["To"] = Address(addr_spec=notice.to)
            letter["Subject"] = clean(notice.subject, limit=200)
        except (MessageError, ValueError, IndexError) as error:
            raise BadInput("The address or the subject is not fit for a letter.") from error
        domain = self._sender.rpartition("@")[2]
        letter["Message-ID"] = f"<{notice.id}.{int(notice.at.timestamp())}@{domain}>"
        letter["Date"] = notice.at
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content(notice.body)
        return letter
