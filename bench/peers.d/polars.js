// Polars at its best: a lazy scan with the schema given, streamed into a CSV file. POLARS_MAX_THREADS is set by who
// starts this.
'use strict';
const polars = require('nodejs-polars');
const { task, tree, fail } = require('./task.js');
const pl = polars.default || polars;

function typeOf(node) {
  if (node === null) return pl.Utf8;
  if ('[]' in node) return pl.List(typeOf(node['[]']));
  return pl.Struct(Object.fromEntries(Object.entries(node).map(([key, below]) => [key, typeOf(below)])));
}

const expression = ([first, ...rest]) =>
  rest.reduce((at, part) => (typeof part === 'number' ? at.lst.get(part) : at.struct.field(part)), pl.col(first));

async function main() {
  const { columns, members, sources, target } = task();
  const schema = Object.fromEntries(Object.entries(tree(columns)).map(([key, node]) => [key, typeOf(node)]));
  const selected = columns.map(([name, path]) => expression(path).alias(name));
  const scans = sources.map((source) => pl.scanJson(source, { schema }));
  let rows = scans.length === 1 ? scans[0] : pl.concat(scans);
  if (members) rows = rows.filter(expression(members.status).isIn(members.wanted));
  await rows.select(...selected).sinkCSV(target, { maintainOrder: true }).collect();
}
main().catch(fail);
