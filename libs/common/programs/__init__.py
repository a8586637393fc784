"""Program definitions: the rules of a certification program as data, and their loader."""

from libs.common.programs.benefits import Benefit, Customs, Price
from libs.common.programs.business_calendar import BusinessCalendar
from libs.common.programs.calendar import Period, add_months, add_years
from libs.common.programs.certificate_texts import CertificateTexts
from libs.common.programs.checks import in_dependence_order, prerequisites
from libs.common.programs.clauses import Clause, Clauses
from libs.common.programs.errors import ProgramError, ProgramErrors
from libs.common.programs.loader import load_definition, load_program, load_programs, load_rules
from libs.common.programs.model import (
    AllNode,
    AnyNode,
    Branding,
    Certification,
    CertificationNode,
    EarlierValidity,
    Exam,
    ExamKind,
    ExamNode,
    NOfNode,
    PassCounts,
    Program,
    Requirement,
    leaves,
)
from libs.common.programs.sign_in import OpenIdProvider, SignIn

__all__ = [
    "AllNode",
    "AnyNode",
    "Benefit",
    "Branding",
    "BusinessCalendar",
    "CertificateTexts",
    "Certification",
    "CertificationNode",
    "Clause",
    "Clauses",
    "Customs",
    "EarlierValidity",
    "Exam",
    "ExamKind",
    "ExamNode",
    "NOfNode",
    "OpenIdProvider",
    "PassCounts",
    "Period",
    "Price",
    "Program",
    "ProgramError",
    "ProgramErrors",
    "Requirement",
    "SignIn",
    "add_months",
    "add_years",
    "in_dependence_order",
    "leaves",
    "load_definition",
    "load_program",
    "load_programs",
    "load_rules",
    "prerequisites",
]
