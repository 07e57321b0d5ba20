"""The queues of the notifications service, as data."""

from __future__ import annotations

from shared.messaging.bus import Subscription

ARTICLES = Subscription("notifications.articles", ("article.*", "identity.*", "operator.alert"))
EXPRESS = Subscription("notifications.articles.express", ("article.*.breaking",))

SUBSCRIPTIONS = (ARTICLES, EXPRESS)
