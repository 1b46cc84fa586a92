"""Spanish conjugation: regular rules and a table of irregular forms."""

PERSONS = ("1s", "2s", "3s", "1p", "3p")

_REGULAR = {
    "present": {
        "ar": "o as a amos an",
        "er": "o es e emos en",
        "ir": "o es e imos en",
    },
    "preterite": {
        "ar": "é aste ó amos aron",
        "er": "í iste ió imos ieron",
        "ir": "í iste ió imos ieron",
    },
    "imperfect": {
        "ar": "aba abas aba ábamos aban",
        "er": "ía ías ía íamos ían",
        "ir": "ía ías ía íamos ían",
    },
}
_FUTURE = "é ás á emos án"
_CONDITIONAL = "ía ías ía íamos ían"

# Stressed stem vowel -> its change in the present.
_STEM_CHANGES = {
    "cerrar": ("e", "ie"),
    "querer": ("e", "ie"),
    "perder": ("e", "ie"),
    "entender": ("e", "ie"),
    "encender": ("e", "ie"),
    "empezar": ("e", "ie"),
    "despertar": ("e", "ie"),
    "nevar": ("e", "ie"),
    "tener": ("e", "ie"),
    "pedir": ("e", "i"),
    "poder": ("o", "ue"),
    "volver": ("o", "ue"),
    "dormir": ("o", "ue"),
    "encontrar": ("o", "ue"),
    "mostrar": ("o", "ue"),
    "costar": ("o", "ue"),
    "acostar": ("o", "ue"),
    "llover": ("o", "ue"),
    "doler": ("o", "ue"),
    "jugar": ("u", "ue"),
    "enviar": ("i", "í"),
}
_FIRST_PERSON = {
    "tener": "tengo",
    "hacer": "hago",
    "poner": "pongo",
    "salir": "salgo",
    "traer": "traigo",
    "conocer": "conozco",
    "conducir": "conduzco",
    "dar": "doy",
    "ver": "veo",
    "saber": "sé",
}
_IRREGULAR = {
    ("ser", "present"): "soy eres es somos son",
    ("ser", "preterite"): "fui fuiste fue fuimos fueron",
    ("ser", "imperfect"): "era eras era éramos eran",
    ("estar", "present"): "estoy estás está estamos están",
    ("ir", "present"): "voy vas va vamos van",
    ("ir", "preterite"): "fui fuiste fue fuimos fueron",
    ("ir", "imperfect"): "iba ibas iba íbamos iban",
    ("haber", "present"): "he has ha hemos han",
    ("dar", "present"): "doy das da damos dan",
    ("dar", "preterite"): "di diste dio dimos dieron",
    ("ver", "present"): "veo ves ve vemos ven",
    ("ver", "preterite"): "vi viste vio vimos vieron",
    ("ver", "imperfect"): "veía veías veía veíamos veían",
    ("construir", "present"): "construyo construyes construye construimos construyen",
}
_STRONG_PRETERITE = {
    "tener": "tuv",
    "estar": "estuv",
    "poder": "pud",
    "poner": "pus",
    "querer": "quis",
    "hacer": "hic",
    "saber": "sup",
    "traer": "traj",
    "conducir": "conduj",
}
_FUTURE_STEM = {
    "tener": "tendr",
    "poder": "podr",
    "poner": "pondr",
    "querer": "querr",
    "hacer": "har",
    "saber": "sabr",
    "salir": "saldr",
    "haber": "habr",
}
_PARTICIPLES = {
    "abrir": "abierto",
    "escribir": "escrito",
    "hacer": "hecho",
    "poner": "puesto",
    "romper": "roto",
    "ver": "visto",
    "volver": "vuelto",
    "leer": "leído",
    "traer": "traído",
}
_GERUNDS = {
    "dormir": "durmiendo",
    "ir": "yendo",
    "leer": "leyendo",
    "pedir": "pidiendo",
    "traer": "trayendo",
    "construir": "construyendo",
    "poder": "pudiendo",
}
_COMMANDS = {"hacer": "haz", "poner": "pon", "tener": "ten", "ir": "ve"}
_SOFT = {"c": "qu", "g": "gu", "z": "c"}


def conjugate(infinitive: str, tense: str, person: str) -> str:
    """A finite form of the indicative.

    Args:
        infinitive: without "se".
        tense: "present", "preterite", "imperfect", "future" or "conditional".
        person: one of `PERSONS`.
    """
    index = PERSONS.index(person)
    if tense in ("future", "conditional"):
        endings = _FUTURE if tense == "future" else _CONDITIONAL
        return _FUTURE_STEM.get(infinitive, infinitive) + endings.split()[index]
    if (infinitive, tense) in _IRREGULAR:
        return _IRREGULAR[infinitive, tense].split()[index]
    if tense == "preterite":
        return _preterite(infinitive, index)
    if tense == "present" and person == "1s" and infinitive in _FIRST_PERSON:
        return _FIRST_PERSON[infinitive]
    stem, ending = infinitive[:-2], _REGULAR[tense][infinitive[-2:]].split()[index]
    if tense == "present" and person != "1p":
        stem = _stressed(infinitive)
    return stem + ending


def participle(infinitive: str) -> str:
    """The masculine singular past participle."""
    if infinitive in _PARTICIPLES:
        return _PARTICIPLES[infinitive]
    return infinitive[:-2] + ("ado" if infinitive.endswith("ar") else "ido")


def gerund(infinitive: str) -> str:
    """The gerund: "comiendo"."""
    if infinitive in _GERUNDS:
        return _GERUNDS[infinitive]
    return infinitive[:-2] + ("ando" if infinitive.endswith("ar") else "iendo")


def command(infinitive: str, negative: bool = False) -> str:
    """The imperative of "tú": "abre", and after "no" the subjunctive, "abras"."""
    if not negative:
        return _COMMANDS.get(infinitive) or conjugate(infinitive, "present", "3s")
    if infinitive in ("ir", "dar"):
        return {"ir": "vayas", "dar": "des"}[infinitive]
    stem = conjugate(infinitive, "present", "1s")[:-1]
    if infinitive.endswith("ar"):
        return stem[:-1] + _SOFT.get(stem[-1], stem[-1]) + "es"
    return stem + "as"


def _stressed(infinitive: str) -> str:
    stem = infinitive[:-2]
    if infinitive not in _STEM_CHANGES:
        return stem
    vowel, change = _STEM_CHANGES[infinitive]
    place = stem.rindex(vowel)
    return stem[:place] + change + stem[place + 1 :]


def _preterite(infinitive: str, index: int) -> str:
    if infinitive in _STRONG_PRETERITE:
        stem = _STRONG_PRETERITE[infinitive]
        ending = "e iste o imos ieron".split()[index]
        if stem.endswith("j") and ending == "ieron":
            ending = "eron"
        return "hizo" if stem + ending == "hico" else stem + ending
    stem, ending = infinitive[:-2], _REGULAR["preterite"][infinitive[-2:]].split()[index]
    if infinitive.endswith("ar") and index == 0:
        return stem[:-1] + _SOFT.get(stem[-1], stem[-1]) + ending
    if infinitive in ("pedir", "dormir") and index in (2, 4):
        return {"pedir": "pid", "dormir": "durm"}[infinitive] + ending
    if infinitive in ("leer", "construir"):
        accents = infinitive == "leer"
        if index in (2, 4):
            ending = "yó" if index == 2 else "yeron"
        elif accents:
            ending = ending.replace("i", "í", 1)
    return stem + ending
