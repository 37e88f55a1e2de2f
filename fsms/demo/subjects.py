"""The school's 29 subjects and the levels that take each.

Three spellings of the former list are mended (grammar, the metric system, physical education).
"""

PRIMARY, LOWER, NINTH = range(1, 7), (7, 8, 10, 11, 12), (9,)

SUBJECTS: tuple[tuple[str, tuple[int, ...]], ...] = tuple(
    (name, tuple(sorted(level for group in groups for level in group)))
    for name, groups in (
        ("រៀនអាន", (PRIMARY,)),
        ("សរសេរតាមអាន", (PRIMARY, NINTH)),
        ("មេសូត្រ", (PRIMARY,)),
        ("រឿងនិទាន", (PRIMARY,)),
        ("វេយ្យាករណ៍", (PRIMARY,)),
        ("សំណេរ", (PRIMARY,)),
        ("អក្សរផ្ចង់", (PRIMARY,)),
        ("នព្វន្ត", (PRIMARY,)),
        ("មាត្រាប្រព័ន្ធ", (PRIMARY,)),
        ("ធរណីមាត្រ", (PRIMARY,)),
        ("វិទ្យាសាស្ត្រ", (PRIMARY,)),
        ("វិទ្យាសាស្ត្រនិងសិក្សាសង្គម", (PRIMARY,)),
        ("គំនូរ", (PRIMARY,)),
        ("ចំរៀង-របាំ", (PRIMARY,)),
        ("អប់រំកាយ", (PRIMARY,)),
        ("ហត្ថកម្ម", (PRIMARY,)),
        ("គណិតវិទ្យា", (LOWER, NINTH)),
        ("ភាសាខ្មែរ", (LOWER,)),
        ("តែងសេចក្តី", (NINTH,)),
        ("រូបវិទ្យា", (LOWER, NINTH)),
        ("គីមីវិទ្យា", (LOWER, NINTH)),
        ("ជីវវិទ្យា", (LOWER, NINTH)),
        ("ផែនដីវិទ្យា", (LOWER, NINTH)),
        ("ភូមិវិទ្យា", (LOWER, NINTH)),
        ("ប្រវត្តិវិទ្យា", (LOWER, NINTH)),
        ("សីលធម៌-ពលរដ្ឋវិទ្យា", (PRIMARY, LOWER, NINTH)),
        ("គេហកិច្ច", (LOWER,)),
        ("អង់គ្លេស", (PRIMARY, LOWER, NINTH)),
        ("កុំព្យូទ័រ", (PRIMARY, LOWER)),
    )
)


def subjects_of(level: int) -> tuple[int, ...]:
    """List the numbers of the subjects a level takes: 19 in primary school, 12 above, 11 in the diploma year."""
    return tuple(number for number, (_, levels) in enumerate(SUBJECTS, start=1) if level in levels)
