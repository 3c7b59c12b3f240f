"""Why another machine was not reached: said in plain words, whoever asked it."""

from __future__ import annotations

import asyncio
import errno
import re
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from helpdesk.connectors.exchange import Request
from helpdesk.connectors.smtp import SmtpSender
from helpdesk.connectors.unreached import reason
from helpdesk.connectors.way import Again, Way
from helpdesk.domain.errors import Unreachable
from helpdesk.gateway.issuers import Provider
from tests.connectors.test_smtp import NOTICE, context

CLASS = re.compile(r"[a-z]Error\b|Exception|Errno|_")
"""What only a programmer reads: names of classes, numbers of the operating system."""

Answers = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def there(answers: Answers, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Give host and port of a server of this machine that answers each connection so."""
    server = await asyncio.start_server(answers, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def said(url: str) -> str:
    """Return what is said where an address is asked and not reached."""
    way = Way(url, "The desk", total_s=5.0)
    sent = Request(method="GET", url=f"{url}/v1", body=b"", headers={})
    try:
        with pytest.raises(Again) as found:
            await way.once(sent, is_act=False, most=1_000)
    finally:
        await way.hang_up()
    assert not CLASS.search(str(found.value))
    return str(found.value)


async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    line = writer.get_extra_info("socket")
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset
    writer.transport.abort()


async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.write(b"SSH-2.0 hello\r\n\r\n")
    writer.close()


async def test_a_desk_where_nobody_listens_refuses() -> None:
    says = await said("http://127.0.0.1:1")

    assert says == "The desk at 127.0.0.1:1 cannot be reached: the connection was refused."


async def test_a_certificate_that_nobody_vouches_for_is_named_so(certificate: Path) -> None:
    async with there(babble, context(certificate)) as host:
        says = await said(f"https://{host}")

    assert "cannot be reached: its certificate is not trusted: self-signed certificate." in says


async def test_who_speaks_no_tls_is_told_apart_from_who_speaks_no_http() -> None:
    async with there(babble) as host:
        secure, plain = await said(f"https://{host}"), await said(f"http://{host}")

    assert secure.endswith("cannot be reached: no TLS could be agreed on with it.")
    assert plain.endswith("cannot be reached: no whole answer came back.")


async def test_a_line_that_is_cut_is_said_to_be() -> None:
    async with there(cut) as host:
        secure, plain = await said(f"https://{host}"), await said(f"http://{host}")

    assert secure.endswith("cannot be reached: the connection was cut.")
    assert plain.endswith("cannot be reached: the connection was cut.")


async def test_an_issuer_and_a_mail_server_are_told_of_in_the_same_words() -> None:
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:1 .*: the connection was refused\.$"):
        await Provider("http://127.0.0.1:1").key("one")
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1 .*: the connection was refused\.$"):
        await SmtpSender("smtp://127.0.0.1:1", "desk@helpdesk.example").send(NOTICE)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (socket.gaierror(socket.EAI_NONAME, "?"), "no host of that name is known"),
        (socket.gaierror(socket.EAI_AGAIN, "?"), "its name cannot be looked up now"),
        (UnicodeError("label too long"), "no host can have that name"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "the network knows no way there"),
        (TimeoutError(), "nobody answered in time"),
        (
            OSError(f"Several: [Errno {errno.ENETUNREACH}] a, [Errno {errno.ECONNREFUSED}] b"),
            "the connection was refused",
        ),
        (OSError("?"), "no whole answer came back"),
    ],
)
def test_each_reason_has_plain_words(error: Exception, says: str) -> None:
    with pytest.raises(RuntimeError) as wrapped:
        raise RuntimeError(str(error)) from error

    assert reason(wrapped.value) == says
