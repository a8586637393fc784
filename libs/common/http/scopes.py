"""The scopes of access tokens: what a caller may do, within the programs and candidates their token names."""

EXAMS_READ = frozenset({"exams:read"})
CERTS_READ = frozenset({"certs:read"})
BENEFITS_READ = frozenset({"benefits:read"})
MESSAGES_READ = frozenset({"messages:read"})
PROFILE_READ = frozenset({"profile:read"})
OPERATIONS_READ = frozenset({"operations:read"})
"""Staff and systems: totals, unmatched results, rejections, search by external id."""

PROGRAMS_MANAGE = frozenset({"programs:manage"})
"""Program managers: try a program's new policy on its candidates."""

CANDIDATE = EXAMS_READ | CERTS_READ | BENEFITS_READ | MESSAGES_READ | PROFILE_READ
"""What a candidate's own token carries."""

OPERATOR = CANDIDATE | OPERATIONS_READ | PROGRAMS_MANAGE
