"""Contents: bytes under the SHA-256 of them, compressed, stored once and never given out damaged."""

from __future__ import annotations

import hashlib
import zlib

import sqlalchemy as sa

from service.store.errors import StoreError
from service.store.part import Part
from service.store.tables import contents

_LARGEST = 1_000_000_000  # bytes; what unpacks to more is not ours


class Contents(Part):
    """Keeps reports."""

    def keep(self, content: bytes) -> str:
        """Store bytes and return their address; the same bytes are stored once."""
        address = f"sha256:{hashlib.sha256(content).hexdigest()}"
        again = sa.update(contents).where(contents.c.address == address).values(kept=self._database.now())
        with self._database.writing() as connection:
            if connection.execute(again).rowcount:
                return address
        row = self._database.insert(contents).values(address=address, body=zlib.compress(content, 6), kept=self._database.now())
        with self._database.writing() as connection:
            # The time keeps what is not referred to yet from being pruned.
            connection.execute(row.on_conflict_do_update(index_elements=["address"], set_={"kept": row.excluded.kept}))
        return address

    def content(self, address: str) -> bytes:
        """The bytes of an address. Raises `StoreError` where there are none or others."""
        with self._database.reading() as connection:
            packed = connection.execute(sa.select(contents.c.body).where(contents.c.address == address)).scalar_one_or_none()
        if packed is None:
            raise StoreError(f"nothing is stored under {address}")
        try:
            content = zlib.decompressobj().decompress(packed, _LARGEST)
        except zlib.error:
            content = b""
        if f"sha256:{hashlib.sha256(content).hexdigest()}" != address:
            raise StoreError(f"what is stored under {address} is damaged")
        return content
