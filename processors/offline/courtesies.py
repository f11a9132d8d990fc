"""What people say in the first person without telling anything of themselves."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from processors.offline.verb_words import ADVERBS
from processors.offline.vocabulary import vocabulary

_READ_AHEAD: Final = 12
_FULL: Final = {
    "m": "am", "ve": "have", "ll": "will", "d": "would", "re": "are",
}  # fmt: skip

_EMPTY_AFTER_I: Final = vocabulary(
    """
    think thought guess suppose bet reckon figure mean meant disagree wonder doubt
    assume swear apologize apologise recommend suggest hear beg dunno second envy
    appreciate thank promise insist admit said say tell told asked ask mentioned
    repeat imagine understand knew could should shall must better wish dare wouldn't
    shouldn't
    """
)
_EMPTY_AFTER_WE: Final = vocabulary(
    """
    can could should must need gotta know only might would will shall may agree
    think want tend humans recommend suggest offer apologize apologise ship accept
    do appreciate hope
    """
)
_MOODS: Final = """
    glad happy sorry sure proud impressed good fine ok okay alright great well back
    jealous curious confident positive grateful thankful honored flattered touched
    speechless amazed stoked pumped excited thrilled hyped lucky blessed afraid
    ready inspired motivated determined psyched delighted super eager intrigued
    relieved
"""
_SELDOM_TELLING: Final = """
    glad sorry sure impressed jealous curious confident positive afraid okay good fine
    great ok well amazed inspired intrigued delighted
"""

# After the first word, what may follow it: alternatives, with "_" for a blank.
_EMPTY_IF_FOLLOWED: Final[Mapping[str, str]] = {
    "agree": "(?!to_)",
    "am": "$ here there with_it with_that right_here saying rooting"
    " cheering dying_to"
    " all_ears all_for all_about_it all_about_that not_sure loving like calling so"
    " writing_to reaching_out asking contacting referring with gonna_go$ gonna_head$"
    " trying_to_(?:say|help|tell|find_out) open_to_(?:that|suggestion) on_it"
    " going_to_go$"
    " going_to_head going_to_check_(?:it|that) (?:hoping|down|done|in|off|out|wondering"
    "|kidding"
    "|joking|tired|hooked|obsessed|addicted|into|in_love|a_(?:big|huge)_fan)$"
    " doing_(?:good|great|well|fine|ok|okay|alright|my_best|best|it|pretty|amazing)"
    " looking_forward_to_(?:it|that|hear|see|this) feeling_(?:good|great|better|well"
    "|it)"
    " interested_in_(?:hear|see|that|it)",
    "believe": "(?!in_) in_(?:us|me|that|it)",
    "can": "help believe imagine see relate understand tell say agree picture hear"
    " feel $"
    " only get do assist vouch check look show send give provide explain offer try make"
    " be have go bring share recommend add use take create search",
    "can't": "wait help believe imagine see relate understand tell say agree think get"
    " complain thank recommend remember promise argue deny decide",
    "cannot": "wait help believe imagine see relate understand tell say agree",
    "couldn't": "agree believe be have ask help wait imagine resist say",
    "did": "$ it$ that$",
    "didn't": "know mean think realize expect see_(?:it|that) get_(?:it|that)",
    "do": "$ think hope agree know understand believe apologize it$ that$",
    "don't": "$ know(?!_how_to) think mind care get_(?:it|why) blame remember"
    " believe see"
    " understand_(?:that|what|why|how|it) have_(?:access|any_(?:idea|questions?)) feel"
    " want_to_(?:be|miss|forget|bother) like_(?:it|that|this)",
    "feel": "same that it bad_for for good$ great$ better$ bad$",
    "felt": "that_way it",
    "found": "results flights options \\w+_(?:results|flights|options|matches)",
    "get": "$ it that what why how",
    "got": "it that this one",
    "gotta": "go run say admit head jet get try see check tell",
    "have": "$ question idea suggestion clue doubt access results? faith feeling info"
    " (?:(?:a|an|one|another|few|couple|quick|any|some|no)_)+(?:question|idea\\b|clue"
    "|suggestion|doubt|results?|faith|feeling) (?:issue|problem)_with_(?:it|that)"
    " (?:seen|heard|to|checked|found)$ updated escalated issued processed attached"
    " forwarded refunded credited"
    " been_(?:doing_)?(?:good|great|well|fine|okay|ok|there)$ gone_ahead"
    " to_(?:say|admit|agree|run|go$|go_now|check|ask|get_going|tell)",
    "heard": "(?!(?:an?|some|the|my|from)_)",
    "hope": "(?!to_)",
    "know": "(?!how_to|\\w+_(?:from|and)_)",
    "like": "it that this how what those these them the_sound me",
    "love": "it that this how when what those these them",
    "loved": "it that this how",
    "miss": "that it this",
    "need": "go$ (?:(?:some|any|a)_)?(?:help|hand|assistance|advice|support) it that"
    " this"
    " one more to_(?:go$|go_now|run$|head|check_(?:it|that|this)|get_going|see|hear"
    "|try_it)",
    "never": "$",
    "noticed": "that this it",
    "prefer": "it that this",
    "remember": "that it when this$",
    "saw": "that this it",
    "see": "$ what how that why it where this",
    "tried": "$",
    "want": "it that this one more everyone people the_same to_(?:say|check|ask|let"
    "|share"
    "|thank|tell|follow|know|reach|touch|give|mention|catch|hear|send|wish|come|do_it"
    "|do_that|make_sure|see_(?:what|how|it|that))",
    "wanted": "to_(?:say|check|ask|let|share|thank|tell|follow|know|reach|touch|give"
    "|mention|catch|hear|send|wish|come|do_it|do_that|make_sure|see_(?:what|how|it"
    "|that))",
    "was": "$ there wondering kidding saying like thinking_(?:that|the_same|maybe) glad"
    " thinking_about_(?:it|that|this) impressed going_to_(?:say|ask) about_to_(?:say"
    "|ask)"
    " hoping",
    "will": "$ let think try keep see call text message send check do look get_back"
    " talk"
    " be_(?:there|here|right|back|sure|waiting|rooting|cheering|in_touch|careful"
    "|okay|ok"
    "|fine|around|happy|glad|able|thinking|honest) take_(?:it|that|a_look|care|note)"
    " show"
    " tell remember have_to give make_sure catch pass say share update support need"
    " treasure cherish not add leave report explain help walk post bring miss stick"
    " come"
    " get_(?:it|that|on) start_thinking go_(?:ahead|for|check) want know continue"
    " stay_(?:strong|positive|focused|tuned|motivated)",
    "won't": "let give forget lie stop quit be_able_to_(?:help|do|make_it) do_(?:it"
    "|that)",
    "would": "(?!(?:love|like|rather|prefer|been|felt|\\w+ed)\\b)"
    " like_(?:an?|some|my|more|that|it|to_(?:order|return|cancel|know|book|ask"
    "|request|see"
    "|change|update|hear|add|thank|speak|talk|buy|report|say|point))"
    " love_(?:it|that|one|some|for|any|to_(?:see|hear|know|join|help|come|chat|check"
    "|tag"
    "|talk|do_(?:it|that)|try_(?:it|that|this|one)|go_(?:there|with)|have_(?:it|that)"
    "|meet_(?:him|her|them)|read_(?:it|that)|watch_(?:it|that)|be_there))",
}
_EMPTY_MOOD: Final = """
    $ (?:and_)?to_(?:be|help|hear|see|share|assist|answer|explain|know|say|tell|call)
    (?:and_)?to_(?:learn_more|get$|go$|check|chat|catch)
    to_have_(?:it|that|this|them|such|people|found)
    for_(?:that|it|this|us|h) of_(?:it|that|this|us|h|everyone)
    (?:about|by|with)_(?:it|that|this|what|how|all) that we he she they it
"""
_EMPTY_WE: Final[Mapping[str, str]] = {
    "all": "need want have know deserve love face should can could make get go do"
    " feel like"
    " agree",
    "are": "all so in_this",
    "get": "it that",
    "got": "this",
    "had": "(?:a_)?(?:great|so_much_fun|blast)$",
    "have": "to",
    "live": "in_a",
    "make": "(?:a_)?(?:great|good)",
}


def is_courtesy(tokens: list[str]) -> bool:
    """Whether lower-case words that begin with "I" or "we" only keep a talk going."""
    plain = _without_contraction([t for t in tokens[:_READ_AHEAD] if t not in ADVERBS])
    if len(plain) < 2:  # noqa: PLR2004 - a subject alone tells nothing
        return True
    subject, head, rest = plain[0], plain[1], " ".join(plain[2:])
    if subject == "we":
        return head in _EMPTY_AFTER_WE or _follows("we", head, rest)
    if head in _EMPTY_AFTER_I or _follows("i", head, rest):
        return True
    return head == "am" and bool(_mood().match(rest))


def _without_contraction(tokens: list[str]) -> list[str]:
    if not tokens:
        return tokens
    subject, _, ending = tokens[0].partition("'")
    if tokens[0] in ("im", "ive"):
        subject, ending = "i", tokens[0][1:]
    return [subject, _FULL[ending], *tokens[1:]] if ending in _FULL else tokens


def _follows(subject: str, head: str, rest: str) -> bool:
    pattern = _followed(subject, head)
    return pattern is not None and pattern.match(rest) is not None


@cache
def _followed(subject: str, head: str) -> re.Pattern[str] | None:
    table = _EMPTY_WE if subject == "we" else _EMPTY_IF_FOLLOWED
    return _alternatives(table[head]) if head in table else None


@cache
def _mood() -> re.Pattern[str]:
    seldom, moods = "|".join(_SELDOM_TELLING.split()), "|".join(_MOODS.split())
    empty = _alternatives(_EMPTY_MOOD).pattern
    return re.compile(rf"(?:{seldom})\b(?! at )|(?:{moods})\b ?{empty}")


def _alternatives(text: str) -> re.Pattern[str]:
    joined = "|".join(text.split()).replace("||", "|").replace("_", " ")
    return re.compile(rf"(?:{joined})(?:\b|$)")
