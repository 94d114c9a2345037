// What the scripts of this folder share: the columns of a job as a tree of fields.
//   node SCRIPT.js JOB INPUT OUTPUT THREADS [SETTING]
'use strict';
const jobs = require('./jobs.json');

exports.arguments = function () {
  const [job, input, output, threads, setting] = process.argv.slice(2);
  if (!(job in jobs) || !input || !output || !threads)
    exports.fail(`usage: node ${process.argv[1]} JOB INPUT OUTPUT THREADS [SETTING]; JOB is one of ${Object.keys(jobs)}`);
  return { job: jobs[job], input, output, threads: Number(threads), setting };
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
