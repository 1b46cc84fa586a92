"""The grammar of the built-in corpus against Spanish written down by hand."""

import os
import subprocess
import sys

import pytest
from built_in_corpus.adjectives import ADJECTIVES, adjective
from built_in_corpus.clauses import order, question, statement
from built_in_corpus.conjugation import (
    PERSONS,
    command,
    conjugate,
    gerund,
    participle,
)
from built_in_corpus.draw import Draw
from built_in_corpus.generation import FAMILIES, draw_pairs
from built_in_corpus.noun_phrases import (
    both,
    genitive,
    name,
    noun_phrase,
    pronoun,
)
from built_in_corpus.nouns import NOUNS, noun, spanish_plural
from built_in_corpus.numbers import cardinal
from built_in_corpus.phrase import (
    EMPTY,
    Rendering,
    Word,
    pair,
    sentence,
    spanish_only,
)
from built_in_corpus.verb_groups import copula, verb_group
from built_in_corpus.verbs import VERBS
from checkout import TOOLS

from keras_bahdanau.training.corpora.built_in import FILE, words


def spanish(phrase):
    return sentence(phrase).target


def both_texts(phrase, mark="."):
    made = sentence(phrase, mark)
    return made.source, made.target


@pytest.mark.parametrize(
    "infinitive, tense, forms",
    [
        ("comer", "present", "como comes come comemos comen"),
        ("tener", "present", "tengo tienes tiene tenemos tienen"),
        ("cerrar", "present", "cierro cierras cierra cerramos cierran"),
        ("jugar", "present", "juego juegas juega jugamos juegan"),
        ("enviar", "present", "envío envías envía enviamos envían"),
        ("pedir", "preterite", "pedí pediste pidió pedimos pidieron"),
        ("dormir", "preterite", "dormí dormiste durmió dormimos durmieron"),
        ("leer", "preterite", "leí leíste leyó leímos leyeron"),
        ("hacer", "preterite", "hice hiciste hizo hicimos hicieron"),
        ("conducir", "preterite", "conduje condujiste condujo condujimos condujeron"),
        ("empezar", "preterite", "empecé empezaste empezó empezamos empezaron"),
        ("buscar", "preterite", "busqué buscaste buscó buscamos buscaron"),
        ("apagar", "preterite", "apagué apagaste apagó apagamos apagaron"),
        ("ser", "imperfect", "era eras era éramos eran"),
        ("querer", "imperfect", "quería querías quería queríamos querían"),
        ("trabajar", "imperfect", "trabajaba trabajabas trabajaba trabajábamos trabajaban"),
        ("salir", "future", "saldré saldrás saldrá saldremos saldrán"),
        ("deber", "conditional", "debería deberías debería deberíamos deberían"),
    ],
)
def test_conjugation(infinitive, tense, forms):
    assert [conjugate(infinitive, tense, person) for person in PERSONS] == forms.split()


def test_other_verb_forms():
    assert [participle(v) for v in ("abrir", "leer", "romper", "comer")] == [
        "abierto", "leído", "roto", "comido"
    ]  # fmt: skip
    assert [gerund(v) for v in ("leer", "dormir", "cantar")] == ["leyendo", "durmiendo", "cantando"]
    assert [command(v) for v in ("poner", "abrir", "encender")] == ["pon", "abre", "enciende"]
    assert [command(v, negative=True) for v in ("buscar", "abrir", "apagar", "conducir")] == [
        "busques", "abras", "apagues", "conduzcas"
    ]  # fmt: skip


def test_adjectives_and_plurals():
    def forms(english):
        return [adjective(english).form(g, p) for g in "mf" for p in (False, True)]

    assert forms("red") == ["rojo", "rojos", "roja", "rojas"]
    assert forms("blue") == ["azul", "azules", "azul", "azules"]
    assert forms("young") == ["joven", "jóvenes", "joven", "jóvenes"]
    assert forms("German") == ["alemán", "alemanes", "alemana", "alemanas"]
    assert [spanish_plural(w) for w in ("lápiz", "canción", "autobús", "sofá", "flor")] == [
        "lápices", "canciones", "autobuses", "sofás", "flores"
    ]  # fmt: skip
    assert noun("exam").spanish_plural == "exámenes"


def test_tables_hold_what_they_say():
    assert {n.gender for n in NOUNS} == {"m", "f"}
    assert {a.copula for a in ADJECTIVES} == {"ser", "estar"}
    assert len({n.spanish for n in NOUNS if n.spanish not in ("padres", "abuelos", "niño")}) == (
        len([n for n in NOUNS if n.spanish not in ("padres", "abuelos", "niño")])
    )


@pytest.mark.parametrize(
    "phrase, expected",
    [
        (noun_phrase(noun("car"), adjective=adjective("red")), "El coche rojo."),
        (noun_phrase(noun("house"), "a", plural=True, adjective=adjective("new")),
         "Unas casas nuevas."),
        (noun_phrase(noun("water"), adjective=adjective("cold")), "El agua fría."),
        (noun_phrase(noun("classroom"), plural=True), "Las aulas."),
        (noun_phrase(noun("classroom"), "this"), "Esta aula."),
        (noun_phrase(noun("book"), "a", adjective=adjective("good")), "Un buen libro."),
        (noun_phrase(noun("movie"), "that", adjective=adjective("good")), "Esa buena película."),
        (noun_phrase(noun("house"), "", count=21), "Veintiuna casas."),
        (noun_phrase(noun("book"), "", count=31), "Treinta y un libros."),
        (noun_phrase(noun("student"), "all", plural=True), "Todos los estudiantes."),
        (genitive(noun_phrase(noun("teacher")), noun("car")), "El coche del profesor."),
        (both(name("Pedro"), name("Isabel")), "Pedro e Isabel."),
    ],
)  # fmt: skip
def test_noun_phrases(phrase, expected):
    assert spanish(phrase.phrase) == expected


def test_numbers():
    assert spanish(cardinal(21, "m")) == "Veintiún."
    assert spanish(cardinal(32, "m")) == "Treinta y dos."
    assert spanish(cardinal(200, "f")) == "Doscientas."
    assert spanish(cardinal(100, "f")) == "Cien."
    assert spanish(cardinal(7, "m") + pair("or", "o") + cardinal(8, "m")) == "Siete u ocho."


def test_negation_and_do_support():
    girl = noun_phrase(noun("girl"))
    group = verb_group(VERBS["buy"], "past", girl, modal="want to", negative=True)
    made = sentence(statement(girl, group, noun_phrase(noun("dress")).phrase))
    assert made.source == "The girl did not want to buy the dress."
    assert made.target == "La niña no quería comprar el vestido."
    assert made.alignment == (
        (0, 0), (1, 1), (2, 3), (3, 2), (4, 3), (5, 4), (6, 4), (7, 5), (8, 6), (9, 7),
    )  # fmt: skip


def test_personal_a_and_contraction():
    she = pronoun("she")
    group = verb_group(VERBS["see"], "past", she)
    teacher = noun_phrase(noun("teacher"))
    assert both_texts(statement(she, group, teacher.as_object())) == (
        "She saw the teacher.",
        "Ella vio al profesor.",
    )


def test_questions_put_the_subject_after_all_verbs():
    sister = noun_phrase(noun("sister"), "your")
    group = verb_group(VERBS["read"], "progressive", sister, question=True)
    assert both_texts(question(sister, group, asked=pair("what", "qué")), "?") == (
        "What is your sister reading?",
        "¿Qué está leyendo tu hermana?",
    )
    drinks = verb_group(VERBS["drink"], "present", sister, question=True)
    assert both_texts(question(sister, drinks, pair("milk", "leche")), "?") == (
        "Does your sister drink milk?",
        "¿Bebe leche tu hermana?",
    )


@pytest.mark.parametrize(
    "modal, tense, expected",
    [
        ("", "going_to", "Voy a llamarlo."),
        ("have to", "present", "Tengo que llamarlo."),
        ("", "progressive", "Lo estoy llamando."),
        ("", "perfect", "Lo he llamado."),
        ("", "just", "Acabo de llamarlo."),
        ("", "past", "Lo llamé."),
    ],
)
def test_clitics(modal, tense, expected):
    me, him = pronoun("I"), Word("him")
    clitic = Rendering("lo", (him,))
    group = verb_group(VERBS["call"], tense, me, modal=modal, clitic=clitic)
    assert spanish(statement(me, group, type(EMPTY)((him,)))) == expected


def test_reflexive_verbs():
    we = pronoun("we")
    assert spanish(statement(we, verb_group(VERBS["get up"], "present", we))) == "Nos levantamos."
    going = verb_group(VERBS["get up"], "going_to", we)
    assert spanish(statement(we, going)) == "Vamos a levantarnos."


def test_contracted_negation_is_rendered_by_two_words():
    they = pronoun("they")
    group = verb_group(VERBS["eat"], "present", they, negative=True)
    made = sentence(statement(they, group, pair("meat", "carne")))
    assert (made.source, made.target) == ("They don't eat meat.", "No comen carne.")
    assert made.alignment == ((0, 1), (1, 0), (1, 1), (2, 1), (3, 2), (4, 3))


def test_yet_goes_before_the_negation():
    they = pronoun("they")
    yet = pair("yet", "todavía")
    group = verb_group(
        VERBS["finish"], "perfect", they, negative=True, adverb=yet, adverb_last=True
    )
    assert both_texts(statement(they, group)) == (
        "They haven't finished yet.",
        "Todavía no han terminado.",
    )


def test_ser_and_estar():
    door = noun_phrase(noun("door"))
    assert spanish(statement(door, copula("estar", "present", door), pair("open", "abierta"))) == (
        "La puerta está abierta."
    )
    me = pronoun("I")
    assert spanish(statement(me, copula("tener", "past", me), pair("hungry", "hambre"))) == (
        "Tenía hambre."
    )


def test_orders():
    door = noun_phrase(noun("door")).phrase
    assert both_texts(order(VERBS["open"], door)) == ("Open the door.", "Abre la puerta.")
    window = noun_phrase(noun("window")).phrase
    assert both_texts(order(VERBS["close"], window, negative=True)) == (
        "Don't close the window.",
        "No cierres la ventana.",
    )
    dog = spanish_only("a") + noun_phrase(noun("dog")).phrase
    assert both_texts(order(VERBS["feed"], dog)) == ("Feed the dog.", "Da de comer al perro.")


def test_pair_wants_links_where_they_are_not_obvious():
    with pytest.raises(ValueError, match="`links` must be given"):
        pair("at night", "por la noche")


def test_unknown_words_are_refused():
    with pytest.raises(ValueError, match="noun of the table"):
        noun("unicorn")
    with pytest.raises(ValueError, match="`determiner` must be"):
        noun_phrase(noun("car"), "several")


def test_the_grammar_translates_a_sentence_in_one_way_only():
    known = {}
    for seed in range(2):
        draw = Draw(seed)
        for _ in range(2_500):
            pair = draw.weighted(FAMILIES)(draw)
            assert known.setdefault(pair.source, pair.target) == pair.target


def test_every_family_can_be_drawn_alone():
    for family, weight in FAMILIES:
        assert weight > 0
        assert words(family(Draw(7)).source)[-1] in ".?!"


def test_drawn_pairs_have_distinct_sources():
    drawn = draw_pairs(Draw(3), 200)
    assert len(drawn) == 200
    assert all(source == pair.source for source, pair in drawn.items())


@pytest.mark.slow
def test_the_grammar_writes_the_file_of_the_package(tmp_path):
    environment = {**os.environ, "PYTHONHASHSEED": "123", "PYTHONPATH": str(TOOLS)}
    command = [sys.executable, "-m", "built_in_corpus", tmp_path / "corpus"]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    assert (tmp_path / "corpus").read_bytes() == FILE.read_bytes()
