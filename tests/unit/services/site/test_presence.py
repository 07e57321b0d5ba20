"""What a revision does to the site, by what was done before it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from services.site.domain.presence import Mark, operation
from shared.contracts.articles import Article, Status
from shared.contracts.outlets import Operation

INCLUDED = Mark(Operation.INCLUDE, 1)
EDITED = Mark(Operation.EDIT, 2)
REMOVED = Mark(Operation.REMOVE, 2)


@pytest.mark.parametrize(
    ("status", "mark", "expected"),
    [
        (Status.PUBLISHED, None, Operation.INCLUDE),
        (Status.PUBLISHED, INCLUDED, Operation.EDIT),
        (Status.PUBLISHED, EDITED, Operation.EDIT),
        (Status.PUBLISHED, REMOVED, Operation.INCLUDE),
        (Status.RETRACTED, INCLUDED, Operation.REMOVE),
        (Status.UNPUBLISHED, EDITED, Operation.REMOVE),
        (Status.UNPUBLISHED, REMOVED, None),
        (Status.RETRACTED, None, None),
        # The same revision again says the same again.
        (Status.PUBLISHED, Mark(Operation.INCLUDE, 3), Operation.INCLUDE),
        (Status.RETRACTED, Mark(Operation.REMOVE, 3), Operation.REMOVE),
    ],
)
def test_operation(
    make_article: Callable[..., Article],
    status: Status,
    mark: Mark | None,
    expected: Operation | None,
) -> None:
    assert operation(make_article(status=status, revision=3), mark) is expected


def test_skipping_the_site_takes_an_included_article_off(
    make_article: Callable[..., Article],
) -> None:
    skipped = make_article(skip_outlets=("site",), revision=3)
    assert operation(skipped, None) is None
    assert operation(skipped, INCLUDED) is Operation.REMOVE
