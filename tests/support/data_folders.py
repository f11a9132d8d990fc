"""Data folders of two ages, and how to tamper with a copy of one."""

import asyncio
import json
import shutil

import asyncpg

from infra.postgres.embedded import EmbeddedPostgres
from tests.support.command import Shell, until
from tests.support.saying import MARKER, nothing_lags, say
from tests.support.server import Server

OFTEN = {"CHECKPOINT_SECONDS": "0.05"}


class Folders:
    """An older copy of a data folder, the newer one, and what was signed of both."""

    def __init__(self, folder):
        self.folder = folder
        self.shell = Shell(folder)
        self.newer, self.older = folder / "newer", folder / "older"
        self.kept = folder / "kept.jsonl"
        self.signed = []
        self.beside = None

    def make(self):
        server = Server(self.newer, environment=OFTEN)
        for session in ("one", "two"):
            server.start()
            say(server.url, f"I live in {MARKER} street in Ghent.", session)
            until(lambda: nothing_lags(self.shell, server))
            self.beside = self.verify(self.newer)
            assert server.stop() == 0
            self.keep()
            if session == "one":
                shutil.copytree(self.newer, self.older)

    def keep(self):
        """Take down the newest checkpoint, which is of the stop, elsewhere."""
        printed = self.shell.run("checkpoint", "--data", str(self.newer))
        assert printed.code == 0, printed
        self.signed.append(json.loads(printed.out))
        with self.kept.open("a") as file:
            file.write(printed.out)

    def verify(self, data, *words):
        """Return exit code and report."""
        ended = self.shell.run("verify", "--json", *words, "--data", str(data))
        return ended.code, json.loads(ended.out) if ended.code < 2 else ended.err

    def copy(self, name):
        data = self.folder / name
        shutil.copytree(self.newer, data)
        return data


def tamper(data, *statements):
    """Change what is stored as the superuser that a data folder's owner can be."""

    async def change():
        server = EmbeddedPostgres(data)
        connection = await asyncpg.connect((await server.start()).dsn())
        try:
            await connection.execute(
                "ALTER TABLE log.event DISABLE TRIGGER event_only_grows"
            )
            return [await connection.fetchval(each) for each in statements][-1]
        finally:
            await connection.close()
            await server.stop()

    return asyncio.run(change())
