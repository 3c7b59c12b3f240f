"""The connector on the small Okta, with every exchange held against Okta's own description.

`HELPDESK_OKTA_DESCRIPTION` names that description: an OpenAPI document, the part that the desk
uses, mended where it contradicts its own examples. It is the vendor's and not part of this
project; without it the exchanges are not held against anything.
"""

from __future__ import annotations

import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import jsonschema

from helpdesk.connectors.exchange import Answer, Request
from helpdesk.connectors.okta.api import Okta
from helpdesk.connectors.okta.connector import OktaConnector
from helpdesk.connectors.okta.signing import ApiToken, Signer
from tests.labs.okta.server import Lab
from tests.labs.okta.signin import TOKEN
from tests.labs.troubles import Cut

VARIABLE = "HELPDESK_OKTA_DESCRIPTION"
NOT_DESCRIBED = frozenset({401, 405, 500})
"""Statuses that Okta gives and its description leaves out."""


class Wire(httpx.AsyncBaseTransport):
    """Carries requests to the lab; a cut there is a cut here."""

    def __init__(self, lab: Lab) -> None:
        self._inner = httpx.ASGITransport(lab)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one."""
        try:
            return await self._inner.handle_async_request(request)
        except Cut as error:
            raise httpx.ReadError("cut") from error


@cache
def description() -> dict[str, Any] | None:
    """Okta's description, or None where none is named."""
    named = os.environ.get(VARIABLE)
    if not named:
        return None
    found: dict[str, Any] = json.loads(Path(named).read_text("utf-8"))
    # Its own example of an enrolled mailbox has no number.
    found["components"]["schemas"].get("AuthenticatorProfile", {}).pop("required", None)
    found["as json schema"] = _json_schema(found["components"])
    return found


def connector(lab: Lab, signer: Signer | None = None, **more: Any) -> OktaConnector:
    """The connector on a lab, with nothing kept between two questions."""
    api = Okta(
        lab.tenant.org,
        signer or ApiToken(lambda: TOKEN),
        transport=Wire(lab),
        hooks=held,
        patience_s=more.pop("patience_s", 0.0),
    )
    ticks = iter(range(10**9))
    given: dict[str, Any] = {
        "name": "okta",
        "products": {"": "constant-contact"},
        "elapsed": lambda: 9.0 * next(ticks),
    }
    return OktaConnector(api, **given | more)


def held(request: Request, answer: Answer) -> None:
    """Hold one exchange against the description, where there is one."""
    document = description()
    parts = urlsplit(request.url)
    is_broken = "x-lab-fault" in answer.headers or answer.status in NOT_DESCRIBED
    if document is None or parts.path in UNDESCRIBED or is_broken:
        return
    path, operation = _operation(document, request.method, parts.path)
    where = f"{request.method} {path}"
    known = {p["name"]: p for p in _parameters(document, path, operation) if p["in"] == "query"}
    for name, value in parse_qsl(parts.query):
        assert name in known, f"{where}: {name} is not described"
        _fits(document, known[name].get("schema", {}), _typed(value), f"{where}?{name}")
    if request.body:
        content = _followed(document, operation["requestBody"])["content"]["application/json"]
        _fits(document, content["schema"], json.loads(request.body), where)
    assert f"{answer.status}" in operation["responses"], f"{where}: {answer.status}"
    told = _followed(document, operation["responses"][f"{answer.status}"])
    schema = told.get("content", {}).get("application/json", {}).get("schema")
    media = answer.headers.get("content-type", "")
    if schema and answer.body and media.startswith("application/json"):
        found = json.loads(answer.body)
        found = found[:20] if isinstance(found, list) else found
        _fits(document, schema, found, f"{where} {answer.status}")


UNDESCRIBED = frozenset({"/oauth2/v1/token", "/api/v1/org/email/bounces/remove-list"})
"""Paths that the part of the description does not hold."""


def _operation(document: dict[str, Any], method: str, path: str) -> tuple[str, dict[str, Any]]:
    fits = [
        (name, item)
        for name, item in document["paths"].items()
        if method.lower() in item and re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", name), path)
    ]
    assert fits, f"{method} {path} is not described"
    name, item = min(fits, key=lambda found: found[0].count("{"))
    return name, item[method.lower()]


def _parameters(
    document: dict[str, Any], path: str, operation: dict[str, Any]
) -> list[dict[str, Any]]:
    listed = [*operation.get("parameters", []), *document["paths"][path].get("parameters", [])]
    return [_followed(document, one) for one in listed]


def _followed(document: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        found: Any = document
        for key in part["$ref"].removeprefix("#/").split("/"):
            found = found[key]
        part = found
    return part


def _typed(value: str) -> Any:
    if value in {"true", "false"}:
        return value == "true"
    return int(value) if value.isdigit() else value


def _fits(document: dict[str, Any], schema: dict[str, Any], value: Any, where: str) -> None:
    whole = {**_json_schema(schema), "components": document["as json schema"]}
    errors = sorted(jsonschema.Draft202012Validator(whole).iter_errors(value), key=str)
    assert not errors, f"{where}: {errors[0].json_path}: {errors[0].message}"


def _json_schema(part: Any) -> Any:
    """OpenAPI 3.0 as JSON Schema: `nullable` is a type of its own there."""
    if isinstance(part, list):
        return [_json_schema(one) for one in part]
    if not isinstance(part, dict):
        return part
    found = {key: _json_schema(value) for key, value in part.items() if key != "discriminator"}
    if found.pop("nullable", False) and isinstance(found.get("type"), str):
        found["type"] = [found["type"], "null"]
        if "enum" in found and None not in found["enum"]:
            found["enum"] = [*found["enum"], None]
    return found
