"""The one error that bad input raises."""


class InputError(ValueError):
    """A call or an input file is wrong.

    The message is one line that says what was expected, what was received and where (file and
    line number where there is one). The command line prints it and ends with exit code 2.
    """
