"""A wire to Postgres that can be cut at the worst moment."""

import asyncio
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

APPENDER = b"palimpsest-appender"


class Wire:
    """Carries bytes both ways; ``cut`` says how the next append is lost.

    ``request``: it never reaches the server. ``answer``: the server carried it out
    and its answer is lost. ``wait``: the server has it and has not answered yet.
    While it ``refuses``, nothing gets through and ``refused`` counts attempts.
    """

    def __init__(self):
        self.cut = None
        self.cuts = 0
        self.refuses = False
        self.refused = 0
        self._open = set()

    def drop(self):
        """End every connection there is."""
        for client_out in self._open:
            client_out.transport.abort()

    def dsn(self, dsn, folder):
        """Lead a DSN of a Unix socket over this wire."""
        parts = urlsplit(dsn)
        place = {key: values[0] for key, values in parse_qs(parts.query).items()}
        place["host"] = str(folder)
        return urlunsplit(parts._replace(query=urlencode(place)))

    async def carry(self, server, client_in, client_out):
        if self.refuses:
            self.refused += 1
            client_out.transport.abort()
            return
        self._open.add(client_out)
        server_in, server_out = await asyncio.open_unix_connection(server)
        appends = False
        back = asyncio.create_task(self._answers(server_in, client_out))
        try:
            while data := await client_in.read(2**20):
                appends = appends or APPENDER in data
                # A Bind message: the prepared append is being called.
                if self.refuses:
                    return
                cut = self.cut if appends and data[:1] == b"B" else None
                if cut is None:
                    server_out.write(data)
                    continue
                self.cut = None
                self.cuts += 1
                back.cancel()
                if cut != "request":
                    server_out.write(data)
                    await server_out.drain()
                if cut == "answer":
                    await server_in.read(1)
                client_out.transport.abort()
                if cut == "wait":
                    await server_in.read()  # the server's side stays open
                return
        finally:
            self._open.discard(client_out)
            back.cancel()
            client_out.transport.abort()
            server_out.transport.abort()

    async def _answers(self, server_in, client_out):
        while data := await server_in.read(2**20):
            client_out.write(data)
        client_out.close()


@asynccontextmanager
async def wired(dsn, folder):
    """Open a wire to the server of a DSN; yield it and the DSN that leads over it."""
    place = parse_qs(urlsplit(dsn).query)
    name = f".s.PGSQL.{place['port'][0]}"
    wire, carrying = Wire(), set()

    async def accept(client_in, client_out):
        carrying.add(asyncio.current_task())
        await wire.carry(f"{place['host'][0]}/{name}", client_in, client_out)

    server = await asyncio.start_unix_server(accept, folder / name)
    try:
        yield wire, wire.dsn(dsn, folder)
    finally:
        server.close()
        for task in carrying:
            task.cancel()
        await asyncio.gather(*carrying, return_exceptions=True)
