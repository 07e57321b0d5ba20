"""The queues of the sitemap service, as data."""

from __future__ import annotations

from shared.messaging.bus import Subscription

ARTICLES = Subscription("sitemap.articles", ("article.*", "identity.*"))
EXPRESS = Subscription("sitemap.articles.express", ("article.*.breaking",))

SUBSCRIPTIONS = (ARTICLES, EXPRESS)
