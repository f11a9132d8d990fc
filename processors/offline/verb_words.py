"""The verbs of everyday talk, and the adverbs that stand before them."""

from typing import Final

from processors.offline.vocabulary import vocabulary

BASE_VERBS: Final = vocabulary(
    """
    abandon absorb accept accompany achieve act adapt add adjust admire admit adopt
    adore advise advocate afford aim allow amaze analyze answer appear apply
    appreciate approach argue arrange arrive ask aspire assist associate assume
    attend avoid babysit bake balance bathe battle be become begin believe belong
    bike bird-watch blend blog boil book borrow bowl box break bring browse brush
    build burn buy calculate call camp care carry carve cast catch celebrate
    challenge change charge chat check cherish choose clean clear climb coach code
    collaborate collect combine come commemorate commit communicate commute compete
    complete compose concentrate confuse connect consider consult consume contact
    contribute cook cope copy count cover crack crash crave create crochet cross cry
    cuddle cut cycle dabble dance date deal debug decide decorate dedicate deliver
    depend describe deserve design despise destress detest develop die dig dine
    disagree discover discuss dislike dive do donate doodle download draft drag draw
    dread dream dress drink drive drop earn eat edit educate embrace empower
    encourage end endure enjoy ensure enter entertain envision escape establish
    examine exercise expand expect experience experiment explain explore express
    face fail fall fear feed feel fight figure fill film find finish fish fit fix
    flow fly focus follow forage forget foster freelance gain gamble garden gather
    get give go golf grade greet grill grind grow guide handle hang happen hate have
    head hear help hide hike hire hit hold homeschool hope host hug hunt hustle
    identify ignore imagine improve include indulge inherit inspire install intend
    interact intern invest invite involve iron jam jog join joke journal judge
    juggle jump keep kick kill knit know lack laugh launch lead lean learn leave
    lend let lie lift like link listen live load loathe look lose love maintain make
    manage map mark marvel master matter mean measure meditate meet mend mentor mind
    miss mix monitor mop motivate mourn move need neglect network notice nurse
    obsess offer open operate order organize overcome overthink owe own pack paint
    parent participate pass pay perform photograph pick pitch plan plant play poach
    point polish post pour practice practise praise pray prefer prepare present
    preserve prioritize produce program promise promote protect prove provide
    publish pull push put quilt race raise read realise realize recall receive
    recharge recognize recommend record recover recycle reflect regret relate relax
    release rely remain remember remind remodel renovate rent repair replace
    represent research resent respect respond rest restore retake retire return
    review ride rock roll row ruin run rush sail save scare schedule scrapbook
    sculpt search see seek seem sell send serve set sew shape share shoot shop
    shovel show sign sing sit skate skateboard sketch ski skip sleep smell smile
    smoke snack snore snowboard snowshoe solve sound spar speak specialize spend
    split sponsor squat stand start stay steer stick stop store stream stretch
    strive struggle study succeed suffer supervise support suppose surf swear swim
    switch symbolize take talk taste teach team tell tend test text thank think
    thrive throw tinker train translate travel treasure treat trust try turn tutor
    type underestimate understand unwind update use value venture view visit
    visualize volunteer vote wait wake walk wander want watch wear weigh welcome win
    wish wonder work worry worship wrestle write yearn zone
    """
)
"""Base forms that may follow a subject in the first person."""

IRREGULAR_PAST: Final = vocabulary(
    """
    ate beat became began bent bit blew bought bound bred broke brought built burnt
    came cast caught chose clung couldn't crept cut dealt did didn't drank dreamt
    drew drove dug fed fell felt fled flew forbade foresaw forgave forgot fought
    found froze gave got grew had hadn't heard held hid hit hung hurt kept knelt
    knew knit learnt spelt leapt laid led left lent let lit lost made meant met
    misread mistook misunderstood outgrew overcame overslept paid proved put quit
    ran rang read rebuilt redid reread rewrote rode rose sang sank sat saw sent set
    sewed shone shook shot shut slept slid sold spent spilt spoke sprang spread
    stole stood struck stuck stung swam swept swore swung taught thought threw told
    took tore understood undertook upset was wasn't went wept were weren't withdrew
    woke won wore wound wrote
    """
)
"""Past forms that do not end in -ed."""

MODALS: Final = vocabulary(
    """
    can could will would shall should may might must can't cannot couldn't won't
    wouldn't shouldn't mustn't used didn't did was wasn't had hadn't were weren't
    mightn't
    """
)
"""Forms in which no person shows, and after which no verb shows one."""

ADVERBS: Final = vocabulary(
    """
    just really also always never still usually often actually totally definitely
    even ever only kinda absolutely truly mostly probably honestly already almost
    sometimes rarely hardly mainly literally fully personally especially finally
    recently currently simply basically certainly generally normally typically
    occasionally frequently constantly seriously genuinely deeply strongly highly
    completely particularly initially originally regularly barely quickly slowly
    soon now then once again too so very pretty quite super much eventually daily
    weekly secretly obviously clearly lately later first no longer
    """
)
"""What may stand between a subject and its verb."""
