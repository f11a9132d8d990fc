"""Which language a text is in, told by its small words and its letters.

The same text is always told alike: stems are folded from it, here and in a rebuild.
What says too little counts as English, which is what most agents are spoken to in.
"""

import re
from typing import Final

DEFAULT: Final = "english"

_LOOKED_AT: Final = 400
"""Letters of a text that are looked at."""

_SMALL_WORDS: Final = {
    "english": (
        "the and of to in is you that it he was for on are with as his they at be "
        "this have from or had by but what some we can out other were all there "
        "when your how said an each she which do their will i my me not am did "
        "what's it's i'm don't would could should has been about who where why her "
        "him our just a so no if us go too man up over more then than them hi oh "
        "see "
        "come care place met plus dog bet door son "
    ),
    "german": (
        "der die das und ist nicht ich du er sie wir ihr ein eine einen einem einer "
        "zu den dem des mit auf für von im es auch wie hat habe haben wird wurde "
        "sind bin war aber oder wenn dass nach bei aus noch nur so mich mir mein "
        "meine dein kann sich über um werden gern gerne sehr heute morgen immer "
        "schon in an am als was wo danke bitte gut letzte diese dieser dieses "
        "arbeitet "
    ),
    "french": (
        "le la les des du et est une un que qui dans pour pas sur avec je tu il "
        "elle nous vous ils ce cette ces au aux en ne se mais ou où son sa ses mon "
        "ma mes être avoir ai suis sont plus par comme fait très c'est j'ai n'est "
        "d'un d'une qu'il leur on y était j'aime merci qu'est l'on d'accord à aussi "
    ),
    "spanish": (
        "el la los las de que y en un una es no por con para su se lo como más pero "
        "sus le ya o este sí porque esta entre cuando muy sin sobre también me "
        "hasta hay donde quien desde todo nos durante estoy está soy son mi mis "
        "tengo yo fue del al qué cómo gusta gracias hemos nuestra nuestro "
    ),
    "italian": (
        "il lo la i gli le di che e è un una per non con sono mi si come ma più del "
        "della dei delle nel nella al alla ho hai ha anche io tu lui lei noi loro "
        "questo questa molto quando dove perché se da su mio mia suo sua era stato "
        "c'è l'ho piace grazie abbiamo allo dal sul sulla alle "
    ),
    "portuguese": (
        "o a os as de que e em um uma é não por com para se na no do da dos das "
        "mais mas como eu ele ela você nós eles foi ao à pelo pela seu sua meu "
        "minha isso este esta quando muito já também só até são estou está tenho "
        "gosto ou obrigado sou temos muita bom "
    ),
    "dutch": (
        "de het een en van in is dat op te zijn met voor niet aan er om ook als "
        "maar bij nog wel naar heeft hebben ik je jij hij zij ze we wij mijn haar "
        "hun dit die uit wordt werd kan kunnen door over heb ben was zo geen graag "
        "goed bedankt wat mij deze "
    ),
    "swedish": (
        "och att det i en jag hon som han på den med var sig för så till är men ett "
        "om hade de av icke mig du henne då sin nu har inte hans honom skulle "
        "hennes där min man ej vid kunde något från ut när efter upp vi dem vara "
        "vad över än dig kan mycket tack "
    ),
    "norwegian": (
        "og i jeg det at en et den til er som på de med han av ikke der så var meg "
        "seg men ett har om vi min mitt ha hadde hun nå over da ved fra du ut sin "
        "dem oss opp man kan hans hvor eller hva skal selv sjøl her alle vil bli "
        "ble mye "
    ),
    "danish": (
        "og i jeg det at en den til er som på de med han af for ikke der var mig "
        "sig men et har om vi min havde ham hun nu over da fra du ud sin dem os op "
        "man hans hvor eller hvad skal selv her alle vil blev kunne ind når være "
        "dog noget meget "
    ),
    "finnish": (
        "ja on ei se että hän oli olen ole ovat mutta kun niin kuin tai myös minä "
        "sinä me te he tämä mitä joka jos vain sen minun sinun minua sinua hänen "
        "nyt kiitos kanssa siellä ollut olla voi sitten vielä hyvin paljon en "
    ),
    "hungarian": (
        "a az és hogy nem is egy van volt ez meg de csak ha már mint azt én te ő mi "
        "ti ők vagy még nagyon kell lesz vagyok el ki be fel úgy így ezt akkor mert "
        "minden szeretem "
    ),
    "romanian": (
        "și în de la cu pe nu este un o să că care din pentru mai sunt fi au a am "
        "ai ce dar sau dacă el ea noi voi ei lor lui meu mea foarte când unde acest "
        "această îmi place fost "
    ),
    "turkish": (
        "ve bir bu da de için ile çok ben sen o biz siz onlar ne var yok değil gibi "
        "daha ama kadar olarak en her mi mu mü ki şey benim senin sonra diye "
        "seviyorum oldu misin musun bana sana "
    ),
    "indonesian": (
        "yang dan di ini itu dengan untuk tidak dari dalam akan pada juga saya kamu "
        "dia kami kita mereka ada adalah ke bisa sudah atau karena oleh sangat "
        "seperti telah suka aku "
    ),
    "catalan": (
        "el la els les de que i en un una és no per amb del al com més però seu "
        "seva es jo tu ell ella nosaltres això aquest aquesta quan molt també sóc "
        "estic tinc meu meva són què on m'agrada "
    ),
    "lithuanian": (
        "ir yra į kad ne aš tu jis ji mes jūs tai su iš bet kaip buvo per ar už "
        "apie po tik dar labai mano "
    ),
}

# Letters few others have count as a small word each.
_LETTERS: Final = {
    "ß": ("german",),
    "ä": ("german", "swedish", "finnish"),
    "ü": ("german", "turkish", "hungarian"),
    "ñ": ("spanish",),
    "¿": ("spanish",),
    "¡": ("spanish",),
    "ã": ("portuguese",),
    "õ": ("portuguese",),
    "ç": ("french", "portuguese", "catalan", "turkish"),
    "œ": ("french",),
    "ê": ("french", "portuguese"),
    "å": ("swedish", "norwegian", "danish"),
    "ø": ("norwegian", "danish"),
    "æ": ("norwegian", "danish"),
    "ő": ("hungarian",),
    "ű": ("hungarian",),
    "ğ": ("turkish",),
    "ş": ("turkish",),
    "ș": ("romanian",),
    "ț": ("romanian",),
    "ă": ("romanian",),
    "ė": ("lithuanian",),
    "ų": ("lithuanian",),
    "š": ("lithuanian",),
}

# By script, where one language of Postgres' is by far the most written in it.
_SCRIPTS: Final = (
    ("greek", re.compile(r"[\u0370-\u03ff\u1f00-\u1fff]")),
    ("russian", re.compile(r"[\u0400-\u04ff]")),
    ("armenian", re.compile(r"[\u0530-\u058f]")),
    ("arabic", re.compile(r"[\u0600-\u06ff]")),
    ("hindi", re.compile(r"[\u0900-\u097f]")),
    ("tamil", re.compile(r"[\u0b80-\u0bff]")),
)

_PUNCTUATION: Final = str.maketrans(
    dict.fromkeys('.,;:!?()[]"*\u2026\u201c\u201d', " ")
)


def _by_word() -> dict[str, tuple[str, ...]]:
    said: dict[str, tuple[str, ...]] = {}
    for language, words in _SMALL_WORDS.items():
        for word in set(words.split()):
            said[word] = (*said.get(word, ()), language)
    return said


_SAID_IN: Final = _by_word()

_FOREIGN: Final = frozenset(
    word for word, languages in _SAID_IN.items() if DEFAULT not in languages
)

_LEAST: Final = 2
_MARGIN: Final = 1.2


def language_of(text: str) -> str:
    """Return the language of a text as Postgres calls it, judged by its beginning.

    Two different small words are the least that says anything, and they have to say it
    more clearly than English says otherwise. A word weighs less the more languages
    have it.
    """
    lower = text[:_LOOKED_AT].lower()
    # Nearly every English text ends here, at a third of the cost.
    if lower.isascii() and _FOREIGN.isdisjoint(lower.split()):
        return DEFAULT
    words = set(lower.translate(_PUNCTUATION).split())
    if not lower.isascii():
        script = _script_of(lower)
        if script is not None:
            return script
        words = {each.replace("\u2019", "'") for each in words}
        words |= set(lower) & _LETTERS.keys()
    return _most_likely(words)


def _most_likely(found: set[str]) -> str:
    points: dict[str, float] = {}
    count: dict[str, int] = {}
    for word in found:
        languages = _LETTERS.get(word) or _SAID_IN.get(word, ())
        for language in languages:
            points[language] = points.get(language, 0.0) + 1 / len(languages)
            count[language] = count.get(language, 0) + 1
    if not points:
        return DEFAULT
    best = max(points, key=lambda each: (points[each], count[each], each))
    if best == DEFAULT or count[best] < _LEAST:
        return DEFAULT
    return best if points[best] > _MARGIN * points.get(DEFAULT, 0.0) else DEFAULT


def _script_of(text: str) -> str | None:
    """Return the language of the script that most of a text is written in."""
    for language, letters in _SCRIPTS:
        if len(letters.findall(text)) * 2 > len(text) - text.count(" "):
            return language
    return None
