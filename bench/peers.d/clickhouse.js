// ClickHouse (chdb) at its best: lines read as text, one JSONExtract a line into a tuple. Rows may come in any order;
// a line that is no JSON becomes an empty row. Files are unpacked and packed as their names say.
'use strict';
const path = require('path');
const { query } = require('chdb');
const { task, tree, fail } = require('./task.js');

const quoted = (name) => '`' + name.replace(/[\\`]/g, '\\$&') + '`';
const literal = (text) => `'${text.replace(/[\\']/g, '\\$&')}'`;

function typeOf(node) {
  if (node === null) return 'Nullable(String)';
  if ('[]' in node) return `Array(${typeOf(node['[]'])})`;
  return `Tuple(${Object.entries(node).map(([key, below]) => `${quoted(key)} ${typeOf(below)}`).join(', ')})`;
}

const expression = (keys) =>
  'record' + keys.map((part) => (typeof part === 'number' ? `[${part + 1}]` : '.' + quoted(part))).join('');

try {
  const { columns, members, sources, target, threads } = task();
  const names = sources.map((source) => path.basename(source));
  const files = path.join(path.dirname(sources[0]), names.length === 1 ? names[0] : `{${names.join(',')}}`);
  const selected = columns.map(([name, path]) => `${expression(path)} AS ${quoted(name)}`);
  const where = members ? ` WHERE ${expression(members.status)} IN (${members.wanted.map(literal).join(', ')})` : '';
  query(
    `INSERT INTO FUNCTION file(${literal(target)}, 'CSVWithNames') SELECT ${selected.join(', ')} FROM ` +
      `(SELECT JSONExtract(line, ${literal(typeOf(tree(columns)))}) AS record ` +
      `FROM file(${literal(files)}, 'LineAsString', 'line String'))${where} ` +
      `SETTINGS max_threads = ${threads}, format_csv_null_representation = ''`);
} catch (error) {
  fail(error);
}
