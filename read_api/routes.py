"""All questions over HTTP, and how what only they can meet is answered."""

from typing import Any, Final

from litestar import Request, Response, Router

from read_api.answer_lineage import get_answer_lineage
from read_api.card_lines import get_card_lines
from read_api.cards import get_card
from read_api.conclusions import (
    NobodyEmbeds,
    get_conclusion,
    list_conclusions,
    query_conclusions,
)
from read_api.consequences import get_consequences
from read_api.derivations import list_derivations
from read_api.dreams import list_dreams
from read_api.lineage import get_lineage
from read_api.members import get_session_peer_config
from read_api.messages import get_message, list_messages
from read_api.moment import NotReached
from read_api.peer_contexts import get_peer_context
from read_api.peers import list_peers, list_session_peers
from read_api.queue_status import get_queue_status
from read_api.representations import get_representation
from read_api.retractions import get_retraction, list_retractions
from read_api.scope_lists import (
    get_scope,
    get_scope_status,
    list_scope_sessions,
    list_scopes,
)
from read_api.searches import search_peer, search_session, search_workspace
from read_api.session_contexts import get_session_context
from read_api.sessions import (
    get_session_summaries,
    list_peer_sessions,
    list_sessions,
)
from read_api.usage import get_usage
from read_api.webhooks import list_webhooks
from read_api.workspaces import list_workspaces

Asked = Request[Any, Any, Any]


_QUESTIONS: Final = (
    get_answer_lineage,
    get_card,
    get_card_lines,
    get_conclusion,
    get_consequences,
    get_lineage,
    get_message,
    get_peer_context,
    get_queue_status,
    get_representation,
    get_retraction,
    get_scope,
    get_scope_status,
    get_session_context,
    get_session_peer_config,
    get_session_summaries,
    get_usage,
    list_conclusions,
    list_derivations,
    list_dreams,
    list_messages,
    list_peer_sessions,
    list_peers,
    list_retractions,
    list_scope_sessions,
    list_scopes,
    list_session_peers,
    list_sessions,
    list_webhooks,
    list_workspaces,
    query_conclusions,
    search_peer,
    search_session,
    search_workspace,
)


def read_routes() -> Router:
    """Return every question.

    Its handlers ask the application for ``parse``, ``views``, ``database``,
    ``log``, ``query_embedder``, ``message_embedder``, ``tokens`` and
    ``context_max_tokens``.
    """
    return Router(
        path="/",
        before_request=_make_storable,
        exception_handlers={NotReached: _say, NobodyEmbeds: _say},
        route_handlers=[*_QUESTIONS],
    )


async def _make_storable(request: Asked) -> None:
    """Let a path with NUL name nothing, instead of what no column could hold."""
    request.scope["path_params"] = {  # a new one: Litestar keeps these for the path
        name: value.replace("\x00", "\ufffd") if isinstance(value, str) else value
        for name, value in request.scope["path_params"].items()
    }


def _say(_request: Asked, failure: NotReached | NobodyEmbeds) -> Response[Any]:
    return Response(
        {"detail": failure.detail},
        status_code=failure.status_code,
        headers=failure.headers,
    )
