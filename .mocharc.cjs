// What `npm test` is: tests/reachability, compiled where that can be kept, and by tsx where not.
'use strict';
const { relative } = require('node:path');
const { compiled } = require('./cli/compiled.cjs');

const folder = compiled();
const file = (name) => (folder === null ? `./tests/reachability/${name}.ts` : `./${relative(__dirname, folder)}/tests/reachability/${name}.mjs`);

module.exports = {
  spec: [file('matrix.test')],
  require: ['./tests/guard.mjs', ...(folder === null ? ['tsx'] : []), file('pattern')],
  reporter: file('reporter'),
  extension: ['ts', 'mjs'],
  timeout: 0,
  slow: 60_000,
  'fail-zero': true,
  'forbid-only': true,
  'forbid-pending': true,
  'fail-hook-affected-tests': true,
};
