"""What a person who trains can mend."""


class TrainingError(Exception):
    """A file or an option of a training that does not fit; the message is a sentence that names it and what to do."""
