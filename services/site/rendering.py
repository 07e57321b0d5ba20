"""Turns articles and fronts into HTML bytes. Escapes every text; never fetches anything, never runs a script."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from services.site.domain.fronts import Front
from services.site.domain.presence import Presence, presence
from services.site.domain.reaction import NOBODY
from services.site.domain.structured_data import PAYWALL_CLASS, news_article
from services.site.domain.views import Place, article_view, direction
from shared.cards.card import hand
from shared.contracts.articles import Article
from shared.contracts.outlets import Counts
from shared.web.conditional import Prepared, prepare

HERE = Path(__file__).parent
HTML = "text/html; charset=utf-8"
_CSS_NAME = re.compile(r"[a-z][a-z0-9-]*")
_CSS_VALUE = re.compile(r"[\w#%.,()/ '\"+-]+")


class Renderer:
    """All templates, loaded once, for one publication."""

    def __init__(self, place: Place) -> None:
        self.place = place
        style = _theme(place.publication.theme) + (HERE / "static/site.css").read_text("utf-8")
        self.style = style.encode()
        self.icon = (HERE / "static/icon.svg").read_bytes()
        self.style_path = f"/assets/site.{_digest(self.style)}.css"
        self.icon_path = f"/assets/icon.{_digest(self.icon)}.svg"
        templates = HERE / "templates"
        self.dress = _digest(
            Path(__file__).read_bytes(),
            self.style,
            self.icon,
            place.publication.model_dump_json().encode(),
            place.public_url.encode(),
            bytes([place.always_card]) + hand(),
            *(path.read_bytes() for path in sorted(HERE.glob("domain/*.py"))),
            *(path.read_bytes() for path in sorted(templates.iterdir())),
        )
        """Changes whenever the same article would give other bytes: a page kept from before is remade."""
        self._environment = Environment(
            loader=FileSystemLoader(templates),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        # `tojson` then escapes <, > and & and leaves readable the rest of the world's letters.
        self._environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False}
        self._environment.globals.update(
            publication=place.publication,
            public_url=place.public_url,
            style_path=self.style_path,
            icon_path=self.icon_path,
            paywall_class=PAYWALL_CLASS,
        )

    def article(
        self, article: Article, modified: datetime, counts: Counts = NOBODY
    ) -> Prepared | None:
        """The article's page, its retraction notice (410), or None where it is not on the site."""
        there = presence(article)
        if there is Presence.ABSENT:
            return None
        view = article_view(article, self.place, counts)
        shown = there is Presence.SHOWN
        return self._page(
            "article.html.j2" if shown else "retraction.html.j2",
            modified,
            there.value,
            article.language,
            view.direction,
            article=article,
            view=view,
            body=Markup(view.body_html),  # noqa: S704 - cleaned by publishing or by `teaser`
            data=news_article(article, self.place) if shown else None,
        )

    def front(self, front: Front, modified: datetime) -> Prepared:
        """The front page or a section page."""
        language = self.place.publication.language
        return self._page(
            "front.html.j2", modified, 200, language, direction(language), front=front
        )

    def not_found(self, modified: datetime) -> Prepared:
        """The 404 page."""
        language = self.place.publication.language
        return self._page("not_found.html.j2", modified, 404, language, direction(language))

    def _page(
        self,
        template: str,
        modified: datetime,
        status: int,
        language: str,
        reads: str,
        **context: Any,
    ) -> Prepared:
        html = self._environment.get_template(template).render(
            language=language,
            direction=reads,
            words=self.place.words(language),
            paper_words=self.place.words(self.place.publication.language),
            paper_direction=direction(self.place.publication.language),
            **context,
        )
        # What cannot be encoded (a lone surrogate) becomes a question mark: no text can stop a page.
        return prepare(html.encode("utf-8", "replace"), modified, HTML, status=status)


def _theme(theme: dict[str, str]) -> str:
    """The publication's colours as custom properties. Raises ValueError for what is no plain value."""
    for name, value in theme.items():
        if not _CSS_NAME.fullmatch(name) or not _CSS_VALUE.fullmatch(value):
            raise ValueError(f"publication theme: {name} = {value!r} is not a plain CSS value")
    properties = "".join(f"--{name}:{value};" for name, value in theme.items())
    return f":root{{{properties}}}\n"


def _digest(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:16]
