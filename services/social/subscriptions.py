"""The queues of the social service, as data."""

from __future__ import annotations

from shared.messaging.bus import Subscription

ARTICLES = Subscription("social.articles", ("article.*", "identity.*"))
EXPRESS = Subscription("social.articles.express", ("article.*.breaking",))

SUBSCRIPTIONS = (ARTICLES, EXPRESS)
