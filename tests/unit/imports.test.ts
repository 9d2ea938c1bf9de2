// Imports run one way. The table says what each file of lib/ may know; whatever it does not list, it may not import.
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { expect } from 'chai';

const root = join(import.meta.dirname, '../..');

/** Nouns that everybody may use go without saying: model.ts. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  'model.ts': ['model/*'],
  'model/*': ['model/*'],
  'address.ts': ['node:net'],
  'packet.ts': ['node:net', 'address.ts'],
  'facts.ts': ['node:net', 'address.ts'],
  'conntrack.ts': ['address.ts'],
  'inventory.ts': ['node:net', 'jsonc-parser', 'zod', 'address.ts', 'pace.ts'],
  'pace.ts': [],
  'scan.ts': ['pace.ts', 'vantage.ts'],
  'paced.ts': ['node:timers/promises', 'p-limit', 'address.ts', 'facts.ts', 'pace.ts', 'scan.ts', 'vantage.ts'],
  'rows.ts': [],
  'forecast.ts': ['facts.ts', 'loss.ts', 'forecast.ts', 'pace.ts', 'rows.ts'],
  'waivers.ts': ['rows.ts'],
  'protocols/protocol.ts': [],
  'protocols/dns.ts': ['node:net', 'dns-packet', 'protocols/protocol.ts'],
  'protocols/index.ts': ['protocols/*'],
  'protocols/*': ['protocols/protocol.ts'],
  'plan/destinations.ts': ['node:net', 'address.ts', 'facts.ts'],
  'plan/*': ['address.ts', 'facts.ts', 'packet.ts', 'plan/*', 'protocols/index.ts', 'rows.ts'],
  'plan.ts': ['facts.ts', 'plan/*'],
  'outcome.ts': ['node:net', 'address.ts', 'facts.ts', 'protocols/index.ts'],
  'changes.ts': [],
  'grouped.ts': [],
  'hash.ts': ['node:crypto'],
  'bundle/evidence.ts': ['zod', 'changes.ts'],
  'bundle/hash.ts': ['node:fs', 'hash.ts'],
  'bundle/manifest.ts': ['zod', 'hash.ts'],
  'bundle/batched.ts': ['node:fs', 'node:util', 'bundle/*', 'changes.ts', 'lean.ts', 'rejudge.ts', 'reports/file.ts', 'reports/json.ts', 'reports/spool.ts'],
  'bundle/batches.ts': ['bundle/merge.ts'],
  'bundle/record.ts': ['findings.ts', 'waivers.ts', 'bundle/evidence.ts', 'bundle/merge.ts'],
  'bundle/merge.ts': ['shard.ts', 'waivers.ts', 'grouped.ts'],
  'bundle/merged.ts': ['hash.ts', 'rejudge.ts', 'shard.ts', 'bundle/*', 'reports/json.ts'],
  'bundle/prune.ts': ['node:fs', 'node:path', 'bundle/manifest.ts', 'hash.ts', 'nightly/prune.ts'],
  'bundle/sign.ts': ['node:child_process', 'node:fs', 'node:path'],
  'bundle/runs.ts': ['node:fs', 'node:path', 'node:util', 'bundle/*', 'changes.ts', 'hash.ts', 'rejudge.ts'],
  'rejudge.ts': ['node:util', 'bundle/evidence.ts', 'findings.ts', 'outcome.ts', 'reports/json.ts', 'window.ts'],
  'judge.ts': ['address.ts'],
  'walls.ts': ['judge.ts'],
  'senders.ts': ['facts.ts'],
  'backing.ts': ['node:net', 'address.ts', 'conntrack.ts', 'facts.ts', 'senders.ts'],
  'sessions.ts': ['node:net', 'address.ts', 'backing.ts', 'conntrack.ts', 'facts.ts', 'rows.ts'],
  'findings.ts': ['backing.ts', 'judge.ts', 'sessions.ts', 'walls.ts'],
  'configuration.ts': ['facts.ts'],
  'clock.ts': ['protocols/ntp.ts'],
  'select.ts': [],
  'shard.ts': ['facts.ts', 'hash.ts', 'select.ts'],
  'loss.ts': [],
  'hedge.ts': [],
  'wire.ts': ['node:net'],
  'root.ts': ['node:fs', 'node:path'],
  'prober/program.ts': ['node:fs', 'node:path', 'root.ts'],
  'boot.ts': ['prober/program.ts'],
  'dialogue.ts': ['node:stream', 'prober/program.ts', 'wire.ts'],
  'listener.ts': ['boot.ts', 'dialogue.ts', 'wire.ts'],
  'vantage.ts': ['node:stream', 'p-limit', 'dialogue.ts', 'listener.ts', 'pace.ts', 'swept.ts', 'wire.ts'],
  'forced.ts': ['boot.ts', 'hash.ts', 'prober/program.ts'],
  'login.ts': ['node:child_process', 'node:fs', 'node:os', 'node:path', 'node:util'],
  'connect.ts': ['node:net', 'node:stream', 'hedge.ts', 'loss.ts'],
  'ssh.ts': ['node:fs', 'node:stream', 'ssh2', 'connect.ts', 'hash.ts', 'login.ts'],
  'enter.ts': ['node:child_process', 'node:crypto', 'node:net', 'node:stream', 'p-limit', 'boot.ts', 'facts.ts', 'login.ts', 'ssh.ts', 'vantage.ts'],
  'relay.ts': ['node:dgram', 'node:events', 'ntp-client', 'vantage.ts'],
  'look.ts': ['node:net', 'enter.ts', 'facts.ts', 'loss.ts', 'outcome.ts', 'protocols/index.ts', 'relay.ts', 'vantage.ts'],
  'again.ts': ['loss.ts', 'vantage.ts'],
  'window.ts': ['facts.ts'],
  'sound.ts': ['vantage.ts'],
  'resolve.ts': ['facts.ts', 'protocols/dns.ts', 'rows.ts', 'vantage.ts'],
  'listen.ts': ['address.ts', 'backing.ts', 'facts.ts', 'listener.ts', 'vantage.ts'],
  'track.ts': ['node:crypto', 'node:timers/promises', 'p-limit', 'address.ts', 'backing.ts', 'conntrack.ts', 'facts.ts', 'vantage.ts'],
  'resets.ts': ['node:timers/promises', 'vantage.ts'],
  'observe.ts': ['again.ts', 'backing.ts', 'findings.ts', 'listen.ts', 'look.ts', 'loss.ts', 'resets.ts', 'sound.ts', 'steps.ts', 'track.ts', 'vantage.ts', 'window.ts'],
  'run.ts': ['node:crypto', 'batch.ts', 'clock.ts', 'configuration.ts', 'facts.ts', 'enter.ts', 'findings.ts', 'hosts.ts', 'login.ts', 'look.ts', 'observe.ts', 'paced.ts', 'plan.ts', 'resolve.ts', 'rows.ts', 'select.ts', 'shard.ts', 'steps.ts', 'token.ts', 'vantage.ts', 'waivers.ts'],
  'batch.ts': ['node:v8', 'bundle/batches.ts', 'bundle/merge.ts', 'lean.ts', 'plan.ts', 'plan/input.ts', 'reports/spool.ts', 'select.ts', 'shard.ts', 'steps.ts'],
  'lean.ts': [],
  'hosts.ts': ['p-limit', 'configuration.ts', 'enter.ts', 'facts.ts'],
  'token.ts': ['node:crypto'],
  'steps.ts': [],
  'swept.ts': ['wire.ts'],
  'sweep/units.ts': [],
  'sweep/cells.ts': ['address.ts', 'packet.ts', 'protocols/index.ts', 'grouped.ts'],
  'sweep/options.ts': ['node:util', 'sweep/units.ts'],
  'sweep/folder.ts': ['hash.ts', 'node:fs', 'node:path', 'zod', 'sweep/options.ts', 'sweep/units.ts'],
  'sweep/bounds.ts': ['facts.ts', 'vantage.ts'],
  'sweep/batch.ts': ['grouped.ts', 'sweep/units.ts'],
  'sweep/room.ts': ['node:timers/promises', 'vantage.ts', 'sweep/batch.ts', 'sweep/bounds.ts'],
  'sweep/doubt.ts': ['address.ts', 'sweep/cells.ts'],
  'sweep/judge.ts': ['conntrack.ts', 'address.ts', 'facts.ts', 'findings.ts', 'judge.ts', 'outcome.ts', 'grouped.ts', 'sweep/cells.ts', 'sweep/doubt.ts'],
  'sweep/ask.ts': ['facts.ts', 'loss.ts', 'resets.ts', 'track.ts', 'vantage.ts', 'sweep/*'],
  'sweep/run.ts': ['node:crypto', 'address.ts', 'enter.ts', 'facts.ts', 'look.ts', 'pace.ts', 'paced.ts', 'plan.ts', 'resets.ts', 'rows.ts', 'run.ts', 'shard.ts', 'sound.ts', 'token.ts', 'window.ts', 'sweep/*'],
  'sweep/report.ts': ['grouped.ts', 'reports/console.ts', 'reports/junit.ts', 'sweep/units.ts'],
  'matrix/words.ts': [],
  'matrix/document.ts': ['mdast', 'mdast-util-from-markdown', 'mdast-util-gfm-table', 'mdast-util-to-string', 'micromark-extension-gfm-table', 'matrix/words.ts'],
  'matrix/compare.ts': ['address.ts', 'matrix/document.ts', 'matrix/words.ts'],
  'matrix/contradictions.ts': ['matrix/document.ts'],
  'matrix/import.ts': ['matrix/compare.ts', 'matrix/document.ts'],
  'matrix/export.ts': ['mdast', 'mdast-util-gfm-table', 'mdast-util-to-markdown'],
  'matrix/edit.ts': ['jsonc-parser'],
  'doctor/gathered.ts': [],
  'doctor/cost.ts': ['plan.ts'],
  'doctor/examine.ts': ['facts.ts', 'doctor/*'],
  'doctor/table.ts': ['reports/console.ts', 'doctor/*'],
  'doctor/gather.ts': ['node:child_process', 'node:crypto', 'node:fs', 'node:util', 'backing.ts', 'enter.ts', 'facts.ts', 'login.ts', 'run.ts', 'shard.ts', 'ssh.ts', 'track.ts', 'doctor/*'],
  'nightly/since.ts': ['changes.ts'],
  'nightly/prune.ts': [],
  'nightly/summary.ts': ['reports/console.ts', 'nightly/*'],
  'reports/junit.ts': ['xmlbuilder2', 'xmlbuilder2/lib/interfaces.js', 'grouped.ts', 'reports/*'],
  'reports/verdicts.ts': ['changes.ts'],
  'reports/html/index.ts': ['changes.ts', 'hash.ts', 'reports/*', 'reports/html/*'],
  'reports/html/file.ts': ['node:fs', 'node:path', 'changes.ts', 'root.ts', 'reports/html/index.ts'],
  'reports/html/assessor.ts': ['facts.ts', 'reports/*', 'reports/html/*'],
  'reports/html/changes.ts': ['changes.ts', 'reports/*', 'reports/html/*'],
  'reports/html/*': ['grouped.ts', 'reports/*', 'reports/html/*'],
  'reports/write.ts': ['node:fs', 'node:path', 'bundle/hash.ts', 'bundle/manifest.ts', 'bundle/runs.ts', 'reports/*', 'reports/html/file.ts'],
  'reports/*': ['grouped.ts', 'reports/*'],
  'reports/file.ts': ['node:fs'],
  'reports/spool.ts': ['node:fs', 'node:path', 'grouped.ts', 'reports/*'],
};

/** Pure files: no clock, no randomness, no input or output of their own. */
const pure = [
  'model.ts', 'address.ts', 'packet.ts', 'facts.ts', 'conntrack.ts', 'inventory.ts', 'plan.ts', 'outcome.ts', 'judge.ts', 'walls.ts', 'senders.ts', 'backing.ts', 'sessions.ts', 'findings.ts', 'lean.ts', 'loss.ts', 'pace.ts', 'window.ts', 'rows.ts', 'waivers.ts', 'wire.ts', 'swept.ts',
  'changes.ts', 'grouped.ts', 'hash.ts', 'rejudge.ts', 'bundle/batches.ts', 'bundle/evidence.ts', 'bundle/manifest.ts', 'bundle/merge.ts', 'bundle/record.ts', 'doctor/gathered.ts', 'doctor/cost.ts', 'doctor/examine.ts', 'doctor/table.ts', 'nightly/since.ts', 'nightly/prune.ts', 'nightly/summary.ts',
  'reports/junit.ts', 'reports/json.ts', 'reports/console.ts', 'reports/takeover.ts', 'reports/waivers.ts',
  'reports/html/index.ts', 'reports/html/assessor.ts', 'reports/html/causes.ts', 'reports/html/changes.ts', 'reports/verdicts.ts', 'reports/html/data.ts', 'reports/html/heat.ts', 'reports/html/states.ts', 'reports/html/text.ts', 'reports/html/topology.ts',
  'reports/kinds.ts', 'reports/words.ts', 'reports/advice.ts', 'reports/causes.ts', 'reports/digest.ts', 'reports/progress.ts', 'reports/cells.ts', 'reports/summary.ts', 'clock.ts', 'configuration.ts', 'select.ts', 'shard.ts',
  'sweep/units.ts', 'sweep/cells.ts', 'sweep/options.ts', 'sweep/batch.ts', 'sweep/doubt.ts', 'sweep/judge.ts', 'sweep/report.ts',
];
const impure = /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\brandom(Bytes|Int|UUID)\(|\bprocess\.(?!version\b)|\bset(Timeout|Interval|Immediate)\(|\bfetch\(|\bconsole\.(?!ts\b)/;

const files = (folder: string): readonly string[] => readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts')).map((file) => `${folder}/${file}`).toSorted();
const text = (file: string): string => readFileSync(join(root, file), 'utf8');

/** What a file imports, types too; its own files by their path from the top. */
function importsOf(file: string): readonly string[] {
  const found = [...text(file).matchAll(/(?:^|\n)\s*(?:import|export)\b[^;'"`]*?\bfrom\s*['"]([^'"]+)['"]|\bimport\s*\(\s*['"]([^'"]+)['"]|(?:^|\n)\s*import\s*['"]([^'"]+)['"]|\brequire\(\s*['"]([^'"]+)['"]/g)];
  return found.map(([, a, b, c, d]) => a ?? b ?? c ?? d ?? '').map((name) => (name.startsWith('.') ? posix.join(posix.dirname(file), name) : name));
}

const fits = (name: string, pattern: string): boolean => pattern === name || (pattern.endsWith('/*') && posix.dirname(name) === pattern.slice(0, -2));

describe('imports', () => {
  const lib = files('lib').map((file) => file.slice('lib/'.length));
  const rule = (file: string): readonly string[] | undefined => mayImport[file] ?? mayImport[`${posix.dirname(file)}/*`];

  it('are found where they are', () => {
    expect(lib.length).to.be.greaterThan(20);
    expect(importsOf('lib/ssh.ts')).to.include.members(['ssh2', 'lib/login.ts', 'lib/model.ts']);
  });
  for (const file of lib)
    it(`of lib/${file} are those that it may have`, () => {
      const allowed = rule(file);
      expect(allowed, 'not in the table: say what this file may know').to.not.equal(undefined);
      const foreign = importsOf(`lib/${file}`).map((name) => name.replace(/^lib\//, '')).filter((name) => !(name === 'model.ts' && file !== 'model.ts') && allowed?.some((pattern) => fits(name, pattern)) !== true);
      expect(foreign).to.deep.equal([]);
    });
  it('of the table are of files that there are', () => expect(Object.keys(mayImport).filter((name) => !name.endsWith('/*') && !lib.includes(name))).to.deep.equal([]));
  it('run in no circle', () => {
    const below = (file: string, path: readonly string[]): void => {
      expect(path, [...path, file].join(' -> ')).to.not.include(file);
      for (const next of importsOf(`lib/${file}`).filter((name) => name.startsWith('lib/'))) below(next.slice('lib/'.length), [...path, file]);
    };
    below('run.ts', []);
    below('reports/write.ts', []);
    below('inventory.ts', []);
    below('matrix/import.ts', []);
  });

  it('of the plan\'s command lead to nothing that could send', () => {
    const reached = (file: string, path: readonly string[] = []): readonly string[] => (path.includes(file) ? [] : [file, ...(/^(lib|cli)\//.test(file) ? importsOf(file).flatMap((next) => reached(next, [...path, file])) : [])]);
    const all = new Set(reached('cli/plan.ts'));
    expect(all).to.include('lib/plan/cells.ts');
    expect([...all].filter((name) => ['ssh2', 'node:child_process', 'node:dgram', 'node:http', 'node:https', 'lib/vantage.ts', 'lib/run.ts', 'lib/enter.ts', 'lib/login.ts'].includes(name))).to.deep.equal([]);
  });

  const alone: readonly (readonly [string, string])[] = [['ssh2', 'ssh.ts'], ['ntp-client', 'relay.ts'], ['dns-packet', 'protocols/dns.ts'], ['xmlbuilder2', 'reports/junit.ts']];
  for (const [name, file] of alone) it(`of ${name} are lib/${file}'s alone`, () => expect(lib.filter((one) => importsOf(`lib/${one}`).includes(name))).to.deep.equal([file]));

  it('of createHash are lib/hash.ts\'s alone: one SHA-256 for all', () => {
    const users = [...files('lib'), ...files('cli'), ...files('tests')].filter((file) => /import[^;]*\bcreateHash\b[^;]*'node:crypto'/.test(text(file)));
    expect(users).to.deep.equal(['lib/hash.ts']);
  });

  it('of the lab are none of lib', () => {
    for (const file of files('lab')) expect(importsOf(file).filter((name) => name.startsWith('lib')), file).to.deep.equal([]);
  });
  it('of lib are none of the lab or the tests', () => {
    for (const file of lib) expect(importsOf(`lib/${file}`).filter((name) => /^(lab|tests)\b|^\.\./.test(name)), file).to.deep.equal([]);
  });
});

describe('pure files', () => {
  for (const file of [...pure, ...[...files('lib/protocols'), ...files('lib/plan'), ...files('lib/matrix'), ...files('lib/model')].map((name) => name.slice('lib/'.length))])
    it(`lib/${file} draws no time, no random number, and touches nothing outside`, () => expect(text(`lib/${file}`).replaceAll(/\/\/.*|\/\*[\s\S]*?\*\//g, '')).to.not.match(impure));
});
