"""What things are called in mails."""

from libs.common.programs import Program


def exam_name(code: str, program: Program) -> str:
    exam = program.find_exam(code)
    return f"{exam.title} ({code})" if exam else code
