"""Addresses: what the whole of them have to be."""

from collections import Counter
from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver


def names(resolver: URLResolver, *within: str) -> Iterator[str]:
    for each in resolver.url_patterns:
        if isinstance(each, URLResolver):
            yield from names(each, *within, *([each.namespace] if each.namespace else []))
        elif isinstance(each, URLPattern) and each.name:
            yield ":".join([*within, each.name])


def test_every_name_leads_to_one_page():
    """Of two pages of one name, links to the first lead to the second."""
    counted = Counter(names(get_resolver()))

    assert counted["cancellations:decline"] == 1
    assert [name for name, times in counted.items() if times > 1] == []
