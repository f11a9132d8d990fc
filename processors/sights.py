"""How far a question may look: decided by what was asked, before a model reads it."""

from commands.asking import AskedQuestion
from processors.tools.memory import Sight


def sight_of(question: AskedQuestion) -> Sight:
    """Return what a question may be answered with (HC E12, 6.7)."""
    return Sight(
        workspace=question.workspace,
        observer=question.scope or question.peer,
        observed=question.target,
        scope=question.scope is not None,
        session=question.session,
        sessions=question.sessions,
        as_of=question.as_of,
    )
