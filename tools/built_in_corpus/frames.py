"""Selectional restrictions of verbs: which objects, places and times go with each."""

from dataclasses import dataclass

from .phrase import EMPTY, Phrase, Rendering
from .verbs import VERBS, Verb


@dataclass(frozen=True)
class Frame:
    """One use of a verb.

    `objects` are kinds of noun. `use` says which tenses and times make sense: "daily", "event",
    "moment" (has no progressive),
    "project" (done once, thought of in weeks), "loss" (only ever past), "ongoing" or "state".
    `places` are nouns that the place may be. `bare` objects may go without a determiner,
    `own` ones mostly belong to somebody, and `known` ones are definite; `several` says whether
    they may be plural.
    """

    verb: Verb
    objects: str
    use: str
    places: tuple[str, ...] = ()
    bare: bool = False
    own: bool = False
    several: bool = True
    known: bool = False


@dataclass(frozen=True)
class Action:
    """A verb and what follows it.

    `use` is that of a `Frame`. `clitic` is a Spanish object pronoun; its English word is among
    the complements. `manner` follows the verb closely; `hour` is a time of day.
    """

    verb: Verb
    complements: tuple[Phrase, ...]
    use: str
    clitic: Rendering | None = None
    manner: Phrase = EMPTY
    hour: Phrase = EMPTY


_TRANSITIVE = """
eat | food | daily | kitchen, restaurant, park, garden, home | bare
drink | drink | daily | kitchen, garden, home, restaurant | bare
read | readable | daily | library, garden, living room, park, home |
write | mail work | event | library, office, home |
buy | grocery | daily | market, supermarket, store | bare
buy | clothes device present vehicle ride furniture home instrument made | project | |
sell | vehicle ride home furniture instrument camera | project | | own
cook | cookable | daily | kitchen, home | bare
prepare | meal | daily | kitchen, home | single
clean | cleanable home_room | event | | single known
wash | dishes clothes washable | event | | known
open | openable mail | event | | single known
close | openable | event | | single known
paint | paintable furniture bicycle boat | project | | own single known
repair | repairable chair | event | garden | own single
lose | losable | loss | park, station, airport, museum, street | own
find | losable | loss | park, station, street, kitchen, garden | own
look for | losable | ongoing | kitchen, bedroom, living room, garden, office | own
wait for | transport | ongoing | station, airport, street | single
listen to | tune radio | daily | kitchen, bedroom, garden, home | known
watch | show match | daily | living room, home |
see | movie match | loss | |
see | animal | loss | park, garden, street, village |
visit | sight town | project | | known
carry | container | ongoing | |
wear | coat jacket hat scarf shirt shoe glove pants | ongoing | | single
send | mail present | event | |
bring | present dish drink | loss | |
learn | tune poem | event | school | single
sing | song | event | church, theater, party, school | single
answer | question mail | event | |
play~instrument | instrument | daily | living room, garden, theater, park, home | single known
forget | losable | loss | office, bus, train, restaurant, hotel | own
break | breakable | loss | kitchen, living room, bathroom |
use | usable dictionary map | daily | office, library, kitchen, home | own single known
turn on | light device | event | kitchen, bedroom, living room, office | single known
turn off | light device | event | kitchen, bedroom, living room, office | single known
plant | flower tree | project | garden, park | bare
feed | animal | daily | garden | own known
take care of | pet garden | daily | | own known
drive | vehicle | event | | own single known
order | dish beer wine coffee tea | loss | restaurant, hotel | bare
finish | work exercise | event | | single known
"""
_INTRANSITIVE = """
work | daily | hospital, bank, store, supermarket, market, office, factory, museum, hotel, \
restaurant, library, school, airport, home
live | state | city, village, apartment, house, street
sleep | daily | sofa, hotel, bedroom
run | daily | park, beach, garden
walk | daily | park, beach, city
swim | daily | pool, lake, river
dance | event | party, theater, kitchen, living room, garden
rest | daily | garden, beach, sofa, hotel, bedroom, home
study | daily | library, university, classroom, school, bedroom, home
wait~alone | ongoing | station, airport, office, restaurant, street
sing | event | church, theater, bathroom, classroom
eat | daily | restaurant, kitchen, garden, park, hotel, home
"""


def _fields(row: str) -> list[str]:
    return [field.strip() for field in row.split("|")]


def _names(field: str) -> tuple[str, ...]:
    return tuple(place.strip() for place in field.split(",") if place.strip())


def _transitive(row: str) -> Frame:
    key, objects, use, places, said = _fields(row)
    flags = said.split()
    return Frame(
        VERBS[key],
        objects,
        use,
        _names(places),
        bare="bare" in flags,
        own="own" in flags,
        several="single" not in flags,
        known="known" in flags,
    )


def _intransitive(row: str) -> Frame:
    key, use, places = _fields(row)
    return Frame(VERBS[key], "", use, _names(places))


TRANSITIVE = tuple(_transitive(row) for row in _TRANSITIVE.strip().splitlines())
INTRANSITIVE = tuple(_intransitive(row) for row in _INTRANSITIVE.strip().splitlines())
PERSONAL = tuple(
    Frame(VERBS[key], "person", use, _names(places))
    for key, use, places in (
        ("see", "loss", "park, street, market, museum, station, beach"),
        ("call", "moment", ""),
        ("help", "daily", "kitchen, garden, office, home"),
        ("visit", "project", ""),
        ("wait for", "ongoing", "station, airport, restaurant, park"),
        ("look for", "ongoing", "park, museum, market, library"),
        ("invite", "moment", ""),
        ("listen to", "daily", ""),
    )
)
