"""What of the views lies within a sight, as conditions on rows (RS 7.5, 14.17)."""

from domain.names import SCOPE_PREFIX
from processors.tools.memory import Sight
from projections.as_of import holding
from projections.condition import Bind, Condition, always, equals, every
from projections.covered import covered
from projections.withheld import recalled


def held(sight: Sight) -> Condition:
    """Hold for conclusions ``c`` an allow-list covers; whose they are is said apart."""
    return always if sight.sessions is None else covered("c", sight.sessions)


def owned(sight: Sight) -> Condition:
    """Hold for conclusions ``c`` that are held then by who looks, and are covered."""

    def whose(bind: Bind) -> str:
        if sight.observer is None:
            return "c.id = c.origin"
        return f"c.observer = {bind(sight.observer)}"

    conditions = [whose, holding(sight.as_of, "c"), held(sight)]
    if sight.observed is not None:
        conditions.append(equals("c.observed", sight.observed))
    return every(*conditions)


def heard(sight: Sight) -> Condition:
    """Hold for messages ``m`` that were said where who looks could hear them."""
    conditions: list[Condition] = []
    if sight.scope and sight.observer is not None:
        conditions.append(_in_scope(sight.observer, sight.as_of))
    elif sight.observer is not None:
        conditions.append(_heard_by(sight.observer))
    if sight.sessions is not None:
        conditions.append(_in_sessions(sight.sessions))
    if sight.session is not None:
        conditions.append(equals("m.session", sight.session))
    return every(*conditions) if conditions else always


def visible(sight: Sight) -> Condition:
    """Hold for messages that were heard, are not withheld, and are all there.

    Of a statement whose first argument is the tenant. A fork that is being copied is
    not there yet.
    """

    def whole(bind: Bind) -> str:
        return (
            "m.session NOT IN (SELECT f.session FROM forking AS f"  # noqa: S608  our own names
            f" WHERE f.tenant = $1 AND {holding(sight.as_of, 'f')(bind)})"
        )

    return every(heard(sight), recalled(sight.as_of), whole)


def _heard_by(peer: str) -> Condition:
    """Hold for what was said while the peer took part, by the log's own order.

    When it is said to have been said does not count: what was imported is heard by
    those who were there when it came (RS 13.1 W46).
    """
    return lambda bind: (
        f"(m.peer = {bind(peer)} OR EXISTS (SELECT FROM member AS h"
        f" WHERE h.tenant = m.tenant AND h.session = m.session"
        f" AND h.peer = {bind(peer)} AND h.active AND h.from_position <= m.position"
        " AND (h.to_position IS NULL OR h.to_position > m.position)))"
    )


def _in_scope(observer: str, as_of: int) -> Condition:
    """Hold for messages of the sessions a scope holds then."""
    scope = observer.removeprefix(SCOPE_PREFIX)
    return lambda bind: (
        "EXISTS (SELECT FROM scope_session AS h WHERE h.tenant = m.tenant"
        f" AND h.session = m.session AND h.scope = {bind(scope)}"
        f" AND h.active AND {holding(as_of, 'h')(bind)})"
    )


def _in_sessions(sessions: tuple[str, ...]) -> Condition:
    return lambda bind: f"m.session = ANY ({bind(list(sessions))}::text[])"
