"""`InputError`, raised for every wrong call and input file."""


class InputError(ValueError):
    """A call or an input file is wrong.

    The message says in one line what was expected, what was received and where (file and line
    number, if any). The command line prints it and exits with code 2.
    """
