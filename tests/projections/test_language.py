"""A text's language is told by its small words; what says too little is English."""

import pytest

from domain.languages import LANGUAGES
from projections.language import DEFAULT, language_of
from projections.spelled import spelled

SAID = {
    "english": ["I love hiking in the mountains.", "He plays die hard in a bar"],
    "german": ["Ich wandere gern in den Bergen.", "Der Hund schläft auf dem Sofa"],
    "french": ["Ma sœur travaille comme infirmière à Paris", "Le chien est sur le lit"],
    "spanish": ["Me gusta caminar por las montañas.", "El perro duerme en el sofá"],
    "italian": ["Mi piace camminare in montagna.", "Sono andato al lago con lei"],
    "portuguese": ["Eu gosto de caminhar nas montanhas.", "Está muito bom"],
    "dutch": ["Ik wandel graag in de bergen.", "De hond slaapt op de bank"],
    "swedish": ["Jag gillar att vandra i bergen.", "Hunden sover på soffan och jag"],
    "finnish": ["Minä rakastan vaeltamista vuorilla mutta en nyt."],
    "turkish": ["Dağlarda yürümeyi çok seviyorum."],
    "russian": ["Я люблю гулять в горах."],  # noqa: RUF001  their letters
    "greek": ["Μου αρέσει να περπατάω στα βουνά."],  # noqa: RUF001
    "arabic": ["أحب المشي في الجبال."],
    "hindi": ["मुझे पहाड़ों में घूमना पसंद है।"],
}


@pytest.mark.parametrize(("language", "texts"), SAID.items(), ids=SAID)
def test_a_sentence_is_told_by_its_small_words_and_letters(language, texts):
    assert [language_of(text) for text in texts] == [language] * len(texts)
    assert language in LANGUAGES


@pytest.mark.parametrize(
    "text",
    ["", "Hi", "OK!", "犬", "12 34", "la la land", "https://a.de/der/die", "Das"],
)
def test_what_says_too_little_is_english(text):
    assert language_of(text) == DEFAULT


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain words, as they are. Yes", "plain words, as they are. Yes"),
        ("tea/coffee", "tea coffee"),
        ("see www.example.com/a", "see www example com a"),
        ("3.5 of 1/2", "3.5 of 1/2"),
        ("犬が好き", " 犬が が好 好き "),
        ("I saw 犬 and 東京タワー!", "I saw  犬  and  東京 京タ タワ ワー !"),
        ("ภาษา", " ภา าษ ษา "),
        ("café über", "café über"),
    ],
)
def test_words_are_set_apart_however_they_are_written(text, expected):
    assert spelled(text) == expected
