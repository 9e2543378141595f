"""Texts of one byte a sign: which encoding they are in is found by their words, and otherwise not guessed."""

from __future__ import annotations

from pathlib import Path

import pytest

from aetherflow.etl.codepages import CHUNK, likeliest

POLISH = "Łódź;Kraków;Gdańsk;Białystok;Częstochowa;żółta gęś;mąka pszenna;ŻÓŁĆ;12,50 zł"
FRENCH = "Crème brûlée;Œufs;cœur;L\u2019Haÿ-les-Roses;à côté;Noël;Été;30 °C;25 m²;½ l"
GERMAN = "Größe;Müller;Äpfel;Öl;STRAßE;5 µm;§ 12;80 €;„so“"
CATALAN = "Paral·lel;Força;cañas;què"
SPANISH = "¿Qué?;¡Olé!;Mª José;nº 5;1ª;Año;Peñíscola"
DANISH = "Smørrebrød;Ærø;Ålborg;kød på brød"
ENGLISH = "£5;1¼ lb;¾ inch;10 m³;naïve;café;100 ¥;½;Café £10;GB only ™"
CZECH = "Příliš žluťoučký kůň úpěl ďábelské ódy;Plzeň"
RUSSIAN = "Москва;Санкт-Петербург;Яблоки;чай чёрный;Ёлка"
GREEK = "Αθήνα;Θεσσαλονίκη;καφές;ελιές;ψωμί"


def found(tmp_path: Path, text: bytes) -> str:
    path = tmp_path / "text"
    path.write_bytes(text)
    return likeliest(path)


@pytest.mark.parametrize("text", [FRENCH, GERMAN, SPANISH, CATALAN, DANISH, ENGLISH, "plain", ""])
def test_western_texts_are_in_cp1252(text: str, tmp_path: Path) -> None:
    assert found(tmp_path, text.encode("cp1252")) == "cp1252"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (POLISH, "cp1250"),
        ("Łódź", "cp1250"),
        ("Białystok", "cp1250"),
        ("żółty", "cp1250"),
        (POLISH, "iso8859-2"),
        (RUSSIAN, "cp1251"),
        (GREEK, "cp1253"),
    ],
)
def test_the_shape_of_words_tells_another_encoding(text: str, encoding: str, tmp_path: Path) -> None:
    assert found(tmp_path, text.encode(encoding)) == encoding


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Plzeň;Příbram", "cp1250"),  # PlzeÃ² is a word as well
        ("Győr", "cp1250"),
        ("Müller", "mac-roman"),  # MŸller is none, but Mźller might be one
        ("25 mł", "cp1250"),
        ("Größe;Müller;Äpfel", "cp850"),
        ("Größe;Müller;Äpfel", "mac-roman"),
        ("Crème brûlée;à côté;Noël", "mac-roman"),
        ("在庫;東京", "shift-jis"),
    ],
)
def test_what_nothing_decides_stays_in_cp1252(text: str, encoding: str, tmp_path: Path) -> None:
    assert found(tmp_path, text.encode(encoding)) == "cp1252"


def test_one_odd_word_turns_no_other_around(tmp_path: Path) -> None:
    assert found(tmp_path, ";".join([FRENCH] * 20).encode("cp1252") + ";Łódź".encode("cp1250")) == "cp1252"
    assert found(tmp_path, ";".join([POLISH] * 20).encode("cp1250") + b";\xa35;1\xbc") == "cp1250"


def test_words_over_the_edge_of_a_chunk_are_whole(tmp_path: Path) -> None:
    for ahead in range(CHUNK - 8, CHUNK + 1):
        assert found(tmp_path, b"x" * (ahead - 1) + ";Łódź".encode("cp1250")) == "cp1250"


def test_a_letter_that_cp1252_has_not_is_no_reason_to_refuse_a_file(tmp_path: Path) -> None:
    assert found(tmp_path, CZECH.encode("cp1250")) == "cp1250"
