"""What the sandbox's page shows: every text whole, replies below their post whatever their order."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from services.social.channels.base import VisiblePost
from services.social.sandbox.sight import Piece, pieces, threads

NOW = datetime(2026, 11, 25, tzinfo=UTC)


def post(number: str, reply_to: str | None = None) -> VisiblePost:
    return VisiblePost(
        number, "Herald", number, NOW, NOW, f"https://x.example/{number}", reply_to=reply_to
    )


@given(st.text(st.sampled_from("ab #@/:.?)é\u0301ש\u200f\nhttps")) | st.text())
def test_pieces_are_the_text_again(text: str) -> None:
    found = pieces(text)
    assert "".join(piece.text for piece in found) == text
    assert all(piece.text and (piece.href in {None, piece.text}) for piece in found)


def test_links_and_hashtags_are_marked_as_readers_see_them() -> None:
    assert pieces("See (https://a.org/x?y=1). #Köln, by @desk@news.social!") == [
        Piece("See ("),
        Piece("https://a.org/x?y=1", href="https://a.org/x?y=1"),
        Piece("). "),
        Piece("#Köln", tag=True),
        Piece(", by "),
        Piece("@desk@news.social", tag=True),
        Piece("!"),
    ]
    assert pieces("javascript:alert(1) a#b") == [Piece("javascript:alert(1) a#b")]


def test_replies_to_replies_hang_below_the_first_post() -> None:
    found = threads([post("4", "3"), post("3", "1"), post("2"), post("1"), post("0", "gone")])
    assert [(one.post.id, [reply.id for reply in one.replies]) for one in found] == [
        ("2", []),
        ("1", ["3", "4"]),
        ("0", []),
    ]


def test_a_circle_of_replies_ends() -> None:
    assert threads([post("1", "2"), post("2", "1")]) == []
