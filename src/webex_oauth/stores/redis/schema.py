"""The version of how rows are kept, noted beside them."""

from webex_oauth.errors import ConfigurationError
from webex_oauth.stores.redis.database import Database

VERSION = 1


async def prepare_schema(database: Database) -> None:
    """Note the version where there is none; raise ConfigurationError for one that is not known.

    Of several that start together, one notes it, and the others find it.
    """
    key = database.key("schema")
    await database.first_command("SETNX", key, VERSION)
    noted: bytes = await database.command("GET", key) or b"unknown"
    if noted != b"%d" % VERSION:
        place, name = database.address.place, database.address.prefix.decode()
        kept = f"what the database at {place} keeps under {name} is of another version"
        remedy = "run the program that wrote it, or give another prefix in WEBEX_STORE_URL"
        raise ConfigurationError(
            [f"{kept} ({noted.decode(errors='replace')}) than this program knows: {remedy}"]
        )
