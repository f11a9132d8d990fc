"""The role the running server acts as: it may add to the log, never change it.

It cannot log in. Where the login user may make roles, migration makes it and
connections take it on at the start; elsewhere everything works without it, and the
triggers on ``log.event`` still refuse every change.
"""

from typing import Final

import asyncpg

APP_ROLE: Final = "palimpsest_app"

# Roles belong to the whole cluster: another database may be making it right now.
_MAKE = """
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'palimpsest_app') THEN
        IF NOT (SELECT rolsuper OR rolcreaterole FROM pg_roles
                WHERE rolname = current_user) THEN
            RAISE NOTICE 'no right to make the role palimpsest_app: skipped';
            RETURN;
        END IF;
        BEGIN
            CREATE ROLE palimpsest_app NOLOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
    END IF;
    IF NOT pg_has_role(current_user, 'palimpsest_app', 'MEMBER') THEN
        BEGIN
            EXECUTE format('GRANT palimpsest_app TO %I', current_user);
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE NOTICE 'no right to act as palimpsest_app: skipped';
        END;
    END IF;
END $$;
"""

_USABLE = """
SELECT EXISTS (
    SELECT FROM pg_roles
    WHERE rolname = $1 AND pg_has_role(oid, 'MEMBER')
      AND has_schema_privilege(oid, $2, 'USAGE')
)
"""


async def make_role(connection: asyncpg.Connection) -> None:
    """Make the role and let the login user act as it, where that is allowed."""
    await connection.execute(_MAKE)


async def usable_role(dsn: str, schema: str) -> str | None:
    """Return the role to act as in a database, None to stay the login user."""
    connection = await asyncpg.connect(dsn)
    try:
        usable = await connection.fetchval(_USABLE, APP_ROLE, schema)
    except asyncpg.InvalidSchemaNameError:
        return None
    finally:
        await connection.close()
    return APP_ROLE if usable else None
