"""Looks into a written LiteRT file."""

from ai_edge_litert import schema_py_generated as schema

# Kept out although the runtime knows them: state that outlives a call, and its names.
_STATEFUL = ("VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "CALL_ONCE")
_OPERATOR_NAMES = {
    code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)
}


class UnsupportedOperatorError(ValueError):
    """A converted graph needs operators that a plain LiteRT runtime does not have."""


def operator_names(content):
    """Names of all operators in a LiteRT file.

    Args:
        content: `bytes` of the file.

    Returns: sorted list of `str`: a builtin operator's name, or the custom operator's own name
        with the prefix `custom:`.
    """
    model = schema.Model.GetRootAsModel(content, 0)
    names = set()
    for graph in (model.Subgraphs(i) for i in range(model.SubgraphsLength())):
        for index in range(graph.OperatorsLength()):
            code = model.OperatorCodes(graph.Operators(index).OpcodeIndex())
            names.add(_operator_name(code))
    return sorted(names)


def _operator_name(code):
    # Files before schema version 3a keep codes below 127 in the older, smaller field.
    builtin = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
    if builtin == schema.BuiltinOperator.CUSTOM:
        return f"custom:{(code.CustomCode() or b'').decode('utf-8', 'replace')}"
    return _OPERATOR_NAMES.get(builtin, f"unknown:{builtin}")


def check_operators(content, custom_operators=()):
    """Refuses a LiteRT file that is not made of stateless builtin operators alone.

    Args:
        content: `bytes` of the file.
        custom_operators: names of custom operators that it may have besides.

    Returns: the names of the operators, see `operator_names`.

    Raises:
        UnsupportedOperatorError: naming the offending operators.
    """
    names = operator_names(content)
    allowed = {f"custom:{name}" for name in custom_operators}
    refused = [
        name
        for name in names
        if name in _STATEFUL or (name.startswith(("custom:", "unknown:")) and name not in allowed)
    ]
    if refused:
        raise UnsupportedOperatorError(
            "Expected a LiteRT file of stateless builtin operators only. "
            f"Received one that needs: {', '.join(refused)}"
        )
    return names
