"""Believable titles for rooms, and names for the people one talks to."""

# ruff: noqa: RUF001 - people are called what they are called

_SUBJECTS = (
    "Release train", "Checkout redesign", "Payments platform", "Mobile app", "Data warehouse",
    "Design system", "Onboarding", "Search relevance", "Incident review", "Platform reliability",
    "Customer advisory board", "Pricing", "Partner integrations", "Field enablement", "Hiring",
    "Network refresh", "Office move", "Security champions", "Quarterly planning", "Budget",
    "Accessibility", "Localization", "Support escalations", "Renewals", "Developer relations",
    "Documentation", "Brand refresh", "Analytics", "Identity and access", "Vendor review",
    "Cloud costs", "Observability", "Translation desk", "Warehouse robotics", "Fleet telemetry",
    "Product launch", "Research readout", "Beta customers", "Compliance", "Travel desk",
)  # fmt: skip

_SCOPES = (
    "", "EMEA", "APAC", "Americas", "Berlin", "Lisbon", "Nairobi", "Osaka", "São Paulo", "Toronto",
    "leads", "weekly", "standup", "retro", "war room", "social", "backlog", "announcements",
    "Q1", "Q2", "Q3", "Q4", "phase 1", "phase 2", "phase 3", "steering group", "core team",
    "questions", "handover", "on call",
)  # fmt: skip

COLLEAGUES = (
    ("Aiko", "Tanaka"), ("Björn", "Lindqvist"), ("Chidi", "Eze"), ("Dana", "Whitfield"),
    ("Elif", "Yıldız"), ("Fatima", "Zahra"), ("Gustavo", "Ramos"), ("Hana", "Nováková"),
    ("Ivo", "Petrov"), ("Jia", "Chen"), ("Kofi", "Mensah"), ("Leila", "Haddad"),
    ("Mateo", "Silva"), ("Nia", "Brooks"), ("Oleksandr", "Shevchenko"), ("Priya", "Raman"),
    ("Quinn", "Murphy"), ("Rosa", "Jiménez"), ("Søren", "Dahl"), ("Thandiwe", "Dube"),
)  # fmt: skip


def group_title(number: int) -> str:
    """Return a title; numbers below 1,200 give distinct ones, later ones carry a figure."""
    scope_number, subject_number = divmod(number, len(_SUBJECTS))
    turn, scope_number = divmod(scope_number, len(_SCOPES))
    words = [_SUBJECTS[subject_number], _SCOPES[scope_number]]
    title = " ".join(word for word in words if word)
    return f"{title} #{turn + 1}" if turn else title


def colleague_name(number: int) -> str:
    """Return a colleague's name, for a conversation between two people."""
    first, _ = COLLEAGUES[number % len(COLLEAGUES)]
    _, last = COLLEAGUES[(number // len(COLLEAGUES) + number) % len(COLLEAGUES)]
    return f"{first} {last}"
