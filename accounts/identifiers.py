"""What people type to say who they are: a mobile, national ID number or email address."""

import re
from dataclasses import dataclass
from enum import StrEnum

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _
from phonenumbers import PhoneNumberType
from stdnum.cn import ric
from stdnum.exceptions import InvalidChecksum, InvalidFormat
from stdnum.exceptions import ValidationError as NumberError

HOME_REGION = "CN"
# In some countries nobody can tell the two apart by the number.
MOBILE = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}


class IdentifierKind(StrEnum):
    MOBILE = "mobile"
    NATIONAL_ID = "national_id"
    EMAIL = "email"


@dataclass(frozen=True)
class Identifier:
    """One normalised identifier: E.164, an 18-character ID number or a lower-case address."""

    kind: IdentifierKind
    value: str


def normalise_mobile(text: str) -> str:
    """E.164; a number without a country code is Chinese. Raises ValidationError."""
    try:
        number = phonenumbers.parse(text, HOME_REGION)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or phonenumbers.number_type(number) not in MOBILE:
        raise ValidationError(
            _("This is not a mobile number. Enter 11 digits, or + and the country code first."),
            code="mobile",
        )
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def normalise_national_id(text: str) -> str:
    """The 18 characters of GB 11643, X in upper case. Raises ValidationError where a digit, the
    birth date or the check character is wrong.

    The county code is not compared with the year of birth: numbers were also given out later, by
    counties that did not exist yet.
    """
    number = "".join(text.split()).upper()
    try:
        if not re.fullmatch(r"[0-9]{17}[0-9X]", number):
            raise InvalidFormat
        if number[-1] != ric.calc_check_digit(number):
            raise InvalidChecksum
        ric.get_birth_date(number)
    except NumberError:
        raise ValidationError(
            _("This is not a valid ID number. Check all 18 characters; the last may be X."),
            code="national_id",
        ) from None
    return number


def normalise_email(text: str) -> str:
    """Lower case. Raises ValidationError."""
    value = text.strip().lower()
    validate_email(value)
    return value


def parse(text: str) -> Identifier:
    """Which kind of identifier `text` is, normalised. Raises ValidationError saying what to do."""
    text = text.strip()
    if "\x00" in text or len(text) > 254:
        raise ValidationError(_("Enter your mobile number or ID number."), code="identifier")
    if "@" in text:
        return Identifier(IdentifierKind.EMAIL, normalise_email(text))
    compact = "".join(text.split()).replace("-", "")
    if len(compact) == 18 and compact[:17].isascii() and compact[:17].isdigit():
        return Identifier(IdentifierKind.NATIONAL_ID, normalise_national_id(compact))
    return Identifier(IdentifierKind.MOBILE, normalise_mobile(text))


def masked(identifier: Identifier) -> str:
    """Enough for its owner to recognise, too little for anybody else."""
    value = identifier.value
    match identifier.kind:
        case IdentifierKind.EMAIL:
            name, _at, domain = value.partition("@")
            return f"{name[:1]}***@{domain}"
        case IdentifierKind.NATIONAL_ID:
            return f"{value[:3]}{'*' * 11}{value[-4:]}"
        case _:
            return f"{value[:-8]}****{value[-4:]}"
