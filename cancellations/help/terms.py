"""Cutting a text into what can be found: words in English, pairs of characters in Chinese.

The core of PostgreSQL has no parser for Chinese. Every run of Chinese characters is therefore cut
here into its overlapping pairs (a single one stays alone); everything else are words, which
PostgreSQL reduces to their stems. What is kept and what is asked are cut alike, so they meet.
"""

import re

_RUN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]+|[^\W_\u3400-\u9fff\uf900-\ufaff]+")
_CHINESE = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
# Characters that stand in nearly every question, and pairs that say as little.
_SAYS_NOTHING = frozenset("的了吗呢么啊吧呀我您你他她它是在有和与就都也很这那个们")
_PAIRS_SAYING_NOTHING = frozenset(
    ["可以", "怎么", "什么", "如何", "能否", "能不", "不能", "是否", "为什", "请问", "么办"]
)
MOST = 60  # of each, of one text


def cut(text: str) -> tuple[list[str], list[str]]:
    """The pairs of Chinese characters, and the words of everything else, in lower case, once
    each."""
    pairs: dict[str, None] = {}
    words: dict[str, None] = {}
    for run in _RUN.findall(text.lower()):
        if not _CHINESE.match(run):
            words[run] = None
            continue
        found = [run[i : i + 2] for i in range(len(run) - 1)] or [run]
        pairs.update(
            (pair, None)
            for pair in found
            if pair not in _PAIRS_SAYING_NOTHING and not _SAYS_NOTHING & set(pair)
        )
    return list(pairs)[:MOST], list(words)[:MOST]
