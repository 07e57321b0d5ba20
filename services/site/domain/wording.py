"""The site's own words in each language it speaks. An article in another language gets the paper's words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Wording:
    """`{…}` marks what is put in."""

    by: str
    published: str
    updated: str
    correction: str
    clarification: str
    retracted: str
    retraction: str
    subscribe: str
    subscribers_only: str
    authors: str
    topics: str
    follow: str
    support: str
    breaking: str
    latest: str
    sections: str
    nothing_yet: str
    not_found: str
    not_found_text: str
    front_page: str
    to_content: str
    premium: str
    reaction: str
    likes: str
    reposts: str
    quotes: str
    shares: str
    replies: str


_ENGLISH = Wording(
    by="By {names}",
    published="Published on",
    updated="Updated",
    correction="Correction",
    clarification="Clarification",
    retracted="Retracted",
    retraction="This article has been retracted and its text removed.",
    subscribe="Subscribe to keep reading",
    subscribers_only="The rest of this article is for subscribers.",
    authors="About the author",
    topics="Topics",
    follow="Follow us",
    support="Support our journalism",
    breaking="Breaking",
    latest="Latest",
    sections="Sections",
    nothing_yet="Nothing has been published here yet.",
    not_found="This page is not here",
    not_found_text="It may have moved, or it was never published. The front page has today’s news.",
    front_page="Front page",
    to_content="Skip to the content",
    premium="For subscribers",
    reaction="On social networks",
    likes="Likes",
    reposts="Reposts",
    quotes="Quotes",
    shares="Shares",
    replies="Replies",
)

_ARABIC = Wording(
    by="بقلم {names}",
    published="نُشر في",
    updated="آخر تحديث",
    correction="تصحيح",
    clarification="توضيح",
    retracted="مسحوب",
    retraction="سُحب هذا المقال وأُزيل نصّه.",
    subscribe="اشترك لمتابعة القراءة",
    subscribers_only="بقية هذا المقال متاحة للمشتركين.",
    authors="عن الكاتب",
    topics="مواضيع",
    follow="تابعونا",
    support="ادعموا صحافتنا",
    breaking="عاجل",
    latest="أحدث الأخبار",
    sections="الأقسام",
    nothing_yet="لم يُنشر شيء هنا بعد.",
    not_found="هذه الصفحة غير موجودة",
    not_found_text="ربما نُقلت أو لم تُنشر قط. تجدون أخبار اليوم في الصفحة الأولى.",
    front_page="الصفحة الأولى",
    to_content="انتقل إلى المحتوى",
    premium="للمشتركين",
    reaction="على شبكات التواصل",
    likes="الإعجابات",
    reposts="إعادات النشر",
    quotes="الاقتباسات",
    shares="المشاركات",
    replies="الردود",
)

_PORTUGUESE = Wording(
    by="Por {names}",
    published="Publicado a",
    updated="Atualizado a",
    correction="Correção",
    clarification="Esclarecimento",
    retracted="Retirado",
    retraction="Este artigo foi retirado e o seu texto removido.",
    subscribe="Assine para continuar a ler",
    subscribers_only="O resto deste artigo é para assinantes.",
    authors="Sobre o autor",
    topics="Temas",
    follow="Siga-nos",
    support="Apoie o nosso jornalismo",
    breaking="Última hora",
    latest="Mais recentes",
    sections="Secções",
    nothing_yet="Ainda nada foi publicado aqui.",
    not_found="Esta página não está aqui",
    not_found_text="Pode ter mudado de lugar ou nunca ter sido publicada. A primeira página tem as notícias.",
    front_page="Primeira página",
    to_content="Saltar para o conteúdo",
    premium="Para assinantes",
    reaction="Nas redes sociais",
    likes="Gostos",
    reposts="Republicações",
    quotes="Citações",
    shares="Partilhas",
    replies="Respostas",
)

_LANGUAGES = {"en": _ENGLISH, "ar": _ARABIC, "pt": _PORTUGUESE}


def wording(language: str, fallback: str) -> Wording:
    """By the tag's primary language: the article's, else the publication's, else English."""
    for tag in (language, fallback):
        words = _LANGUAGES.get(tag.partition("-")[0].lower())
        if words is not None:
            return words
    return _ENGLISH
