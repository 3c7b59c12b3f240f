"""The gateway's own description: OpenAPI 3.1, made from the table and from the forms themselves."""

from __future__ import annotations

import functools
from typing import Any, Final

import msgspec

from helpdesk import __version__
from helpdesk.domain.cases import Case, Outcome
from helpdesk.gateway import problems, travelling, wire
from helpdesk.gateway.endpoints import ENDPOINTS, RIGHTS, Endpoint
from helpdesk.gateway.problems import TITLES, Problem

_REF: Final = "#/components/schemas/{name}"
_SENT: Final[dict[Any, Any]] = {Case: travelling.WireCase, Outcome: travelling.WireOutcome}

EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    "find": {"query": {"words": ["maya"], "product": ["sms-2fa"]}, "limit": 50},
    "whose": {"name": "u2"},
    "original": {"event": "e1"},
    "challenges": {"query": {"went": "refused"}},
    "loops": {"limit": 20},
    "tickets": {"query": {"words": ["4822"]}},
    "log": {"query": {"words": ["reset-all"]}},
    "why": {"said": [{"ask": "D1/D2", "reply": "later"}]},
    "drift": {"codes": ["123456"]},
    "ways": {"act": "reset-factor", "factor": "u2-f1"},
    "ask_proof": {"method": "code", "channel": "u2-f1", "ticket": "4822"},
    "answer_proof": {"answer": "123456"},
    "approve": {"is_granted": False, "says": "The letter is not signed."},
    "undo": {},
    "carry_out_due": {},
    "settle": {},
    "sign_out": {},
    "inspect_log": {},
    "reconcile_log": {},
    "checkpoint": {},
    "export_log": {"is_clear": False},
    "erase_log": {"before": "2024-01-01T00:00:00Z"},
    "accept_log": {"reason": "The backup of Monday was put back."},
    "tray": {"user": "u2"},
    "bundle": {},
    "withdraw": {},
    "weigh": {"action": {"act": "reset-factor", "user": "u2", "factor": "u2-f1"}},
    "perform": {"action": {"act": "note", "user": "u2", "text": "Called back at ten."}},
}
"""What a question may look like, by endpoint."""

PLACES: Final = {
    "user": "u2",
    "approval": "a1f3c9",
    "hold": "h09ab1",
    "key": "uT8n2Qx0vYp4Zr7LwKd1Hs3B",
}

_SEEN: Final = {
    "path.user": "$response.body#/user/id",
    "header.If-Match": "$response.header.ETag",
}

_LINKS: Final[dict[str, dict[str, Any]]] = {
    "find": {"case": {"operationId": "case", "parameters": {"user": "$response.body#/rows/0/id"}}},
    "case": {
        "ask_proof": {"operationId": "ask_proof", "parameters": _SEEN},
        "drift": {"operationId": "drift", "parameters": _SEEN},
        "perform": {
            "operationId": "perform",
            "parameters": {"header.If-Match": "$response.header.ETag"},
            "requestBody": {
                "action": {"act": "note", "user": "$response.body#/user/id", "text": "Seen."}
            },
        },
    },
}
"""What one answer gives the next question: a change rests on the case as it was seen."""

_ALWAYS: Final = (400, 401, 403, 404, 409, 422, 429, 503)


@functools.cache
def document() -> bytes:
    """Return the description as JSON."""
    return msgspec.json.encode(described())


def described() -> dict[str, Any]:
    """Return the description as plain values."""
    gives = [_SENT.get(one.gives, one.gives) for one in ENDPOINTS.values()]
    asks = [one.asks for one in ENDPOINTS.values()]
    schemas, components = msgspec.json.schema_components(
        (*gives, *asks, Problem), ref_template=_REF
    )
    given = dict(zip(ENDPOINTS, schemas, strict=False))
    paths: dict[str, Any] = {}
    for one in ENDPOINTS.values():
        form = components[one.asks.__name__]
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, form, given[one.name])
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "helpdesk gateway",
            "version": __version__,
            "description": "What the desk can be asked and told. Every change is weighed by the "
            "product's card and recorded; a change with the same Idempotency-Key is done once.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "signIn": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            },
        },
        "security": [{"signIn": []}],
    }


def _operation(one: Endpoint, form: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": one.name,
        "summary": one.says,
        "tags": ["changes" if one.is_write else "questions"],
        "x-roles": sorted(RIGHTS.get(one.name, frozenset())),
        "parameters": [*_parameters(one, form), *_headers(one)],
        "responses": _responses(one, given),
    }
    if one.method == "POST":
        example = EXAMPLES[one.name]
        found["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _body(one, form), "example": example}},
        }
    return found


def _parameters(one: Endpoint, form: dict[str, Any]) -> list[dict[str, Any]]:
    """What stands in the address: places, and for a question without a body the rest."""
    names = one.places if one.method == "POST" else tuple(form["properties"])
    return [
        {
            "name": name,
            "in": "path" if name in one.places else "query",
            "required": name in one.places,
            "schema": _placed(name in one.places, form["properties"][name]),
            **({"example": PLACES[name]} if name in one.places else {}),
        }
        for name in names
    ]


def _placed(is_in_path: bool, schema: dict[str, Any]) -> dict[str, Any]:
    """A place is never empty, and no part of an address holds a slash."""
    if not is_in_path or "pattern" in schema:
        return schema
    return schema | {"minLength": 1, "pattern": r"^[A-Za-z0-9_.:~-]+$"}


def _headers(one: Endpoint) -> list[dict[str, Any]]:
    found = [_agent()]
    if one.is_write:
        schema = {"type": "string", "pattern": r"^[\x21-\x7e]{16,255}$"}
        found.append(_header(wire.KEY_HEADER, schema, PLACES["key"]))
    if one.is_matched:
        schema = {"type": "string", "pattern": r'^"[0-9a-f]{32}"$'}
        found.append(_header("If-Match", schema, '"00000000000000000000000000000000"'))
    return found


def _agent() -> dict[str, Any]:
    """Whose console asks; left out of examples, for nobody but that agent may send it."""
    schema = {"type": "string", "maxLength": 400}
    says = "The agent's id, percent-encoded: whoever else is signed in gets 403."
    return {
        "name": wire.AGENT_HEADER, "in": "header", "required": False, "schema": schema,
        "description": says,
    }  # fmt: skip


def _header(name: str, schema: dict[str, Any], example: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": True, "schema": schema, "example": example}


def _body(one: Endpoint, form: dict[str, Any]) -> dict[str, Any]:
    rest = {name: part for name, part in form["properties"].items() if name not in one.places}
    needed = [name for name in form.get("required", ()) if name not in one.places]
    return {
        "type": "object",
        "properties": rest,
        "required": needed,
        "additionalProperties": False,
    }


def _responses(one: Endpoint, given: dict[str, Any]) -> dict[str, Any]:
    media = "text/event-stream" if one.name == "changed" else "application/json"
    schema = {"type": "string"} if one.name == "changed" else given
    ok: dict[str, Any] = {"description": one.says, "content": {media: {"schema": schema}}}
    if one.is_matched or one.name == "case":
        ok["headers"] = {"ETag": {"schema": {"type": "string"}}}
    if one.name in _LINKS:
        ok["links"] = _LINKS[one.name]
    statuses = set(_ALWAYS)
    statuses |= {413, 415} if one.method == "POST" else set()
    statuses |= {412, 428} if one.is_matched else set()
    statuses |= {410} if one.asks is wire.After else set()
    return {"200": ok, **{str(status): _problem(status) for status in sorted(statuses)}}


def _problem(status: int) -> dict[str, Any]:
    example = {
        "type": f"{problems.SPACE}not-found",
        "title": TITLES[404],
        "status": 404,
        "detail": "There is no user u0 here. Try: helpdesk find u0",
    }
    media: dict[str, Any] = {"schema": {"$ref": _REF.format(name="Problem")}}
    if status == 404:
        media["example"] = example
    return {"description": TITLES[status], "content": {problems.MEDIA_TYPE: media}}
