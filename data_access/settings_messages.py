"""What is wrong with a value in a settings file, said to the person who wrote it.

msgspec tells the place of an error and its own name of what it expected; the words of a settings file, and
all bounds of a value at once, are read off the declared type at that place.
"""

import re
from difflib import get_close_matches
from typing import Any

from msgspec import inspect as declared

_ERROR = re.compile(r"(?P<problem>.*?)(?: - at (?P<key>`key` in )?`\$(?P<path>.*)`)?", re.DOTALL)
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")
_LONGEST_SHOWN = 60

Step = str | int | None
"""A key, a position in a list, or None for some entry of a mapping, whose key msgspec does not tell."""


def explain(error: str, content: Any, type: Any, section: str | None = None) -> str:
    """One sentence about a `msgspec.ValidationError`, given by its text.

    Args:
        content: what was converted, as the YAML parser gave it.
        type: what it was converted to.
        section: key under which the content lies in the file; it goes before every path in the sentence.
    """
    matched = _ERROR.fullmatch(error)
    assert matched is not None  # every text fits
    problem, path = matched["problem"], matched["path"] or ""
    steps: list[Step] = [key or (None if position == "..." else int(position)) for key, position in _STEP.findall(path)]
    shown = f"{section or ''}{path}".removeprefix(".")
    node = _node_at(declared.type_info(type), steps)

    if missing := re.fullmatch(r"Object missing required field `(.+)`", problem):
        return f"'{_joined(shown, missing[1])}' is missing; add it."
    if unknown := re.fullmatch(r"Object contains unknown field `(.+)`", problem):
        return f"'{_joined(shown, unknown[1])}' is not a known key; {_suggestion(unknown[1], node)}."
    place = f"'{shown}'" if shown else "the file"
    if matched["key"]:
        key_type = node.key_type if isinstance(node, declared.DictType) else declared.StrType()
        return f"every key of {place} must be {_expectation(key_type)}."
    expectation = _expectation(node) if problem.startswith(("Expected ", "Invalid enum value ")) else None
    if expectation is None:
        sentence = f"{problem.replace('`', '').rstrip('.')}."
        return f"{place}: {sentence}" if shown else sentence
    if None in steps:
        return f"a value of '{shown.partition('[...]')[0]}' does not fit; it must be {expectation}."
    return f"{place} must be {expectation}, got {_shown(_value_at(content, steps), node)}."


def _joined(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _node_at(node: declared.Type | None, steps: list[Step]) -> declared.Type | None:
    """The declared type at a place; None where it cannot be told."""
    if isinstance(node, declared.Metadata):
        return _node_at(node.type, steps)
    if not steps or node is None:
        return node
    if isinstance(node, declared.UnionType):
        found = (_node_at(member, steps) for member in node.types)
        return next((member for member in found if member is not None), None)
    step, rest = steps[0], steps[1:]
    inner: declared.Type | None = None
    if isinstance(node, declared.StructType):
        inner = next((field.type for field in node.fields if field.encode_name == step), None)
    elif isinstance(node, declared.DictType):
        inner = node.value_type
    elif isinstance(node, declared.TupleType) and isinstance(step, int):
        inner = node.item_types[step]
    elif isinstance(node, declared.ListType | declared.VarTupleType | declared.SetType | declared.FrozenSetType):
        inner = node.item_type
    return _node_at(inner, rest)


def _value_at(content: Any, steps: list[Step]) -> Any:
    for step in steps:
        content = content[step]
    return content


def _suggestion(key: str, node: declared.Type | None) -> str:
    members = node.types if isinstance(node, declared.UnionType) else (node,)
    known = [
        field.encode_name for member in members if isinstance(member, declared.StructType) for field in member.fields
    ]
    if similar := get_close_matches(key, known, n=1):
        return f"write '{similar[0]}' or remove it"
    return f"known here are {', '.join(known)}" if known else "remove it"


def _expectation(node: declared.Type | None) -> str | None:
    """What a value of this type is, in the words of a settings file; None where no words are known."""
    match node:
        case declared.Metadata():
            return _expectation(node.type)
        case declared.UnionType():
            members = [_expectation(member) for member in node.types]
            return None if None in members else " or ".join(str(member) for member in members)
        case declared.LiteralType():
            return _choice(node.values)
        case declared.EnumType():
            return _choice(tuple(member.value for member in node.cls))
        case declared.BoolType():
            return "true or false"
        case declared.NoneType():
            return "null"
        case declared.IntType():
            return f"a whole number{_bounds(node)}"
        case declared.FloatType():
            return f"a number{_bounds(node)}"
        case declared.StrType():
            pattern = f" matching {node.pattern}" if node.pattern is not None else ""
            return f"text{_lengths(node.min_length, node.max_length, 'character')}{pattern}"
        case declared.TupleType():
            count = len(node.item_types)
            return f"a list{_lengths(count, count, 'item')}"
        case declared.ListType() | declared.VarTupleType() | declared.SetType() | declared.FrozenSetType():
            return f"a list{_lengths(node.min_length, node.max_length, 'item')}"
        case declared.DictType():
            return f"a mapping{_lengths(node.min_length, node.max_length, 'key')}"
        case declared.StructType():
            return "a mapping of keys to values"
    return None


def _choice(values: tuple[Any, ...]) -> str:
    return f"one of {', '.join(repr(value) for value in values)}"


def _bounds(node: declared.IntType | declared.FloatType) -> str:
    if node.ge is not None and node.le is not None:
        bounds = [f" between {_number(node.ge)} and {_number(node.le)}"]
    else:
        words = {" above": node.gt, " of at least": node.ge, " below": node.lt, " of at most": node.le}
        bounds = [f"{word} {_number(bound)}" for word, bound in words.items() if bound is not None]
    if node.multiple_of is not None:
        bounds.append(f" divisible by {_number(node.multiple_of)}")
    return " and".join(bounds)


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(value)


def _lengths(shortest: int | None, longest: int | None, unit: str) -> str:
    if shortest is not None and shortest == longest:
        return f" of {_count(shortest, unit)}"
    bounds = [f" of at least {_count(shortest, unit)}"] if shortest is not None else []
    bounds += [f" of at most {_count(longest, unit)}"] if longest is not None else []
    return " and".join(bounds)


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}{'' if number == 1 else 's'}"


def _shown(value: Any, node: declared.Type | None) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case dict():
            return f"a mapping of {_count(len(value), 'key')}"
        case list():
            return f"a list of {_count(len(value), 'item')}"
        case str():
            text = value if len(value) <= _LONGEST_SHOWN else f"{value[:_LONGEST_SHOWN]}..."
            hint = ""
            members = node.types if isinstance(node, declared.UnionType) else (node,)
            numbers = (declared.IntType, declared.FloatType)
            if any(isinstance(member, numbers) for member in members) and _reads_as_number(value):
                hint = ", which is read as text: write numbers without quotes or leading zeros, exponents as in 1.0e-3"
            return f"{text!r}{hint}"
    return str(value)


def _reads_as_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
