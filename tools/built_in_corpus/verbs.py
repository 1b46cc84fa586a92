"""Verbs: English forms, Spanish infinitive and the subjects that each verb takes."""

from dataclasses import dataclass

from .phrase import Word

_DOUBLED = ("run", "swim", "win", "plan", "stop", "get", "put", "forget")


@dataclass(frozen=True)
class Verb:
    """A verb of both languages.

    `particle` are English words that belong to the verb ("turn on"), and `spanish_extra`
    Spanish ones that follow it ("dar de comer"). `reflexive` verbs take "me, te, se, nos" in
    Spanish. `stative` verbs have the imperfect for the English simple past. `simple` verbs
    have a simple tense for the English progressive.
    """

    base: str
    past: str
    participle: str
    particle: str
    spanish: str
    spanish_extra: str = ""
    reflexive: bool = False
    stative: bool = False
    simple: bool = False

    def english(self, form: str) -> tuple[Word, ...]:
        """New words of one form: "base", "third", "past", "participle" or "gerund"."""
        first = {
            "base": self.base,
            "third": english_third(self.base),
            "past": self.past,
            "participle": self.participle,
            "gerund": english_gerund(self.base),
        }[form]
        return tuple(Word(text) for text in (first, *self.particle.split()))


def english_third(base: str) -> str:
    """The third person singular of the present."""
    if base == "have":
        return "has"
    if base.endswith(("s", "x", "z", "ch", "sh", "o")):
        return base + "es"
    if base.endswith("y") and base[-2] not in "aeiou":
        return base[:-1] + "ies"
    return base + "s"


def english_gerund(base: str) -> str:
    """The form in "-ing"."""
    if base in _DOUBLED:
        return base + base[-1] + "ing"
    if base.endswith("e") and not base.endswith("ee"):
        return base[:-1] + "ing"
    return base + "ing"


def _regular_past(base: str) -> str:
    if base in _DOUBLED:
        return base + base[-1] + "ed"
    if base.endswith("e"):
        return base + "d"
    if base.endswith("y") and base[-2] not in "aeiou":
        return base[:-1] + "ied"
    return base + "ed"


_ROWS = """
eat ate eaten | comer
drink drank drunk | beber
read read read | leer
write wrote written | escribir
buy bought bought | comprar
sell sold sold | vender
cook | cocinar
prepare | preparar
clean | limpiar
wash | lavar
open | abrir
close | cerrar
paint | pintar
repair | reparar
lose lost lost | perder
find found found | encontrar
look + for | buscar
wait + for | esperar
listen + to | escuchar
watch | ver
see saw seen | ver
visit | visitar
help | ayudar
call | llamar
invite | invitar
carry | llevar
wear wore worn | llevar | simple
send sent sent | enviar
give gave given | dar
show showed shown | mostrar
bring brought brought | traer
learn | aprender
study | estudiar
teach taught taught | enseñar
speak spoke spoken | hablar
understand understood understood | entender
answer | contestar
play~instrument | tocar
play~game | jugar
sing sang sung | cantar
forget forgot forgotten | olvidar
break broke broken | romper
win won won | ganar
use | usar
turn + on | encender
turn + off | apagar
plant | plantar
feed fed fed | dar de comer
take took taken + care of | cuidar
drive drove driven | conducir
order | pedir
finish | terminar
build built built | construir
steal stole stolen | robar
work | trabajar
live | vivir | stative
sleep slept slept | dormir
run ran run | correr
walk | caminar
swim swam swum | nadar
dance | bailar
rest | descansar
wait~alone | esperar
travel | viajar
go went gone | ir | simple
arrive | llegar
return | volver
leave left left | salir
start | empezar
end | terminar
get got gotten + up | levantar | reflexive
wake woke woken + up | despertar | reflexive
go went gone + to bed | acostar | reflexive
stay | quedar | reflexive
want | querer | stative
need | necesitar | stative
have had had | tener | stative
have~to had had | tener que
know~person knew known | conocer | stative
put put put | poner
do did done | hacer
rain | llover
snow | nevar
cost cost cost | costar
"""


def _parse(row: str) -> tuple[str, Verb]:
    english, spanish, *flags = (field.strip() for field in row.split("|"))
    forms, _, particle = (part.strip() for part in english.partition("+"))
    key, *irregular = forms.split()
    base = key.partition("~")[0]
    past, participle = irregular if irregular else (_regular_past(base),) * 2
    infinitive, _, extra = spanish.partition(" ")
    name = f"{key} {particle}".strip()
    return name, Verb(
        base, past, participle, particle, infinitive, extra,
        reflexive="reflexive" in flags, stative="stative" in flags,
        simple="simple" in flags,
    )  # fmt: skip


VERBS = dict(_parse(row) for row in _ROWS.strip().splitlines())
