"""One keep-alive HTTP connection for an event loop: many of them share one thread. The standard library only."""

import asyncio
import json

HEAD_END = b"\r\n\r\n"


class Client:
    """Every failure is a ConnectionError and closes the connection; the next call opens another."""

    def __init__(self, port, patience=20):
        self._port, self._patience = port, patience
        self._reader = self._writer = None

    async def call(self, method, path, text):
        """The status and the decoded answer; `text` is JSON."""
        try:
            async with asyncio.timeout(self._patience):
                return await self._exchange(method, path, text.encode())
        except (OSError, EOFError, ValueError, LookupError, asyncio.LimitOverrunError) as error:
            self.close()
            raise ConnectionError(str(error)) from error

    async def _exchange(self, method, path, body):
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        head = (f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n")
        self._writer.write(head.encode() + body)
        first, *fields = (await self._reader.readuntil(HEAD_END)).decode("latin-1").lower().split("\r\n")
        fields = dict(field.split(":", 1) for field in fields if field)
        answer = await self._reader.readexactly(int(fields["content-length"]))
        if fields.get("connection", "").strip() == "close":
            self.close()
        return int(first.split()[1]), json.loads(answer) if answer else None

    def close(self):
        if self._writer is not None:
            self._writer.transport.abort()
        self._reader = self._writer = None
