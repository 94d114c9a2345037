// What the scripts of this folder share: the task that bench/peers wrote, and the columns as a tree of fields.
//   node SCRIPT.js TASK.json
// A task: {columns: [[name, path]…], members: null or {status: path, wanted: [status…]}, sources: [file…], target: file,
// threads: number, setting: null or text}. Names of files say how they are compressed: .gz, .zst.
'use strict';
const { readFileSync } = require('fs');

exports.task = function () {
  if (process.argv.length !== 3) exports.fail(`usage: node ${process.argv[1]} TASK.json`);
  return JSON.parse(readFileSync(process.argv[2], 'utf8'));
};

// {"person": {"name": {"firstName": null}}}; a list is {"[]": element}, a text is null.
exports.tree = function (columns) {
  const root = {};
  for (const [, path] of columns) {
    let at = root;
    path.forEach((part, i) => {
      const key = typeof part === 'number' ? '[]' : part;
      if (i === path.length - 1) at[key] = null;
      else at = at[key] = at[key] || {};
    });
  }
  return root;
};

exports.fail = function (error) {
  console.error(String((error && error.message) || error).slice(0, 2000));
  process.exit(1);
};
