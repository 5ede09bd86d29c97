"""The YAML of settings files: what people take it to mean, and no more than a settings file needs.

YAML 1.1, which PyYAML reads, takes 1:30 for 90, 010 for 8, `no` for false and 2031-01-02 for a date. Here these are
text; so a key that wants text gets it, and one that wants a number says what it got.
"""

import math
import re
from typing import Any

import yaml

MOST_BYTES = 1_000_000
MOST_VALUES = 100_000
"""With all that aliases repeat: a few lines of them can stand for more than any memory holds."""
DEEPEST = 50
"""Lists and mappings within each other, through aliases too."""
MOST_DIGITS = 20
"""Of a whole number: none of 64 bits has more."""

_PREFIX = "tag:yaml.org,2002:"
_PLAIN = {
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "bool": (r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    "int": (r"[-+]?(?:0|[1-9][0-9_]*)", list("-+0123456789")),
    "float": (r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+][0-9]+)?", list("-+0123456789.")),
    "merge": (r"<<", ["<"]),
}
"""What a value without quotes is: pattern, and the characters that it may begin with."""


def parse(content: bytes) -> Any:
    """What the one document says: mappings, lists, text, finite numbers, booleans and None.

    Raises:
        yaml.YAMLError: it is no YAML; a key occurs twice in its mapping; a value has a tag; there are more than
            `MOST_VALUES`, nested deeper than `DEEPEST`, or an alias lies within what it stands for; a number is not
            finite or has more than `MOST_DIGITS`. All but wrong bytes are a `yaml.MarkedYAMLError`, with its place.
    """
    return yaml.load(content, Loader=_Loader)


class _Loader(yaml.SafeLoader):
    def __init__(self, stream: bytes) -> None:
        super().__init__(stream)
        self._open = 0
        self._extents: dict[int, tuple[int, int]] = {}

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Counts the values and levels of each node as soon as its parts are known, those of aliases anew."""
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if getattr(event, "tag", None) is not None:
            raise _refusal(f"the tag {event.tag.replace(_PREFIX, '!!')} has no meaning here, remove it", event)
        self._open += 1
        if self._open > DEEPEST:
            raise _refusal(f"it nests more than {DEEPEST} levels deep", event)
        node = super().compose_node(parent, index)
        self._open -= 1
        if id(node) not in self._extents:
            if isinstance(event, yaml.AliasEvent):
                raise _refusal(f"*{event.anchor} lies within what it stands for", event)
            parts = [self._extents[id(part)] for part in _parts(node)]
            values, levels = 1 + sum(part[0] for part in parts), 1 + max((part[1] for part in parts), default=0)
            if values > MOST_VALUES:
                raise _refusal(f"it stands for more than {MOST_VALUES:,} values", event)
            if levels > DEEPEST:
                raise _refusal(f"it nests more than {DEEPEST} levels deep", event)
            self._extents[id(node)] = values, levels
        return node

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """Refuses a key that occurs twice: the safe loader lets the last one win, and people edit the first."""
        node = super().compose_mapping_node(anchor)
        assert isinstance(node, yaml.MappingNode)
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if (key.tag, key.value) in seen:
                    raise _refusal(f"the key '{key.value}' occurs twice, remove one", key)
                seen.add((key.tag, key.value))
        return node

    def whole_number(self, node: yaml.ScalarNode) -> int:
        digits = node.value.replace("_", "")
        if len(digits) > MOST_DIGITS:
            raise _refusal(f"a number of {len(digits)} digits is too large", node)
        return int(digits)

    def finite_number(self, node: yaml.ScalarNode) -> float:
        number = float(node.value.replace("_", ""))
        if not math.isfinite(number):
            raise _refusal(f"the number {node.value} is too large", node)
        return number


_Loader.yaml_implicit_resolvers = {}
for _name, (_pattern, _first) in _PLAIN.items():
    _Loader.add_implicit_resolver(_PREFIX + _name, re.compile(f"(?:{_pattern})\\Z"), _first)
_Loader.add_constructor(f"{_PREFIX}int", _Loader.whole_number)
_Loader.add_constructor(f"{_PREFIX}float", _Loader.finite_number)


def _parts(node: Any) -> list[Any]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _refusal(problem: str, at: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(None, None, problem, at.start_mark)
