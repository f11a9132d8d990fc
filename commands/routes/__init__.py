"""The HTTP doors that change something. The only place here that knows Litestar."""

from commands.routes.cards import put_card
from commands.routes.chat import post_chat, post_workspace_chat
from commands.routes.clones import post_clone
from commands.routes.conclusions import delete_conclusion, post_conclusions
from commands.routes.deletions import (
    delete_session_route,
    delete_workspace_route,
)
from commands.routes.derivations import (
    post_derivation_flush,
    post_derivation_redrive,
)
from commands.routes.dreams import post_dream
from commands.routes.members import (
    delete_peers,
    post_peers,
    put_peers,
    put_session_peer_config,
)
from commands.routes.message_update import put_message
from commands.routes.messages import post_messages
from commands.routes.peers import post_peer, put_peer
from commands.routes.quarantines import post_quarantine, post_quarantine_preview
from commands.routes.retractions import (
    post_correction,
    post_retraction,
    post_undo,
)
from commands.routes.scopes import (
    delete_scope_session,
    post_scope,
    post_scope_sessions,
)
from commands.routes.sessions import post_session, put_session
from commands.routes.uploads import post_upload
from commands.routes.webhooks import (
    delete_webhook_route,
    get_webhook_test,
    post_webhook,
)
from commands.routes.workspaces import post_workspace, put_workspace

ROUTES = (
    post_workspace,
    put_workspace,
    delete_workspace_route,
    post_peer,
    put_peer,
    put_card,
    post_dream,
    post_chat,
    post_workspace_chat,
    post_session,
    put_session,
    post_clone,
    delete_session_route,
    post_peers,
    put_peers,
    delete_peers,
    put_session_peer_config,
    post_messages,
    put_message,
    post_derivation_flush,
    post_derivation_redrive,
    post_webhook,
    delete_webhook_route,
    get_webhook_test,
    post_upload,
    post_scope,
    post_scope_sessions,
    delete_scope_session,
    post_conclusions,
    delete_conclusion,
    post_retraction,
    post_correction,
    post_undo,
    post_quarantine,
    post_quarantine_preview,
)
"""Every door of this package; each asks for ``parse``, ``origin`` and ``write``."""
