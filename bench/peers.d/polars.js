// Polars at its best: a lazy scan with the schema given, streamed into a CSV file. POLARS_MAX_THREADS is set by who
// starts this.
'use strict';
const polars = require('nodejs-polars');
const { arguments: args, tree, fail } = require('./job.js');
const pl = polars.default || polars;

function typeOf(node) {
  if (node === null) return pl.Utf8;
  if ('[]' in node) return pl.List(typeOf(node['[]']));
  return pl.Struct(Object.fromEntries(Object.entries(node).map(([key, below]) => [key, typeOf(below)])));
}

const expression = ([first, ...rest]) =>
  rest.reduce((at, part) => (typeof part === 'number' ? at.lst.get(part) : at.struct.field(part)), pl.col(first));

async function main() {
  const { job, input, output } = args();
  const schema = Object.fromEntries(Object.entries(tree(job.columns)).map(([key, node]) => [key, typeOf(node)]));
  const selected = job.columns.map(([name, path]) => expression(path).alias(name));
  await pl.scanJson(input, { schema }).select(...selected).sinkCSV(output, { maintainOrder: true }).collect();
}
main().catch(fail);
