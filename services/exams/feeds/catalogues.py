"""Whose an exam in a vendor's file is: files name no program."""

from collections.abc import Mapping

from libs.common.programs import Program
from services.exams.feeds.shape import FeedsShape
from services.exams.vendors.definition import Vendor

_NO_SECTION = FeedsShape()


class VendorCatalogues:
    """The catalogues of a vendor's programs, as they are in force."""

    def __init__(self, vendor: Vendor, programs: Mapping[str, Program]) -> None:
        self._vendor = vendor
        self._said = (vendor.feeds or _NO_SECTION).exams
        self._programs = programs

    def programs_of(self, exam_code: str) -> tuple[str, ...]:
        """The vendor's programs that have the exam; only the one that the definition names, where it names one."""
        said = self._said.get(exam_code)
        found = (self._programs.get(each) for each in self._vendor.programs if said is None or each == said)
        return tuple(program.id for program in found if program is not None and program.find_exam(exam_code))
