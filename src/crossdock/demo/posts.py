"""The demo's blog: a few posts of every department, in each of the demo's languages."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from crossdock.demo.goods import picture_path
from crossdock.demo.words import LANGUAGES, Department, PostText, load_words
from crossdock.shop.catalogue import BlogPostRecord, slug_of

_FIRST = datetime(2025, 1, 6, 9, tzinfo=UTC)
_APART = timedelta(days=9)


def blog_posts() -> list[BlogPostRecord]:
    """All posts; the last one is not published yet."""
    words = load_words()
    pairs = [(d, post) for post in words.posts for d in words.departments if not d.virtual]
    return [
        record
        for number, (department, post) in enumerate(pairs)
        for record in _in_all_languages(
            department, post, number=number, enabled=number < len(pairs) - 1
        )
    ]


def _in_all_languages(
    department: Department, post: PostText, *, number: int, enabled: bool
) -> Iterator[BlogPostRecord]:
    first, second = department.groups[0].nouns[0], department.groups[1].nouns[0]
    for place, language in enumerate(LANGUAGES):
        yield BlogPostRecord(
            slug=f"{post.slug}-{slug_of(department.name[0])}",
            title=post.title[place].format(department=department.name[place]),
            content=post.content[place].format(first=first[place], second=second[place]),
            language=language,
            published_at=_FIRST + number * _APART,
            image=picture_path(number, view=1),
            enabled=enabled,
        )
