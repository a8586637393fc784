"""The collections of people, of what they share, and of the directory."""

from libs.common.mongo import people
from libs.common.mongo.migrations import Migration, declare
from services.certs.directory import store as directory
from services.certs.people import sharing

MIGRATION = Migration(
    15,
    "people and directory",
    declare({people.COLLECTION: [], sharing.COLLECTION: [], directory.COLLECTION: directory.INDEXES}),
)
