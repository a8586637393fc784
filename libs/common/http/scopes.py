"""The scopes of access tokens: what a caller may do, within the programs and candidates their token names."""

EXAMS_READ = frozenset({"exams:read"})
CERTS_READ = frozenset({"certs:read"})
BENEFITS_READ = frozenset({"benefits:read"})
MESSAGES_READ = frozenset({"messages:read"})
PROFILE_READ = frozenset({"profile:read"})
PROFILE_WRITE = frozenset({"profile:write"})
OPERATIONS_READ = frozenset({"operations:read"})
"""Staff and systems: totals, unmatched results, rejections, search by external id."""

PROGRAMS_MANAGE = frozenset({"programs:manage"})
"""Program managers: try a program's new policy on its candidates."""

CERTS_CLAIM = frozenset({"certs:claim"})
"""Candidates: claim credits and courses, upload evidence, accept the agreement, choose what others see."""

EXAMS_CHALLENGE = frozenset({"exams:challenge"})
"""Candidates: challenge a result, with evidence and messages."""

EXAMS_DECIDE = frozenset({"exams:decide"})
"""Reviewers: decide challenges, and rule on results without one."""

CERTS_REVIEW = frozenset({"certs:review"})
"""Reviewers: decide what candidates have claimed, and look at the evidence."""

CERTS_DECIDE = frozenset({"certs:decide"})
"""Staff: grant, revoke, suspend, reinstate and extend certifications."""

ACCOUNTS_MANAGE = frozenset({"accounts:manage"})
"""Staff: link and unlink partners' ids, merge and separate accounts."""

EXAMS_MANAGE = frozenset({"exams:manage"})
"""Staff and systems: authorizations to sit exams, files to vendors, lists compared with theirs."""

AUDIT_READ = frozenset({"audit:read"})
"""Auditors: who saw and changed what, and whether the log is whole."""

STAFF_MANAGE = frozenset({"staff:manage"})
"""Program managers: who works for the program in which role, and which systems may enter."""

KEYS_MANAGE = frozenset({"keys:manage"})
"""The operator: the keys that sign access tokens, and those that sign credentials."""

VENDORS_MANAGE = frozenset({"vendors:manage"})
"""The operator: who may report as a vendor, and the credentials by which they do."""

PRIVACY_REQUEST = frozenset({"privacy:request"})
"""Exports and erasures: candidates ask for their own."""

PRIVACY_MANAGE = frozenset({"privacy:manage"})
"""Staff: ask for exports and erasures of others, and hold erasures back."""

EXAMS_BOOK = frozenset({"exams:book"})
"""Candidates: go to a vendor signed on, and see codes of their own in full."""

VOUCHERS_MANAGE = frozenset({"vouchers:manage"})
"""Program managers: vouchers and private access codes."""

FEEDS_WRITE = frozenset({"feeds:write"})
"""Staff and systems: give in vendors' files, and have refused ones tried again."""

BENEFITS_CLAIM = frozenset({"benefits:claim"})
"""Candidates: claim what is offered to them, with the address it goes to."""

BENEFITS_MANAGE = frozenset({"benefits:manage"})
"""Staff: orders, stock, and what the fulfilment houses and we hold differently."""

MESSAGES_MANAGE = frozenset({"messages:manage"})
"""Staff: send a mail again, lift a suppression, write templates and announcements."""

FEEDBACK_WRITE = frozenset({"feedback:write"})
"""Staff and systems: give in what mail servers report about mails."""

HOOKS_MANAGE = frozenset({"hooks:manage"})
"""Staff and systems: where events are sent to over HTTPS, and the secrets they are signed with."""

PARKED_MANAGE = frozenset({"parked:manage"})
"""Program managers: messages that services could not handle, with what they say; try them again, or drop them."""

CANDIDATE = (
    EXAMS_READ
    | EXAMS_BOOK
    | CERTS_READ
    | BENEFITS_READ
    | BENEFITS_CLAIM
    | MESSAGES_READ
    | PROFILE_READ
    | PROFILE_WRITE
    | CERTS_CLAIM
    | EXAMS_CHALLENGE
    | PRIVACY_REQUEST
)
"""What a candidate's own token carries."""

READING = EXAMS_READ | CERTS_READ | BENEFITS_READ | MESSAGES_READ | PROFILE_READ | OPERATIONS_READ
"""Everything that shows candidates' data and changes nothing."""

SYSTEM = READING | CERTS_REVIEW | PROGRAMS_MANAGE | FEEDS_WRITE | EXAMS_MANAGE | HOOKS_MANAGE | FEEDBACK_WRITE
"""What systems may be given. None makes accounts, keys or other systems."""

OPERATOR = (
    CANDIDATE
    | READING
    | PROGRAMS_MANAGE
    | CERTS_REVIEW
    | CERTS_DECIDE
    | EXAMS_DECIDE
    | ACCOUNTS_MANAGE
    | EXAMS_MANAGE
    | AUDIT_READ
    | STAFF_MANAGE
    | KEYS_MANAGE
    | VENDORS_MANAGE
    | PRIVACY_MANAGE
    | VOUCHERS_MANAGE
    | FEEDS_WRITE
    | BENEFITS_MANAGE
    | MESSAGES_MANAGE
    | HOOKS_MANAGE
    | FEEDBACK_WRITE
    | PARKED_MANAGE
)
