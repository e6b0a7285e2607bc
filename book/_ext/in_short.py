"""A chapter begins with its box "In short"; what computes it, in a notebook's order, is folded below it."""

from docutils import nodes


def cells(node: nodes.Node) -> list[nodes.Element]:
    """The notebook's cells around a node."""
    found = []
    while node.parent is not None:
        node = node.parent
        if "cell" in node.get("classes", []):
            found.append(node)
    return found


def begin(app, doctree):
    """Moves the cell of the box before the first cell of its section."""
    for box in doctree.findall(lambda node: isinstance(node, nodes.admonition) and "in-short" in node["classes"]):
        for cell in cells(box):
            section = cell.parent
            first = next(n for n in section.children if "cell" in getattr(n, "attributes", {}).get("classes", []))
            section.remove(cell)
            section.insert(section.index(first), cell)


def setup(app):
    app.connect("doctree-read", begin)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
