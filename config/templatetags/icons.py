"""The product's icons: drawn on a grid of 24, one stroke width, hidden from screen readers."""

from django import template
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

PATHS = {
    "menu": "M4 7h16M4 12h16M4 17h16",
    "calendar": (
        "M4 10h16M8 3.5V7M16 3.5V7M6 5.5h12a2 2 0 0 1 2 2V18a2 2 0 0 1-2 2H6"
        "a2 2 0 0 1-2-2V7.5a2 2 0 0 1 2-2Z"
    ),
    "clock": "M12 7.5V12l3 2M20.5 12a8.5 8.5 0 1 1-17 0 8.5 8.5 0 0 1 17 0Z",
    "phone": (
        "M5 4h3.2l1.6 4-2 1.6a12 12 0 0 0 5.6 5.6l1.6-2 4 1.6V18a2 2 0 0 1-2.2 2"
        "A15 15 0 0 1 4 6.2 2 2 0 0 1 5 4Z"
    ),
    "mail": (
        "m4.5 7 7.5 6 7.5-6M5.5 5.5h13A1.5 1.5 0 0 1 20 7v10a1.5 1.5 0 0 1-1.5 1.5h-13"
        "A1.5 1.5 0 0 1 4 17V7a1.5 1.5 0 0 1 1.5-1.5Z"
    ),
    "place": (
        "M12 21s7-6.2 7-11.5a7 7 0 0 0-14 0C5 14.8 12 21 12 21ZM12 12"
        "a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z"
    ),
    "video": (
        "M15 10.5 20.5 7v10L15 13.5M5 6.5h8.5A1.5 1.5 0 0 1 15 8v8a1.5 1.5 0 0 1-1.5 1.5"
        "H5A1.5 1.5 0 0 1 3.5 16V8A1.5 1.5 0 0 1 5 6.5Z"
    ),
    "person": "M5 20a7 7 0 0 1 14 0M12 11.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8Z",
    "ticket": (
        "M4 7.5A1.5 1.5 0 0 1 5.5 6h13A1.5 1.5 0 0 1 20 7.5V10a2 2 0 0 0 0 4v2.5"
        "a1.5 1.5 0 0 1-1.5 1.5h-13A1.5 1.5 0 0 1 4 16.5V14a2 2 0 0 0 0-4ZM14 6v2.5M14 11"
        "v2M14 15.5V18"
    ),
    "help": (
        "M9.5 9.5a2.5 2.5 0 1 1 3.7 2.2c-.8.45-1.2 1-1.2 1.8M12 16.5v.01M20.5 12"
        "a8.5 8.5 0 1 1-17 0 8.5 8.5 0 0 1 17 0Z"
    ),
    "info": "M12 11.5V16M12 8v.01M20.5 12a8.5 8.5 0 1 1-17 0 8.5 8.5 0 0 1 17 0Z",
    "alert": (
        "M12 9v4.5M12 16.5v.01M10.7 4.2 3 17.5A1.5 1.5 0 0 0 4.3 19.8h15.4"
        "a1.5 1.5 0 0 0 1.3-2.3L13.3 4.2a1.5 1.5 0 0 0-2.6 0Z"
    ),
    "check": "m8 12.3 2.7 2.7L16 9.5M20.5 12a8.5 8.5 0 1 1-17 0 8.5 8.5 0 0 1 17 0Z",
    "leave": "M10 4H6a2 2 0 0 0-2 2v12a2 2 0 0 0 2 2h4M15 16l4-4-4-4M19 12H9.5",
    "back": "m14.5 6-6 6 6 6",
    "forward": "m9.5 6 6 6-6 6",
    "close": "m6.5 6.5 11 11M17.5 6.5l-11 11",
    "search": "m20 20-4.2-4.2M17.5 11a6.5 6.5 0 1 1-13 0 6.5 6.5 0 0 1 13 0Z",
    "filter": "M4 6.5h16M7 12h10M10 17.5h4",
    "inbox": (
        "M4 13.5h4.5l1.5 2.5h4l1.5-2.5H20M6.5 5h11L20 13.5V18a1.5 1.5 0 0 1-1.5 1.5h-13"
        "A1.5 1.5 0 0 1 4 18v-4.5Z"
    ),
    "settings": (
        "M4 7.5h9M18 7.5h2M4 16.5h2M11 16.5h9M15.5 10a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5"
        "ZM8.5 19a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z"
    ),
    "keyboard": (
        "M4.5 7h15A1.5 1.5 0 0 1 21 8.5v7a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 15.5v-7"
        "A1.5 1.5 0 0 1 4.5 7ZM7 10.5v.01M10.5 10.5v.01M14 10.5v.01M17 10.5v.01M8.5 13.5h7"
    ),
    "print": (
        "M7.5 9V4h9v5M7.5 17H6a2 2 0 0 1-2-2v-4a2 2 0 0 1 2-2h12a2 2 0 0 1 2 2v4"
        "a2 2 0 0 1-2 2h-1.5M7.5 14h9v6h-9Z"
    ),
    "offline": (
        "M4 4l16 16M12 18.5v.01M8.8 15.2a4.6 4.6 0 0 1 5.6-.6M5.5 11.8a9.5 9.5 0 0 1 3.6-2.2"
        "M2.5 8.5a14 14 0 0 1 3.6-2.4M10.5 4.9a14 14 0 0 1 11 3.6M13.5 9.2a9.5 9.5 0 0 1 5 2.6"
    ),
    "chart": "M4 20h16M7 16.5v-5M12 16.5V5M17 16.5v-8",
    "microphone": (
        "M12 14.5a3 3 0 0 0 3-3v-5a3 3 0 0 0-6 0v5a3 3 0 0 0 3 3ZM6 11.5a6 6 0 0 0 12 0M12 17.5V21"
    ),
}
ICONS = {
    name: mark_safe(  # noqa: S308 - nothing in it comes from outside
        f'<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d="{path}" /></svg>'
    )
    for name, path in PATHS.items()
}


@register.simple_tag
def icon(name: str) -> SafeString:
    """The drawing called `name`; raises KeyError for one that does not exist."""
    return ICONS[name]
