"""Where the lab's mail and SMS go: kept, and told by HTTP; it may be told to refuse them.

python sink.py MAIL_PORT HTTP_PORT · POST /sms · GET /messages · POST /refuse {"mail": true}
"""

import email
import email.policy
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller

KEPT: list[dict[str, str]] = []
REFUSED = {"mail": False, "sms": False}


class Mail:
    """Takes letters in."""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if REFUSED["mail"]:
            return "550 refused"
        letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
        body = letter.get_body(("plain", "html"))
        text = body.get_content().strip() if body else ""
        KEPT.extend({"kind": "mail", "to": to, "text": text} for to in envelope.rcpt_tos)
        return "250 OK"


class Web(BaseHTTPRequestHandler):
    """Takes SMS in, and tells what came."""

    def do_GET(self) -> None:
        self._answer(200, KEPT)

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        told = json.loads(self.rfile.read(length) or b"{}")
        if self.path == "/refuse":
            REFUSED.update(told)
            self._answer(200, REFUSED)
        elif REFUSED["sms"]:
            self._answer(500, {})
        else:
            KEPT.append({"kind": "sms", "to": str(told.get("to")), "text": str(told.get("text"))})
            self._answer(200, {})

    def _answer(self, status: int, value: Any) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: Any) -> None:
        pass


if __name__ == "__main__":
    Controller(Mail(), hostname="127.0.0.1", port=int(sys.argv[1])).start()
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Web).serve_forever()
