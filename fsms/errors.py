"""What can go wrong at the school's desk, in sentences fit for the screen. Imports nothing of ours.

A sentence says what happened and what to do. It is English here and translated where it is shown;
`%(name)s` marks the facts that are filled in after translation.
"""


class SchoolError(Exception):
    """A rule of the school was broken; the message is for the person at the screen."""

    def __init__(self, sentence: str, **facts: object) -> None:
        """Keep the untranslated sentence and its facts apart, so that the screen can translate it."""
        super().__init__(sentence % facts if facts else sentence)
        self.sentence = sentence
        self.facts = facts


class InvalidValue(SchoolError):
    """A single field makes no sense by itself."""


class StaleRecord(SchoolError):
    """Somebody else saved the record since it was opened."""
