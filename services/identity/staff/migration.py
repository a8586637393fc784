"""The step that makes room for staff, systems and signing keys."""

from libs.common.mongo.migrations import Migration, declare
from services.identity.signing import store as signing_store
from services.identity.staff import store as staff_store
from services.identity.systems import store as system_store

MIGRATION = Migration(
    7,
    "staff, systems and signing keys",
    declare({**signing_store.COLLECTIONS, **system_store.COLLECTIONS, **staff_store.COLLECTIONS}),
)
