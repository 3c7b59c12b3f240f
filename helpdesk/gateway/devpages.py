"""The addresses and the two pages of the issuer of `serve --dev`.

Plain forms without scripts, styles or cookies: a one-time code, typed each time, is all that
counts. Whoever is not on this machine, or calls it by another name, gets nothing.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from litestar import Request, Response, Router, get, post
from litestar.exceptions import PermissionDeniedException
from litestar.response import Redirect

from helpdesk.domain.addresses import is_loopback
from helpdesk.domain.errors import BadInput, Unauthorised
from helpdesk.gateway.devgrants import CodeRequest, Denied, DeviceRequest
from helpdesk.gateway.devissuer import CLIENT

if TYPE_CHECKING:
    from helpdesk.gateway.devissuer import DevIssuer

FORM_LIMIT: Final = 16_384
"""Bytes of a form that are read."""

_BROUGHT: Final = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
"""Headers of proxies that bring somebody from elsewhere."""

_UNSEEN: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}

_PAGE: Final = {
    **_UNSEEN,
    # Browsers hold a redirect after a form to `form-action` too: the console waits on a free port.
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; "
    "form-action 'self' http://127.0.0.1:*",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def issuer_router(dev: DevIssuer) -> Router:
    """Return the issuer's routes, to be mounted below its path."""
    return Router(
        path=urlsplit(dev.issuer.url).path or "/",
        route_handlers=[*_documents(dev), *_token_routes(dev), *_authorize(dev), *_device(dev)],
        before_request=_from_here,
        include_in_schema=False,
        request_max_body_size=FORM_LIMIT,
    )


def _from_here(request: Request[Any, Any, Any]) -> None:
    """Refuse whoever is elsewhere, and a name of elsewhere that was made to point here.

    Whoever is brought here by a proxy is elsewhere too. What another page sends in a browser of
    this machine is refused: it could use up the tries and the requests of all agents.
    """
    headers = request.headers
    name = headers.get("host", "")
    host = _split(f"//{name}").hostname or ""
    if request.client is None or not is_loopback(request.client.host) or not is_loopback(host):
        raise PermissionDeniedException("This issuer answers this machine alone.")
    if any(each in headers for each in _BROUGHT):
        raise PermissionDeniedException("This issuer answers this machine alone.")
    is_own = headers.get("sec-fetch-site", "none") in {"none", "same-origin"}
    origin = headers.get("origin", "null")
    if request.method == "POST" and not (is_own and _split(origin).netloc in {"", name}):
        raise PermissionDeniedException("Another page may not speak for this one.")


def _documents(dev: DevIssuer) -> list[Any]:
    @get("/.well-known/openid-configuration", sync_to_thread=False)
    def discovery() -> dict[str, Any]:
        return dev.metadata()

    @get("/jwks", sync_to_thread=False)
    def keys() -> dict[str, Any]:
        return dev.key_set()

    return [discovery, keys]


def _token_routes(dev: DevIssuer) -> list[Any]:
    @post("/token", status_code=200)
    async def token(request: Request[Any, Any, Any]) -> Response[dict[str, Any]]:
        try:
            return Response(dev.granted(await _form(request)), headers=_UNSEEN)
        except Denied as denied:
            return _denied(denied.error)
        except Unauthorised as error:
            return _denied("invalid_grant", str(error))

    @post("/device_authorization", status_code=200)
    async def device_authorization(request: Request[Any, Any, Any]) -> Response[dict[str, Any]]:
        host = request.client.host if request.client else ""
        try:
            return Response(dev.device_begun(await _form(request), host), headers=_UNSEEN)
        except Denied as denied:
            return _denied(denied.error)

    @post("/revoke", status_code=200)
    async def revoke(request: Request[Any, Any, Any]) -> Response[None]:
        dev.revoke((await _form(request)).get("token", ""))
        return Response(None, headers=_UNSEEN)

    return [token, device_authorization, revoke]


def _authorize(dev: DevIssuer) -> list[Any]:
    @get("/authorize", sync_to_thread=False)
    def ask(request: Request[Any, Any, Any]) -> Response[str]:
        try:
            _code_request(_query(request))
        except BadInput as error:
            return _page(_says(error), 400)
        return _page(_ONE_TIME_FORM)

    @post("/authorize", status_code=200)
    async def answer(request: Request[Any, Any, Any]) -> Response[Any]:
        query = _query(request)
        try:
            wanted = _code_request(query)
            form = await _form(request)
            back = {"state": query["state"], "iss": dev.issuer.url}
            if form.get("do") == "cancel":
                back["error"] = "access_denied"
            else:
                back["code"] = dev.grants.code(dev.codes.use(form.get("one_time", "")), wanted)
        except BadInput as error:
            return _page(_says(error), 400)
        except Unauthorised as error:
            return _page(_says(error) + _ONE_TIME_FORM, 403)
        address = f"{wanted.redirect_uri}?{urlencode(back)}"
        return Redirect(address, status_code=303, headers=_PAGE)

    return [ask, answer]


def _device(dev: DevIssuer) -> list[Any]:
    @get("/device", sync_to_thread=False)
    def ask(request: Request[Any, Any, Any]) -> Response[str]:
        user_code = _query(request).get("user_code", "")
        if not user_code:
            return _page(_USER_CODE_FORM)
        try:
            return _page(_device_form(dev.grants.device(user_code)))
        except Unauthorised as error:
            return _page(_says(error) + _USER_CODE_FORM, 404)

    @post("/device", status_code=200)
    async def answer(request: Request[Any, Any, Any]) -> Response[str]:
        form = await _form(request)
        try:
            waiting = dev.grants.device(form.get("user_code", ""))
        except Unauthorised as error:
            return _page(_says(error) + _USER_CODE_FORM, 404)
        if form.get("do") == "cancel":
            waiting.is_denied = True
            return _page("<p>The console was refused. You can close this page.</p>")
        try:
            waiting.sign_in = dev.grants.begin(dev.codes.use(form.get("one_time", "")))
        except Unauthorised as error:
            return _page(_says(error) + _device_form(waiting), 403)
        return _page("<p>You are signed in. Go back to the console.</p>")

    return [ask, answer]


def _code_request(query: dict[str, str]) -> CodeRequest:
    """Return what a console asks for.

    Raises:
        BadInput: It is not this console, or what it asks for is not safe; nobody is sent anywhere.
    """
    target = query.get("redirect_uri", "")
    parts = _split(target)
    is_console = (
        query.get("client_id") == CLIENT
        and parts.scheme == "http"
        and parts.hostname == "127.0.0.1"
        and target == f"http://{parts.netloc}/callback"
        and "@" not in parts.netloc
    )
    if not is_console:
        raise BadInput("This is no console of this desk. Begin again at the console.")
    if query.get("response_type") != "code" or query.get("code_challenge_method") != "S256":
        raise BadInput("This console signs in in a way that is not taken here.")
    challenge, state = query.get("code_challenge", ""), query.get("state", "")
    if len(challenge) != 43 or not state:
        raise BadInput("This console signs in in a way that is not taken here.")
    return CodeRequest(redirect_uri=target, challenge=challenge, nonce=query.get("nonce", ""))


def _query(request: Request[Any, Any, Any]) -> dict[str, str]:
    return _pairs(request.scope["query_string"].decode("latin-1"))


async def _form(request: Request[Any, Any, Any]) -> dict[str, str]:
    return _pairs((await request.body()).decode("utf-8", "replace"))


def _pairs(text: str) -> dict[str, str]:
    """Return the fields of a form or a query; none where there are more than any console sends."""
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=40))
    except ValueError:
        return {}


def _split(address: str) -> SplitResult:
    """Return an address in its parts; empty ones where it is none."""
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")


def _denied(error: str, says: str = "") -> Response[dict[str, Any]]:
    body = {"error": error, **({"error_description": says} if says else {})}
    return Response(body, status_code=401 if error == "invalid_client" else 400, headers=_UNSEEN)


def _says(error: Exception) -> str:
    return f"<p><strong>{html.escape(str(error))}</strong></p>"


def _page(body: str, status: int = 200) -> Response[str]:
    return Response(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Sign in</title>'
        f"<h1>Sign in to the help desk (demonstration)</h1>{body}</html>",
        status_code=status,
        media_type="text/html",
        headers=_PAGE,
    )


_CODE_FIELD: Final = (
    '<p><label>Your one-time code, printed where the desk was started: <input name="one_time" '
    'autocomplete="off" autofocus></label></p>'
    '<p><button name="do" value="sign-in">Sign in</button> '
    '<button name="do" value="cancel">Cancel</button></p>'
)

_ONE_TIME_FORM: Final = f'<form method="post">{_CODE_FIELD}</form>'

_USER_CODE_FORM: Final = (
    '<form method="get"><p><label>The code your console shows: <input name="user_code" '
    'autocomplete="off" autofocus></label></p><p><button>Go on</button></p></form>'
)


def _device_form(request: DeviceRequest) -> str:
    return (
        f"<p>A console at {html.escape(request.asked_from)} shows the code "
        f"<strong>{html.escape(request.user_code)}</strong> and asks to work as you.</p>"
        "<p><strong>Go on only if you see this code on your own console now. "
        "Nobody may send it to you.</strong></p>"
        f'<form method="post"><input type="hidden" name="user_code" '
        f'value="{html.escape(request.user_code)}">{_CODE_FIELD}</form>'
    )
