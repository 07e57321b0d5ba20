"""The queues of the site service, as data."""

from __future__ import annotations

from shared.messaging.bus import Subscription

ARTICLES = Subscription("site.articles", ("article.*", "identity.*"))
EXPRESS = Subscription("site.articles.express", ("article.*.breaking",))
FIGURES = Subscription("site.figures", ("outlet.reported.figures",))
"""Apart, so that no number of likes keeps an article waiting."""

SUBSCRIPTIONS = (ARTICLES, EXPRESS, FIGURES)
