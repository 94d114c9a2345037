"""Few combinations that hold every pair of options: most faults need one option or two, not twelve."""

CANDIDATES = 6  # tried for each row; more make the table little shorter


def all_pairs(factors, r):
    """`factors`: {name: number of values}. A list of {name: value number} in which any two values of any two factors
    stand together in some row. The same random numbers give the same table."""
    names = list(factors)
    open_pairs = {(a, x, b, y) for i, a in enumerate(names) for b in names[i + 1:]
                  for x in range(factors[a]) for y in range(factors[b])}
    rows = []
    while open_pairs:
        first = min(open_pairs)
        rows.append(max((candidate(first, names, factors, open_pairs, r) for _ in range(CANDIDATES)),
                        key=lambda row: len(open_pairs & pairs_of(row, names))))
        open_pairs -= pairs_of(rows[-1], names)
    return rows


def candidate(pair, names, factors, open_pairs, r):
    """A row with this pair; the other factors take, in random order, the value that closes most pairs."""
    a, x, b, y = pair
    row = {a: x, b: y}
    rest = [name for name in names if name not in row]
    r.shuffle(rest)
    for name in rest:
        values = list(range(factors[name]))
        r.shuffle(values)
        row[name] = max(values, key=lambda value: sum(
            ((name, value, other, row[other]) in open_pairs) + ((other, row[other], name, value) in open_pairs)
            for other in row))
    return row


def pairs_of(row, names):
    return {(a, row[a], b, row[b]) for i, a in enumerate(names) for b in names[i + 1:]}
