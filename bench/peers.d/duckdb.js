// DuckDB at its best: newline-delimited JSON read into STRUCTs of VARCHAR, written by COPY. Setting "unordered" lets it
// write rows in any order, which it does a little faster and in less memory.
'use strict';
const { DuckDBInstance } = require('@duckdb/node-api');
const { arguments: args, tree, fail } = require('./job.js');

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
  const { job, input, output, threads, setting } = args();
  const types = Object.entries(tree(job.columns)).map(([key, node]) => `${quoted(key)}: ${literal(typeOf(node))}`);
  const selected = job.columns.map(([name, path]) => `${expression(path)} AS ${quoted(name)}`);
  const instance = await DuckDBInstance.create(':memory:', { threads: String(threads) });
  const connection = await instance.connect();
  if (setting === 'unordered') await connection.run('SET preserve_insertion_order = false');
  await connection.run(
    `COPY (SELECT ${selected.join(', ')} FROM read_json(${literal(input)}, format = 'newline_delimited', ` +
      `columns = {${types.join(', ')}})) TO ${literal(output)} (FORMAT csv, HEADER)`);
  process.exit(0);
}
main().catch(fail);
