"""The bytes of a mail: stable, valid, and closed to whatever an article's words try to smuggle in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.notifications.mail import letters
from services.notifications.mail.compose import Envelope, Masthead, compose
from services.notifications.mail.letters import Image, Letter, Link
from shared.contracts.articles import Article, Correction, LeadImage, Rendition

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
MASTHEAD = Masthead("The Example Courier", "news@courier.example", "bounce@courier.example")
LEAVE = "https://courier.example/api/v1/subscriptions/unsubscribe?t=" + "x" * 80
MakeArticle = Callable[..., Article]
# Everything, and much of what breaks headers and lines.
Words = st.text(
    st.one_of(st.characters(), st.sampled_from("\r\n\t\x00\x0b\x0c\x1c\x85\u2028\u2029:=?<>&\"'")),
    max_size=300,
)
HEADERS = {
    "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "List-Id", "List-Unsubscribe",
    "List-Unsubscribe-Post", "MIME-Version", "Content-Type",
}  # fmt: skip


def _compose(letter: Letter, masthead: Masthead = MASTHEAD, key: str = "k") -> Envelope:
    return compose(
        letter,
        masthead,
        recipient="ann@readers.example",
        key=key,
        dated=NOW,
        list_name="alerts",
        leave_url=LEAVE,
    )


def _read(envelope: Envelope) -> EmailMessage:
    message = message_from_bytes(envelope.message.encode("ascii"), policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def _body(envelope: Envelope, kind: str) -> str:
    part = _read(envelope).get_body((kind,))
    assert part is not None
    content: str = part.get_content()
    return content


@given(subject=Words, title=Words, text=Words, publication=Words, language=Words)
@settings(deadline=None, max_examples=500)
def test_no_words_reach_the_headers_as_anything_but_a_value(
    subject: str, title: str, text: str, publication: str, language: str
) -> None:
    image = Image("https://x.example/1.jpg", text)
    letter = Letter(subject, language, title, (text,), text, image, Link(text, f"https://x/{text}"))
    envelope = _compose(letter, replace(MASTHEAD, name=publication))
    raw = envelope.message
    assert raw.isascii()
    assert "\x00" not in raw
    assert raw.count("\n") == raw.count("\r\n") == raw.count("\r")
    assert max(len(line) for line in raw.split("\r\n")) <= 998
    head = raw.partition("\r\n\r\n")[0]
    names = [line.partition(":")[0] for line in head.split("\r\n") if line[0] not in " \t"]
    assert sorted(names) == sorted(HEADERS)
    for line in head.split("\r\n"):
        assert line.startswith((" ", "List-Unsubscribe:")) or len(line) <= 78
    message = _read(envelope)
    assert not message.defects
    assert [address.addr_spec for address in message["To"].addresses] == ["ann@readers.example"]
    assert [address.addr_spec for address in message["From"].addresses] == ["news@courier.example"]
    kinds = [part.get_content_type() for part in message.iter_parts()]
    assert kinds == ["text/plain", "text/html"]


@given(token=st.from_regex(r"[A-Za-z0-9._-]{1,700}", fullmatch=True))
def test_the_way_out_is_one_unfolded_address(token: str) -> None:
    url = f"https://courier.example/u?t={token}"
    envelope = compose(
        Letter("S", "en", "T"),
        MASTHEAD,
        recipient="ann@readers.example",
        key="k",
        dated=NOW,
        list_name="alerts",
        leave_url=url,
    )
    assert f"\r\nList-Unsubscribe: <{url}>\r\n" in envelope.message
    assert "\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in envelope.message
    assert "\r\nList-Id: <alerts.courier.example>\r\n" in envelope.message


def test_a_mail_that_is_no_list_mail_has_no_list_headers() -> None:
    envelope = compose(
        Letter("S", "en", "T"), MASTHEAD, recipient="ann@readers.example", key="k", dated=NOW
    )
    assert not [name for name in _read(envelope) if name.startswith("List-")]
    assert "nsubscribe" not in envelope.message


def test_the_same_input_is_the_same_bytes_and_each_key_its_own_id() -> None:
    letter = Letter("S", "en", "T", ("Words",))
    assert _compose(letter) == _compose(letter)
    assert _compose(letter, key="a").message_id != _compose(letter, key="b").message_id
    assert _read(_compose(letter))["Message-ID"] == _compose(letter).message_id
    assert _compose(letter).message_id.endswith("@courier.example>")
    assert _read(_compose(letter))["Date"].datetime == NOW
    assert _read(_compose(letter))["Auto-Submitted"] == "auto-generated"
    assert _compose(letter).sender == "bounce@courier.example"


def test_a_subject_is_read_back_and_a_long_one_is_cut() -> None:
    assert _read(_compose(Letter("Größe — 東京", "en", "T")))["Subject"] == "Größe — 東京"
    subject = str(_read(_compose(Letter("ä" * 300, "en", "T")))["Subject"])
    assert len(subject) == 200
    assert subject.endswith("…")


def test_markup_in_words_stays_words() -> None:
    html = _body(_compose(Letter("S", "en", "<script>x</script>", ("a <b> & c",))), "html")
    assert "<script>" not in html
    assert "a &lt;b&gt; &amp; c" in html
    assert "a <b> & c" in _body(_compose(Letter("S", "en", "T", ("a <b> & c",))), "plain")


@pytest.mark.parametrize(
    ("language", "direction"), [("en", "ltr"), ("ar", "rtl"), ("he-IL", "rtl")]
)
def test_the_html_runs_as_its_language_does(language: str, direction: str) -> None:
    html = _body(_compose(Letter("S", language, "T")), "html")
    assert f'<html lang="{language}" dir="{direction}">' in html


def _image(*widths: int) -> LeadImage:
    return LeadImage(
        media_id="m",
        alt="A quay at dawn",
        renditions=tuple(
            Rendition(
                name=str(width),
                url=f"https://courier.example/media/m/{width}.jpg",
                width=width,
                height=10,
                media_type="image/jpeg",
                size=1,
            )
            for width in widths
        ),
    )


def test_an_alert_shows_headline_standfirst_image_and_link_but_no_body(
    article: MakeArticle,
) -> None:
    found = article(
        headline="Harbour reopens",
        standfirst="After nine days.",
        body="The secret paragraph.",
        body_html="<p>The secret paragraph.</p>",
        access="premium",
        lead_image=_image(2400, 1200, 600),
    )
    envelope = _compose(letters.alert(found))
    for kind in ("plain", "html"):
        body = _body(envelope, kind)
        assert "Harbour reopens" in body
        assert "After nine days." in body
        assert found.url in body
        assert "secret" not in body
        assert LEAVE in body
    html = _body(envelope, "html")
    assert 'src="https://courier.example/media/m/1200.jpg" alt="A quay at dawn"' in html


@pytest.mark.parametrize(
    ("widths", "chosen"), [((300, 600), "600"), ((4000, 1300, 1200), "1200"), ((), None)]
)
def test_the_smallest_picture_that_is_sharp_enough(
    article: MakeArticle, widths: tuple[int, ...], chosen: str | None
) -> None:
    image = letters.alert(article(lead_image=_image(*widths))).image
    assert (image.url if image else None) == (
        f"https://courier.example/media/m/{chosen}.jpg" if chosen else None
    )


@given(number=st.integers(1, 3))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_correction_says_its_own_notice(article: MakeArticle, number: int) -> None:
    found = article(
        headline="Harbour reopens",
        corrections=tuple(
            Correction(at=NOW, kind="correction" if n < 3 else "clarification", text=f"Notice {n}.")
            for n in (1, 2, 3)
        ),
    )
    letter = letters.correction(found, number)
    assert letter.paragraphs == (f"Notice {number}.",)
    assert letter.subject == (
        "Clarification: Harbour reopens" if number == 3 else "Correction: Harbour reopens"
    )
