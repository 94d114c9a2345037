// DuckDB at its best: newline-delimited JSON read into STRUCTs of VARCHAR, written by COPY. Setting "unordered" lets it
// write rows in any order, which it does a little faster and in less memory.
'use strict';
const { DuckDBInstance } = require('@duckdb/node-api');
const { task, tree, fail } = require('./task.js');

const quoted = (name) => `"${name.replace(/"/g, '""')}"`;
const literal = (text) => `'${text.replace(/'/g, "''")}'`;

function typeOf(node) {
  if (node === null) return 'VARCHAR';
  if ('[]' in node) return `${typeOf(node['[]'])}[]`;
  return `STRUCT(${Object.entries(node).map(([key, below]) => `${quoted(key)} ${typeOf(below)}`).join(', ')})`;
}

// Lists count from 1.
const expression = (path) =>
  path.map((part, i) => (typeof part === 'number' ? `[${part + 1}]` : (i ? '.' : '') + quoted(part))).join('');

async function main() {
  const { columns, members, sources, target, threads, setting } = task();
  const types = Object.entries(tree(columns)).map(([key, node]) => `${quoted(key)}: ${literal(typeOf(node))}`);
  const selected = columns.map(([name, path]) => `${expression(path)} AS ${quoted(name)}`);
  const where = members ? ` WHERE ${expression(members.status)} IN (${members.wanted.map(literal).join(', ')})` : '';
  const instance = await DuckDBInstance.create(':memory:', { threads: String(threads) });
  const connection = await instance.connect();
  if (setting === 'unordered') await connection.run('SET preserve_insertion_order = false');
  await connection.run(
    `COPY (SELECT ${selected.join(', ')} FROM read_json([${sources.map(literal).join(', ')}], ` +
      `format = 'newline_delimited', columns = {${types.join(', ')}})${where}) ` +
      `TO ${literal(target)} (FORMAT csv, HEADER${target.endsWith('.gz') ? ', COMPRESSION gzip' : ''})`);
  process.exit(0);
}
main().catch(fail);
