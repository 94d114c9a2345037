"""Times: RFC 3339 and its relatives to seconds since 1970, and back to text."""
import re
from fractions import Fraction

from .readings import Ambiguous

DATE = r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
TIME = re.compile(DATE + r"(?:[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]+)?(?:[Zz]|([+-])([0-9]{2}):?([0-9]{2}))?)?",
                  re.ASCII)
MONTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def leap(year):
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def days_before(year):
    """Days from 0000-01-01 to the first of January of `year` (proleptic Gregorian, years 0 to 10000)."""
    earlier = year - 1
    return 0 if year == 0 else year * 365 + earlier // 4 - earlier // 100 + earlier // 400 + 1


EPOCH = days_before(1970)
SECONDS_MIN = -EPOCH * 86400
SECONDS_MAX = (days_before(10000) - EPOCH) * 86400 - 1


def micros_of_text(text):
    """Microseconds, for comparisons: the fraction counts."""
    seconds = seconds_of_text(text)
    if seconds is None:
        return None
    if re.search(r":\d\d:60", text):
        raise Ambiguous("comparison of a leap second")
    fraction = re.search(r"\.([0-9]+)", text)
    return seconds * 10**6 + (int(fraction[1][:6].ljust(6, "0")) if fraction else 0)


def micros_of_number(token):
    return None if seconds_of_number(token) is None else Fraction(token) * 1000 // 1


def seconds_of_text(text):
    found = TIME.fullmatch(text)
    if not found:
        return None
    year, month, day = int(found[1]), int(found[2]), int(found[3])
    if not 1 <= month <= 12:
        return None
    last_day = MONTHS[month - 1] + (1 if month == 2 and leap(year) else 0)
    if not 1 <= day <= last_day:
        return None
    days = days_before(year) + sum(MONTHS[:month - 1]) + (1 if month > 2 and leap(year) else 0) + day - 1
    seconds = (days - EPOCH) * 86400
    if found[4] is not None:
        hour, minute, second = int(found[4]), int(found[5]), int(found[6])
        if hour > 23 or minute > 59 or second > 60:
            return None
        if second == 60:
            # RFC 3339, 5.7: leap seconds stand at the end of a month, UTC
            if found[7] and found[8] + found[9] != "0000":
                raise Ambiguous("leap second in a zone other than UTC")
            if (hour, minute, day) != (23, 59, last_day):
                return None
            second = 59
        seconds += hour * 3600 + minute * 60 + second
        if found[7]:
            shift_hours, shift_minutes = int(found[8]), int(found[9])
            if shift_hours > 23 or shift_minutes > 59:
                return None
            shift = shift_hours * 3600 + shift_minutes * 60
            seconds += -shift if found[7] == "+" else shift
    return seconds if SECONDS_MIN <= seconds <= SECONDS_MAX else None


def seconds_of_number(token):
    if len(token) > 400 or re.search("[eE][+-]?[0-9]{4}", token):
        raise Ambiguous("a very long number as time")
    seconds = Fraction(token) // 1000
    return seconds if SECONDS_MIN <= seconds <= SECONDS_MAX else None


def time_text(seconds, date_only):
    days, rest = divmod(seconds, 86400)
    days += EPOCH
    year = days // 366
    while days_before(year + 1) <= days:
        year += 1
    day = days - days_before(year)
    month = 0
    while True:
        length = MONTHS[month] + (1 if month == 1 and leap(year) else 0)
        if day < length:
            break
        day -= length
        month += 1
    text = f"{year:04d}-{month + 1:02d}-{day + 1:02d}"
    if not date_only:
        text += f" {rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"
    return text
