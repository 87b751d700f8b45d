"""The declarative base, and the column types that several models share."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated

from sqlalchemy import BigInteger, DateTime, MetaData, text
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import DeclarativeBase, mapped_column

# PostgreSQL names unnamed constraints this way, and the repair list leaves most of them unnamed:
# with the same convention here, create_all and the list end in the same names.
POSTGRES_NAMES = {
    "pk": "%(table_name)s_pkey",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
}


class Base(DeclarativeBase):
    """Base of every model."""

    metadata = MetaData(naming_convention=POSTGRES_NAMES)


# Legacy tables keep their integer keys; tables born after v3 have UUID keys.
BigIntKey = Annotated[int, mapped_column(BigInteger, primary_key=True)]
UuidKey = Annotated[uuid.UUID, mapped_column(UUID(as_uuid=True), primary_key=True, server_default=text("gen_random_uuid()"))]
Timestamp = Annotated[datetime, mapped_column(DateTime(timezone=True), server_default=text("now()"))]
