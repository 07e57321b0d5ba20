"""The article as machines read it: schema.org NewsArticle. Says nothing that the page does not show.

Source: developers.google.com/search/docs/appearance/structured-data/article and .../paywalled-content;
schema.org/NewsArticle, /correction.
"""

from __future__ import annotations

from typing import Any

from services.site.domain.moments import moment
from services.site.domain.pictures import shared_images
from services.site.domain.views import Place, web_address
from shared.contracts.articles import Article, Byline

PAYWALL_CLASS = "paywall"


def news_article(article: Article, place: Place) -> dict[str, Any]:
    """JSON-LD of a published article; whoever embeds it must escape it for HTML."""
    paper = {
        "@type": "NewsMediaOrganization",
        "name": place.publication.name,
        "url": f"{place.public_url}/",
    }
    locale = place.locale(article.language)
    document: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "mainEntityOfPage": {"@type": "WebPage", "@id": article.url},
        "url": article.url,
        "headline": article.headline,
        "description": article.summary or article.standfirst,
        "inLanguage": article.language,
        "articleSection": place.publication.section_name(article.section),
        "keywords": list(article.tags),
        "image": shared_images(article.lead_image),
        "datePublished": moment(article.published_at, locale, place.zone).machine
        if article.published_at
        else None,
        "dateModified": moment(article.updated_at, locale, place.zone).machine,
        "author": [_person(byline) for byline in article.bylines] or [paper],
        "publisher": paper,
        "isAccessibleForFree": article.access == "free",
        "correction": [
            {
                "@type": "CorrectionComment",
                "text": notice.text,
                "datePublished": moment(notice.at, locale, place.zone).machine,
            }
            for notice in article.corrections
        ],
    }
    if article.access == "premium":
        document["hasPart"] = {
            "@type": "WebPageElement",
            "isAccessibleForFree": False,
            "cssSelector": f".{PAYWALL_CLASS}",
        }
    # An empty list or text would be read as a statement; leaving it out says nothing.
    return {name: value for name, value in document.items() if value not in (None, "", [])}


def _person(byline: Byline) -> dict[str, Any]:
    person = {
        "@type": "Person",
        "name": byline.name,
        "jobTitle": byline.role,
        "url": web_address(byline.url),
    }
    return {name: value for name, value in person.items() if value}
