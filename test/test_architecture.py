"""Rules of the house that no linter knows. Who may import whom is checked by import-linter."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "behaviors_ros"
FILES = sorted(PACKAGE.rglob("*.py"))
LINES_OF_A_FILE = 400
LINES_OF_THE_NOUNS = 700  # one file by design: the nouns in the order of the data path
LINES_OF_A_FUNCTION = 60


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def decorators(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    called = [node.func if isinstance(node, ast.Call) else node for node in function.decorator_list]
    return [ast.unparse(node).rpartition(".")[2] for node in called]


def is_broad(handler: ast.ExceptHandler) -> bool:
    names = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(name is None or ast.unparse(name) in ("Exception", "BaseException") for name in names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_and_functions_are_short(path: Path):
    most = LINES_OF_THE_NOUNS if path == PACKAGE / "datatypes.py" else LINES_OF_A_FILE
    assert len(path.read_text().splitlines()) <= most
    long = {
        f.name: f.end_lineno - f.lineno + 1 for f in functions(path) if f.end_lineno - f.lineno >= LINES_OF_A_FUNCTION
    }
    assert not long


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_kernels_are_left_alone_by_the_shape_checks(path: Path):
    for function in functions(path):
        if "njit" in decorators(function):
            assert "no_type_check" in decorators(function), f"{function.name}: put @no_type_check above @njit"


def test_one_broad_except_and_only_in_ros():
    broad = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ExceptHandler) and is_broad(node)
    ]
    # The fuzz of files looks for exactly what is not caught elsewhere.
    driving = [place for place in broad if not place.startswith("ros/fuzz/")]
    assert len(driving) <= 1 and len(broad) <= 2, broad
    assert all(place.startswith("ros/") for place in broad), broad


def test_no_room_without_a_noun():
    assert not {path.name for path in PACKAGE.rglob("*")} & {"utils", "common", "helpers", "utils.py", "helpers.py"}


def test_no_source_folder_where_the_messages_are_generated():
    assert not (PACKAGE / "msg").exists()
