"""Numbers people dial and read aloud."""

import phonenumbers
from django import template

from config.references import LENGTH

register = template.Library()


@register.filter
def phone(number: str) -> str:
    """An E.164 number as people write it."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


@register.filter
def grouped(reference: str) -> str:
    """A reference in two halves: 8Q2M7 KX4TB."""
    return f"{reference[: LENGTH // 2]} {reference[LENGTH // 2 :]}"


@register.filter
def in_fours(digits: str) -> str:
    """A fingerprint in groups that two people can compare."""
    return " ".join(digits[start : start + 4] for start in range(0, len(digits), 4))
