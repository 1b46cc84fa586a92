"""What a recurrent cell is made of."""


def inner_cells(cell):
    """The cells of a `keras.layers.StackedRNNCells`, or the cell itself, in a list."""
    return getattr(cell, "cells", [cell])


def product_factors(parts):
    """What cells and attention layers multiply by, for `over_steps`, as far as they tell it."""
    return [
        factor
        for part in parts
        for inner in inner_cells(part)
        for factor in getattr(inner, "product_factors", ())
    ]
