"""Random filters, and random JSON for them to be asked of."""

from hypothesis import strategies as st

KEYS = ("k", "tags", "é", "AND")
TEXTS = ("", "a", "B", "ab", "5", " 7.0 ", "1e1", "true", "2026-01-01", '"', "%")
NUMBERS = st.sampled_from([-3, 0, 1, 5, 7, 12, 0.5, 5.0, -2.25, 10**20])
SCALARS = st.none() | st.booleans() | NUMBERS | st.sampled_from(TEXTS)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(("k", "b", "gte")), inner, max_size=2)
    ),
    max_leaves=4,
)
METADATA = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=3)

_ANYTHING = st.just("*")
_COMPARED = NUMBERS | st.sampled_from(TEXTS) | _ANYTHING
_SPELLED = _COMPARED | st.booleans()


def some(operands):
    """Return strategies of one or two of these operators with operands."""
    pairs = [st.tuples(st.just(name), each) for name, each in operands.items()]
    return st.lists(st.one_of(pairs), min_size=1, max_size=2).map(dict)


def listed(values):
    return st.lists(values | _ANYTHING, max_size=3)


_COMPARING = dict.fromkeys(("gt", "gte", "lt", "lte"), _COMPARED)
_ON_KEY = (
    VALUES.filter(lambda value: not (isinstance(value, dict) and "gte" in value))
    | _ANYTHING
    | some(
        _COMPARING
        | dict.fromkeys(("ne", "contains", "icontains"), _SPELLED)
        | {"in": listed(SCALARS)}
    )
)
ON_METADATA = st.one_of(
    st.dictionaries(st.sampled_from(KEYS), _ON_KEY, max_size=2),
    st.builds(lambda part: {"contains": part}, METADATA),
    st.sampled_from([None, "*", [], ["*"], ["a"], {}, {"contains": "*"}]),
)


def on_text(values):
    texts = st.sampled_from(values)
    same = texts | _ANYTHING
    operators = dict.fromkeys(("gt", "gte", "lt", "lte"), same)
    operators |= dict.fromkeys(("contains", "icontains"), same)
    operators |= {"ne": same | st.none(), "in": listed(texts | st.none())}
    return same | st.none() | listed(texts) | some(operators)


def on_order(values):
    """Return conditions on what has an order and no text."""
    sample = st.sampled_from(values)
    operators = dict.fromkeys(("gt", "gte", "lt", "lte"), sample | _ANYTHING)
    operators |= {"ne": sample | st.none() | _ANYTHING, "in": listed(sample)}
    return sample | st.none() | _ANYTHING | listed(sample) | some(operators)


def on_ids(values):
    wanted = st.sampled_from(values) | listed(st.sampled_from(values)) | _ANYTHING
    return st.sampled_from([None, "*", {"ne": None}]) | st.builds(
        lambda each: {"contains": each}, wanted
    )


def trees(columns):
    """Return filters over these columns, logical levels nested as deep as is legal."""
    leaf = st.one_of(
        [
            st.tuples(st.just(name), condition).map(lambda pair: dict([pair]))
            for name, condition in columns.items()
        ]
    )
    level = leaf
    for _ in range(5):
        members = st.lists(level, max_size=2)
        logic = st.dictionaries(
            st.sampled_from(("AND", "OR", "NOT")), members, min_size=1, max_size=2
        )
        level = leaf | logic | st.builds(lambda a, b: {**a, **b}, leaf, logic)
    return level
