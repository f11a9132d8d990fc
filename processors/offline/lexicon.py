"""Closed classes of English words that the rules of this package speak about."""

from typing import Final

from processors.offline.vocabulary import vocabulary

FIRST_PERSON: Final = vocabulary(
    """
    i i'm i've i'll i'd im ive my mine me myself we we're we've we'll we'd our ours
    us ourselves
    """
)

FUNCTION: Final = vocabulary(
    """
    a an the and or but so because cause since as than then if when while until
    though although of in on at to for from with without by about into over after
    before through between among up down out off away around back along across like
    against am is are was were be been being 'm 's 're 've 'll 'd isn't aren't
    wasn't weren't has have had having haven't hasn't hadn't do does did doing done
    don't doesn't didn't can could will would shall should may might must can't
    cannot couldn't won't wouldn't shouldn't gonna wanna gotta going get gets
    getting got gotten go goes went gone make makes made making take takes took
    taking give gives gave giving keep keeps kept keeping know knew known feel feels
    felt feeling try tries tried trying see saw seen want wants wanted need needs
    needed think thought thinking likes liked love loved said say tell told put let
    come came coming look looks looked looking forward use used seem seems enjoy
    enjoyed not no never always just really also still even ever only too very much
    more most some any many few couple bunch load loads lot lots bit little all both
    each every other another such same own pretty quite totally definitely actually
    absolutely truly honestly super again already yet maybe perhaps probably almost
    enough else rather kind sort kinda sorta thing things something anything
    everything nothing someone anyone everyone stuff way ways time times blast fun
    best better good great nice awesome amazing cool wonderful fantastic incredible
    fan huge big hooked happy glad excited proud thrilled grateful thankful nervous
    rock bigger adventure ride quite fire alone together lucky hopeful optimistic
    determined motivated inspired confident positive pumped stoked hyped blessed
    talked laughing happened similar experience experiences sorry sure okay ok fine
    well bad hard tough right wrong part moment moments thoughts idea ideas day one
    ones two yes what which who whom whose where how why that this these those there
    here now today it its it's he she him her his hers they them their theirs you
    your yours it'll that's there's what's everyone's i'm i've i'll i'd i me my mine
    myself we us our ours we're we've we'll we'd oneself
    """
)

UNRESOLVED: Final = vocabulary(
    """
    it it's it'll its he she he's she's him her his hers they they're they've them
    their theirs this that these those that's there here there's here's one ones em
    it'd that'll they'd they'll he'd he'll she'd she'll
    """
)

TIME_NOUNS: Final = vocabulary(
    """
    year month week weekend days morning afternoon evening night summer spring fall
    autumn winter semester season time past coming last next few friday monday
    tuesday wednesday thursday saturday sunday christmas term january february march
    april may june july august september october november december
    """
)

NEVER_FIRST: Final = vocabulary(
    """
    it it's its it'll it'd this that that's that'll these those they they're they've
    they'll they'd he'd he'll she'd she'll he he's she she's his her hers you you're
    you've you'll your yours there there's here here's what what's who who's which
    whose where where's how how's why let let's please thanks thank congrats
    congratulations do does did don't doesn't didn't is are am was were isn't aren't
    wasn't can can't could couldn't should shouldn't would wouldn't will won't may
    might must have has had haven't hasn't suppose imagine glad happy hope hopefully
    sounds looks seems wish maybe perhaps good great nice awesome cannot same bet
    wonder excited proud sorry welcome bye see check no not wow cool gonna wanna
    something any anything anyone nothing unless if excuse pardon such so definitely
    tell show ready never been everything dear ps feels feel appreciate everyone
    thing things too as-if
    """
)

ADVERBIAL_FIRST: Final = vocabulary(
    """
    when whenever while after before since during in on at for as with without
    because although though despite last next yesterday tomorrow tonight today
    recently lately currently now once every growing back until from by over two
    three four five six seven eight nine ten a later sometimes usually then first
    earlier nowadays mostly originally eventually being having ever besides through
    throughout instead off just whether even given like near under outside between
    about most one some many monday tuesday wednesday thursday friday saturday
    sunday these those this
    """
)
