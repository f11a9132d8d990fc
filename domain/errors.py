"""The errors a decision may answer with.

DomainError
├── NotFound       the named resource does not exist: the caller named it wrongly
└── Refused        a rule forbids it
    ├── Invalid    what was sent can never be accepted (a malformed name, say)
    └── Conflict   what was sent contradicts what is there now

Which HTTP answer each deserves is decided in ``infra/http/errors.py``; texts are
those of HC 1.12.
"""


class DomainError(Exception):
    """Something the caller asked for cannot be; ``str()`` is the sentence."""


class NotFound(DomainError):  # noqa: N818  a domain word, read as a sentence
    """The resource named in the request does not exist."""


class Refused(DomainError):  # noqa: N818  a domain word, read as a sentence
    """A rule forbids the request as it stands."""


class Invalid(Refused):
    """The request can never be accepted, whatever the state."""


class Conflict(Refused):
    """The request contradicts the present state."""
