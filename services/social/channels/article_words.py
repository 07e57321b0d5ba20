"""What a post says of an article, in plain words: the editor's own, else its headline; and its notices."""

from __future__ import annotations

from services.social.channels.account import Labels
from services.social.channels.plaintext import address, cleaned
from shared.contracts.articles import Article, Correction, Status


def own_words(article: Article, channel: str, link: str) -> str:
    """What the editor wrote for this channel, or "". Where the article's address stands in it, there is `link`."""
    return str(address(article.url).sub(lambda _: link, cleaned(article.social.get(channel, ""))))


def lead(article: Article) -> str:
    """Headline and standfirst, or summary where there is none."""
    parts = (cleaned(article.headline), cleaned(article.standfirst or article.summary))
    return "\n\n".join(part for part in parts if part)


def notice(article: Article, labels: Labels) -> str:
    """The article's last correction, for a post that is edited; the bare label where it has none."""
    if not article.corrections:
        return labels.get("correction", "Correction")
    last = article.corrections[-1]
    return cleaned(f"{_label(last, labels)}: {last.text}")


def notices(article: Article, told: int, labels: Labels) -> str:
    """Every correction after the first `told`, for a reply: of several in a row only the last reply is sent.

    Newest first; one without words of its own names the headline. A retracted article's only notice is
    the retraction.
    """
    if article.status is Status.RETRACTED:
        why = article.retraction.reason.strip() if article.retraction else ""
        return cleaned(f"{labels.get('retraction', 'Retraction')}: {why or article.headline}")
    said = [
        cleaned(f"{_label(one, labels)}: {one.text.strip() or article.headline}")
        for one in reversed(article.corrections[told:])
    ]
    bare = f"{labels.get('correction', 'Correction')}: {article.headline}"
    return "\n\n".join(said) or cleaned(bare)


def _label(correction: Correction, labels: Labels) -> str:
    return labels.get(correction.kind, correction.kind.capitalize())
