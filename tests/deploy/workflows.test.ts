// The workflows as GitHub's own parser reads them, and what no parser asks: pinned actions, scripts that are there, a runner
// with a key that no pull request reaches.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { readWorkflow as read } from './workflow.ts';

const root = join(import.meta.dirname, '../..');
const folder = join(root, '.github/workflows');
const text = (name: string): string => readFileSync(join(folder, name), 'utf8');
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };

describe('.github/workflows', () => {
  const names = readdirSync(folder).toSorted();
  it('are the nightly run and verify', () => expect(names).to.deep.equal(['nightly.yml', 'verify.yml']));

  for (const name of names) {
    it(`${name} has no fault`, async () => {
      const { faults, template } = await read(name, text(name));
      expect(faults).to.deep.equal([]);
      expect(template?.jobs.length).to.be.greaterThan(0);
    });
    it(`${name} uses actions by their commit alone`, () => {
      const uses = [...text(name).matchAll(/\buses: (\S+)/g)].map(([, action]) => action);
      expect(uses.length).to.be.greaterThan(0);
      expect(uses.filter((action) => !/^actions\/[\w-]+@[0-9a-f]{40}$/.test(action ?? ''))).to.deep.equal([]);
    });
    it(`${name} runs scripts that are there, and may read the code alone`, () => {
      const ran = [...text(name).matchAll(/\bnpm run (?:--silent )?([\w:-]+)/g), ...text(name).matchAll(/- score: (\w+)/g)].map(([, script = '']) => script);
      for (const script of ran) expect(scripts, name).to.have.property(script);
      expect(text(name)).to.match(/^permissions:\n {2}contents: read\n\n/m).and.not.match(/\bwrite\b|secrets\./);
    });
  }

  it('the runner that holds the key serves no pull request', async () => {
    for (const name of names.filter((one) => text(one).includes('self-hosted'))) expect(Object.keys((await read(name, text(name))).template?.events ?? {}), name).to.have.members(['schedule', 'workflow_dispatch']);
    expect(names.filter((one) => text(one).includes('self-hosted'))).to.deep.equal(['nightly.yml']);
  });
  it('each schedule starts a job, and each job has one that starts it', () => {
    const nightly = text('nightly.yml');
    const crons = [...nightly.matchAll(/- cron: '([^']+)'/g)].map(([, cron]) => cron);
    const asked = [...nightly.matchAll(/github\.event\.schedule == '([^']+)'/g)].map(([, cron]) => cron);
    expect(crons).to.have.length(2);
    expect(asked).to.have.members(crons);
  });
  it('all four scores are taken', () => expect([...text('nightly.yml').matchAll(/- score: (\w+)/g)].map(([, score]) => score)).to.deep.equal(['mutate', 'loss', 'soak', 'fuzz']));

  const mistakes: readonly (readonly [what: string, from: string, to: string])[] = [
    ['a key that is none', 'timeout-minutes: 45', 'timeout-minuts: 45'],
    ['a job without a runner', '    runs-on: [self-hosted, flowproof]\n', ''],
    ['a broken expression', "inputs.phase || 'steady'", "inputs.phase || 'steady"],
    ['a context that is none', '${{ inputs.phase', '${{ input.phase'],
    ['a function that is none', '!cancelled()', '!canceled()'],
    ['a cron that is none', "'17 2 * * *'", "'77 2 * * *'"],
    ['YAML that is none', 'jobs:\n', 'jobs: [\n'],
  ];
  for (const [what, from, to] of mistakes) it(`${what} would be a fault`, async () => {
    expect(text('nightly.yml')).to.include(from);
    expect((await read('nightly.yml', text('nightly.yml').replace(from, to))).faults).to.not.deep.equal([]);
  });
});
