"""The plugin that we ship for WordPress says exactly what we take, and signs as we verify."""

from __future__ import annotations

import re
from pathlib import Path

from services.publishing.domain.inbound.messages import (
    AuthorText,
    PictureText,
    TermText,
    WordPressMessage,
    WordPressPost,
)

PLUGIN = Path("deploy/wordpress/herald.php").read_text(encoding="utf-8")


def function(name: str) -> str:
    """The body of one of its functions."""
    found = re.search(rf"^function {name}\(.*?^}}", PLUGIN, re.DOTALL | re.MULTILINE)
    assert found is not None, name
    return found[0]


def keys(code: str) -> set[str]:
    return set(re.findall(r"'([a-z_]+)'\s*=>", code)) | set(
        re.findall(r"\$\w+\['([a-z_]+)'\]", code)
    )


def test_every_field_that_it_sends_is_one_that_we_take() -> None:
    inner = set(TermText.model_fields) | set(PictureText.model_fields)
    sent = keys(function("herald_post").replace("$GLOBALS['post']", ""))
    assert sent - inner - {"the_content"} <= set(WordPressPost.model_fields)
    assert set(WordPressPost.model_fields) <= sent
    assert keys(function("herald_message")) == set(WordPressMessage.model_fields) | {"id"}
    assert keys(function("herald_authors")) == set(AuthorText.model_fields)


def test_it_signs_by_the_standard_and_keeps_what_is_not_public_to_itself() -> None:
    request = function("herald_request")
    assert "hash_hmac( 'sha256', $id . '.' . $timestamp . '.' . $body, $key, true )" in request
    assert {"webhook-id", "webhook-timestamp", "webhook-signature"} <= set(
        re.findall(r"'(webhook-[a-z]+)'", request)
    )
    message = function("herald_message")
    assert "'publish' === $post->post_status" in message
    assert "'' === $post->post_password" in message


def test_its_brackets_are_balanced() -> None:
    code = re.sub(r"/\*.*?\*/|//[^\n]*", "", PLUGIN, flags=re.DOTALL)
    code = re.sub(r"'(?:[^'\\]|\\.)*'", "''", code)
    for opening, closing in ("()", "{}", "[]"):
        assert code.count(opening) == code.count(closing)
