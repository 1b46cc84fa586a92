"""Cardinal numbers, written out in both languages."""

from .phrase import Phrase, pair

_ENGLISH_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
).split()
_ENGLISH_TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety".split()
_SPANISH_ONES = (
    "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince "
    "dieciséis diecisiete dieciocho diecinueve veinte veintiuno veintidós veintitrés "
    "veinticuatro veinticinco veintiséis veintisiete veintiocho veintinueve"
).split()
_SPANISH_TENS = "- - - treinta cuarenta cincuenta sesenta setenta ochenta noventa".split()
_SPANISH_HUNDREDS = (
    "- cien doscientos trescientos cuatrocientos quinientos seiscientos setecientos "
    "ochocientos novecientos"
).split()


def cardinal(value: int, gender: str) -> Phrase:
    """A number that counts nouns of this gender: "twenty-one" and "veintiún" or "veintiuna".

    Args:
        value: 2 to 99, or whole hundreds up to 900.
        gender: "m" or "f", of the noun that follows.
    """
    if value >= 100:
        hundreds = _SPANISH_HUNDREDS[value // 100]
        if gender == "f" and hundreds.endswith("os"):
            hundreds = hundreds[:-2] + "as"
        return pair(f"{_ENGLISH_ONES[value // 100]} hundred", hundreds)
    return pair(_english(value), _spanish(value, gender))


def spanish_hour(hour: int) -> str:
    """The hour as it is told: "una", "dos", ... "doce"."""
    return "una" if hour == 1 else _SPANISH_ONES[hour]


def english_hour(hour: int) -> str:
    """The hour as it is told: "one", "two", ... "twelve"."""
    return _ENGLISH_ONES[hour]


def _english(value: int) -> str:
    if value < 20:
        return _ENGLISH_ONES[value]
    tens = _ENGLISH_TENS[value // 10]
    return f"{tens}-{_ENGLISH_ONES[value % 10]}" if value % 10 else tens


def _spanish(value: int, gender: str) -> str:
    if value == 21:
        return "veintiún" if gender == "m" else "veintiuna"
    if value < 30:
        return _SPANISH_ONES[value]
    tens = _SPANISH_TENS[value // 10]
    if value % 10 == 0:
        return tens
    ones = _SPANISH_ONES[value % 10]
    if ones == "uno":
        ones = "un" if gender == "m" else "una"
    return f"{tens} y {ones}"
