"""No code changes or deletes an audit line: what touches the collection, read from the source itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import services
import shared
from services.publishing.store import records

HOME = Path(records.__file__)
READS = {"find", "create_index"}
"""All that is done with the collection itself, beside handing it to `_once`."""


def _sources() -> Iterator[Path]:
    for package in (services, shared):
        yield from Path(str(package.__file__)).parent.rglob("*.py")


def _parents(tree: ast.AST) -> dict[ast.AST, ast.AST]:
    return {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}


def test_only_the_store_of_records_opens_the_collection() -> None:
    opened = [
        (path.name, ast.unparse(node))
        for path in _sources()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Subscript)
        and isinstance(node.slice, ast.Constant)
        and node.slice.value == "audit"
    ]
    assert opened == [(HOME.name, "database['audit']")]


def test_the_store_reads_it_and_adds_to_it_and_nothing_else() -> None:
    tree = ast.parse(HOME.read_text(encoding="utf-8"))
    parents = _parents(tree)
    uses: list[str] = []
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Attribute) and node.attr == "_audit"):
            continue
        parent = parents[node]
        if isinstance(parent, ast.Attribute):
            uses.append(parent.attr)
        elif isinstance(parent, ast.Call) and node in parent.args:
            uses.append(ast.unparse(parent.func))
        else:
            assert isinstance(parent, ast.AnnAssign), ast.unparse(parent)
            assert parent.target is node
    assert set(uses) == READS | {"_once"}


def test_adding_a_line_is_one_insertion() -> None:
    tree = ast.parse(HOME.read_text(encoding="utf-8"))
    (once,) = [
        n for n in ast.walk(tree) if isinstance(n, ast.AsyncFunctionDef) and n.name == "_once"
    ]
    calls = [ast.unparse(node.func) for node in ast.walk(once) if isinstance(node, ast.Call)]
    assert calls == ["collection.insert_one"]


def test_no_route_takes_anything_but_a_look() -> None:
    methods = {
        node.func.attr
        for path in _sources()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and str(node.args[0].value).startswith("/api/v1/audit")
    }
    assert methods == {"get"}
