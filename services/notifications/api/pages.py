"""The small pages behind the links in mails: one sentence, one form, one button. No script, no cookie."""

from __future__ import annotations

import base64
import hashlib

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

from shared.runtime.publication import Publication, is_right_to_left

_STYLE = (
    "body{margin:0;background:#fff;color:#1a1a1a;font:18px/1.5 Georgia,serif}"
    "main{max-width:36rem;margin:4rem auto;padding:0 1rem}"
    ".publication{font:14px Arial,sans-serif;color:#5c5c5c}"
    "h1{font-size:1.75rem;line-height:1.25}"
    "button{font:16px Arial,sans-serif;padding:.75rem 1.25rem;border:0;background:#1a1a1a;"
    "color:#fff;cursor:pointer}"
    "button:focus-visible{outline:3px solid #0b5fff;outline-offset:2px}"
    "@media(prefers-color-scheme:dark){body{background:#161616;color:#eee}"
    "button{background:#eee;color:#161616}.publication{color:#aaa}}"
)
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    # The address holds the token: it is neither kept nor passed on.
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
}

_PAGE = Environment(
    loader=PackageLoader("services.notifications.api"), autoescape=True, undefined=StrictUndefined
).get_template("page.html")


def page(
    publication: Publication, title: str, text: str, *, button: str = "", status: int = 200
) -> web.Response:
    """A page; with `button` its form posts to the very address it was opened at."""
    body = _PAGE.render(
        language=publication.language,
        direction="rtl" if is_right_to_left(publication.language) else "ltr",
        publication=publication.name,
        title=title,
        text=text,
        button=button,
        style=_STYLE,
    )
    return web.Response(status=status, text=body, content_type="text/html", headers=HEADERS)
