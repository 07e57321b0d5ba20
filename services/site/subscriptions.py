"""The queues of the site service, as data."""

from __future__ import annotations

from shared.messaging.bus import Subscription

ARTICLES = Subscription("site.articles", ("article.*", "identity.*"))
EXPRESS = Subscription("site.articles.express", ("article.*.breaking",))

SUBSCRIPTIONS = (ARTICLES, EXPRESS)
