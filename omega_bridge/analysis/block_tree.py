"""PL/pgSQL's tree as libpg_query gives it: nested dictionaries, each with the name of its node."""

from __future__ import annotations

from omega_bridge.sql import Tree


def query(expression: Tree) -> str:
    """The text of an expression or a statement inside."""
    return str(expression["PLpgSQL_expr"]["query"])


def flat(statements: list[Tree]) -> list[tuple[str, Tree]]:
    """Statements with the insides of blocks without handlers; without the ``RETURN`` that ends every block of its own."""
    found: list[tuple[str, Tree]] = []
    for entry in statements:
        ((kind, content),) = entry.items()
        if kind == "PLpgSQL_stmt_block" and "exceptions" not in content:
            found.extend(flat(content.get("body", [])))
        elif kind != "PLpgSQL_stmt_return" or "lineno" in content:
            found.append((kind, content))
    return found


def holds(tree: object, kinds: tuple[str, ...]) -> bool:
    """Whether a statement of these kinds stands somewhere below."""
    waiting = [tree]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict):
            if any(kind in found for kind in kinds):
                return True
            waiting.extend(found.values())
        elif isinstance(found, list):
            waiting.extend(found)
    return False


def is_single(block: Tree) -> bool:
    """Whether there is one block, and what libpg_query may put around it."""
    body = block.get("body", [])
    if len(body) == 2 and "PLpgSQL_stmt_block" in body[0] and "lineno" not in body[1].get("PLpgSQL_stmt_return", {"lineno": 0}):
        body = body[0]["PLpgSQL_stmt_block"]
    return not holds(body, ("PLpgSQL_stmt_block",))
