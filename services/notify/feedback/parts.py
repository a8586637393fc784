"""The parts of what comes back, joined."""

from pathlib import Path
from typing import Any

from libs.common.http.routes import Route
from libs.common.mongo.client import Database
from libs.common.mongo.jobs import Job
from libs.common.mongo.unit_of_work import UnitOfWork
from services.notify.api import NotifyApi
from services.notify.feedback.api import FeedbackApi
from services.notify.feedback.maildir import ReportFolder
from services.notify.feedback.resending import Resending
from services.notify.feedback.returns import Returns
from services.notify.feedback.store import FeedbackStore
from services.notify.feedback.suppressions import Suppressions
from services.notify.rendering import Renderer
from services.notify.store import NotifyStore


class Feedback:
    """Everything that takes in, shows and lifts."""

    def __init__(self, database: Database, store: NotifyStore, renderer: Renderer, unit_of_work: UnitOfWork) -> None:
        self._store = store
        self._unit_of_work = unit_of_work
        self.suppressions = Suppressions(database)
        self.returns = Returns(store, FeedbackStore(database), self.suppressions, renderer.message_id)
        self.resending = Resending(store, self.suppressions, unit_of_work)

    def routes(self, log: NotifyApi) -> tuple[Route[Any, Any, Any, Any], ...]:
        return FeedbackApi(
            self._store,
            self.suppressions,
            self.returns,
            self.resending,
            unit_of_work=self._unit_of_work,
            show=log.view,
        ).routes()

    def jobs(self, folder: Path | None) -> tuple[Job, ...]:
        """The reading of a maildir, where there is one."""
        return (ReportFolder(folder, self.returns, self._unit_of_work).job(),) if folder is not None else ()
