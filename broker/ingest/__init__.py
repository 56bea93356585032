"""Events in: verify, deduplicate, append, acknowledge (event-log.md, "Appending at the centre").

`check` judges a message against a log's head and touches nothing; `batch` writes what it found, in the writer's
transaction, and says what to acknowledge.
"""
