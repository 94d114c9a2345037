"""Which parts of a record are checked: what the paths enter and use."""
from .json_walk import Defects, scalar_type, unescape
from .paths import matches


class Check:
    """Collects the grammar defects of what is entered and used; with mode "reached", of whatever a path may reach."""

    def __init__(self, record):
        self.record = record
        self.defects = Defects()
        self.duplicates = False

    def enter(self, node):
        children = self.record.members(node) if node.kind == "object" else self.record.elements(node)
        if node.broken is not None:
            self.defects.add(node.broken, "syntax")
        return children

    def scalar(self, node):
        if node.kind == "unclosed":
            return None
        if node.kind == "string":
            _, bad, _ = unescape(self.record.raw[node.start + 1:node.end - 1], node.start + 1)
            if bad is not None:
                self.defects.add(bad, "syntax")
            return "string"
        kind = scalar_type(self.record, node)
        if kind is None:
            self.defects.add(node.start, "syntax")
        return kind

    def whole(self, node):
        pending = [node]
        while pending:
            node = pending.pop()
            if node.kind == "object":
                pending += [value for _, value in self.enter(node)]
            elif node.kind == "array":
                pending += self.enter(node)
            else:
                self.scalar(node)

    # --- "reached": all that a walk may meet before it knows what wins

    def reach(self, node, states):
        """`states`: (path, index of the next part, is identity)."""
        if node.kind == "unclosed":
            return
        if node.kind in ("string", "scalar"):
            if states:
                self.scalar(node)
            return
        deeper = []
        for state in states:
            path, index, identity = state
            if index == len(path.parts):
                if identity and path.namespace is not None:
                    self.reach_namespace(node)
                else:
                    self.whole(node)
            else:
                deeper.append(state)
        if not deeper:
            return
        if node.kind == "object":
            wanted = [s for s in deeper if s[0].parts[s[1]][0] in ("name", "wildcard", "filter")]
            if not wanted:
                return
            members = self.enter(node)
            for path, index, _ in wanted:
                part = path.parts[index]
                if part[0] == "name":
                    keys = [k for k, _ in members if matches(k, part[1], path.folds(index))]
                    self.duplicates |= len(set(keys)) != len(keys)
                elif len({k for k, _ in members}) != len(members):
                    self.duplicates = True
            for key, value in members:
                states = []
                for path, index, identity in wanted:
                    part = path.parts[index]
                    if part[0] == "name" and matches(key, part[1], path.folds(index)):
                        states.append((path, index + 1, identity))
                    elif part[0] == "wildcard":
                        states.append((path, index + 1, identity))
                    elif part[0] == "filter":
                        self.reach_tested(value, part)
                        states.append((path, index + 1, identity))
                self.reach(value, states)
        else:
            wanted = [s for s in deeper if s[0].parts[s[1]][0] in ("index", "wildcard", "filter")]
            if not wanted:
                return
            for element in self.enter(node):
                states = []
                for path, index, identity in wanted:
                    part = path.parts[index]
                    if part[0] == "filter":
                        self.reach_tested(element, part)
                    states.append((path, index + 1, identity))
                self.reach(element, states)

    def reach_tested(self, node, part):
        if node.kind == "object":
            members = self.enter(node)
            keys = [k for k, _ in members if matches(k, part[1], False)]
            self.duplicates |= len(set(keys)) != len(keys)
            for key, value in members:
                if matches(key, part[1], False):
                    self.whole(value)

    def reach_namespace(self, node):
        if node.kind != "array":
            return
        for element in self.enter(node):
            if element.kind == "object":
                members = self.enter(element)
                for name in ("id", "primary"):
                    keys = [k for k, _ in members if matches(k, name, False)]
                    self.duplicates |= len(set(keys)) != len(keys)
                for key, value in members:
                    if matches(key, "id", False) or matches(key, "primary", False):
                        self.whole(value)
            else:
                self.whole(element)

    def reach_identities(self, root):
        """The `identities` array of the entities form: what identity paths of namespaces may look at."""
        if root is None or root.kind != "object":
            return
        for array in self.reach_named(root, "identities"):
            if array.kind != "array":
                continue
            for entry in self.enter(array):
                if entry.kind != "object":
                    continue
                for value in self.reach_named(entry, "id") + self.reach_named(entry, "primary"):
                    self.whole(value)
                for namespace in self.reach_named(entry, "namespace"):
                    if namespace.kind == "object":
                        for code in self.reach_named(namespace, "code"):
                            self.whole(code)

    def reach_named(self, node, name):
        found = [(k, v) for k, v in self.enter(node) if matches(k, name, False)]
        self.duplicates |= len({k for k, _ in found}) != len(found)
        return [v for _, v in found]
