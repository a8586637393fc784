"""All faults by name."""

from collections.abc import Iterable, Sequence

from tests.chaos.suite.broker_faults import DiskAlarm, KillNode, LoseNode, RestartNode
from tests.chaos.suite.database_faults import CutOffMember, FullDisk, KillPrimary, StepDown
from tests.chaos.suite.faults import Fault
from tests.chaos.suite.network_faults import CutFromBroker, CutFromDatabase, HalfOpen, NoMail, SlowLinks, SlowMail
from tests.chaos.suite.process_faults import Clock, Freeze, Kill, Restart

_ALL: Sequence[type[Fault]] = (
    *(Kill, Restart, Freeze, Clock),
    *(StepDown, KillPrimary, FullDisk, CutOffMember),
    *(RestartNode, KillNode, LoseNode, DiskAlarm),
    *(CutFromBroker, CutFromDatabase, HalfOpen, SlowLinks, SlowMail, NoMail),
)

FAULTS: dict[str, type[Fault]] = {fault.name: fault for fault in _ALL}


def chosen(names: Iterable[str]) -> dict[str, type[Fault]]:
    """Those of the names, or all where none is named. Raises `ValueError` naming what there is not."""
    wanted = [name.strip() for name in names if name.strip()]
    unknown = sorted(set(wanted) - FAULTS.keys())
    if unknown:
        raise ValueError(f"there is no fault called {', '.join(unknown)}; there are {', '.join(sorted(FAULTS))}")
    return {name: FAULTS[name] for name in wanted or FAULTS}
