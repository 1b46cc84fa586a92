"""`keras-bahdanau demo`."""

DESCRIPTION = EPILOG = ""


def add_arguments(parser):
    pass


def run(arguments):
    pass
