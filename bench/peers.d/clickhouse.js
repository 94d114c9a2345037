// ClickHouse (chdb) at its best: lines read as text, one JSONExtract a line into a tuple. Rows may come in any order;
// a line that is no JSON becomes an empty row.
'use strict';
const { query } = require('chdb');
const { arguments: args, tree, fail } = require('./job.js');

const quoted = (name) => '`' + name.replace(/[\\`]/g, '\\$&') + '`';
const literal = (text) => `'${text.replace(/[\\']/g, '\\$&')}'`;

function typeOf(node) {
  if (node === null) return 'Nullable(String)';
  if ('[]' in node) return `Array(${typeOf(node['[]'])})`;
  return `Tuple(${Object.entries(node).map(([key, below]) => `${quoted(key)} ${typeOf(below)}`).join(', ')})`;
}

const expression = (path) =>
  'record' + path.map((part) => (typeof part === 'number' ? `[${part + 1}]` : '.' + quoted(part))).join('');

try {
  const { job, input, output, threads } = args();
  const selected = job.columns.map(([name, path]) => `${expression(path)} AS ${quoted(name)}`);
  query(
    `INSERT INTO FUNCTION file(${literal(output)}, 'CSVWithNames') SELECT ${selected.join(', ')} FROM ` +
      `(SELECT JSONExtract(line, ${literal(typeOf(tree(job.columns)))}) AS record ` +
      `FROM file(${literal(input)}, 'LineAsString', 'line String')) ` +
      `SETTINGS max_threads = ${threads}, format_csv_null_representation = ''`);
} catch (error) {
  fail(error);
}
