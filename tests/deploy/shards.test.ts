// The examples of docs/shards.md: the workflow as GitHub's own parser reads it, the Job's command as a shell runs it; and that both have as many
// machines as they say.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { readShard, shardFolder } from '../../lib/shard.ts';
import { readWorkflow } from './workflow.ts';

const docs = join(import.meta.dirname, '../../docs');
const text = (name: string): string => readFileSync(join(docs, 'shards', name), 'utf8');

describe('docs/shards/github-actions.yml', () => {
  const workflow = text('github-actions.yml');
  const jobs = (parse(workflow) as { jobs: { shard: { strategy: { matrix: { shard: number[] }; 'fail-fast': boolean }; env: Record<string, string> }; whole: { needs: string; if: string } } }).jobs;
  it('has no fault, and serves no pull request', async () => {
    const { faults, template } = await readWorkflow('shards.yml', workflow);
    expect(faults).to.deep.equal([]);
    expect(template?.jobs.map(({ id }) => String(id))).to.deep.equal(['shard', 'whole']);
    expect(Object.keys(template?.events ?? {})).to.have.members(['schedule', 'workflow_dispatch']);
    expect(workflow).to.match(/^permissions:\n {2}contents: read\n\n/m).and.not.match(/\bwrite\b|secrets\./);
  });
  it('uses actions by their commit alone', () => {
    const uses = [...workflow.matchAll(/\buses: (\S+)/g)].map(([, action]) => action);
    expect(uses).to.have.length.greaterThan(4);
    expect(uses.filter((action) => !/^actions\/[\w-]+@[0-9a-f]{40}$/.test(action ?? ''))).to.deep.equal([]);
  });
  it('has each shard once, and a whole run that wants all, red ones too', () => {
    const { strategy, env } = jobs.shard;
    expect(strategy.matrix.shard).to.deep.equal(strategy.matrix.shard.map((_number, index) => index + 1));
    expect(strategy['fail-fast']).to.equal(false);
    expect(env).to.include({ FLOWPROOF_SHARD: '${{ matrix.shard }}/${{ strategy.job-total }}', FLOWPROOF_RUN_ID: '${{ github.run_id }}-${{ github.run_attempt }}' });
    expect(jobs.whole).to.include({ needs: 'shard', if: '${{ !cancelled() }}' });
    // What GitHub makes of the folder's name is the folder that the shard writes.
    const folder = /shards\/(\$FLOWPROOF_RUN_ID-\S+?)\/latest/.exec(workflow.replaceAll(/\$\{\{ (\S+) \}\}/g, '{$1}'))?.[1] ?? '';
    const [run, total] = ['81-1', String(strategy.matrix.shard.length)];
    const oneOf = readShard(`2/${total}`, run);
    expect(folder.replace('$FLOWPROOF_RUN_ID', run).replace('{matrix.shard}', '2').replace('{strategy.job-total}', total)).to.equal(oneOf === null ? '' : shardFolder(oneOf));
  });
  for (const [what, from, to] of [['a key that is none', 'fail-fast:', 'fail-fats:'], ['a context that is none', '${{ strategy.job-total }}', '${{ stratgy.job-total }}'], ['a job that is none', 'needs: shard', 'needs: shards']] as const)
    it(`${what} would be a fault`, async () => {
      expect(workflow).to.include(from);
      expect((await readWorkflow('shards.yml', workflow.replace(from, to))).faults).to.not.deep.equal([]);
    });
});

type Container = Readonly<{ command: string[]; args: string[]; env: readonly Readonly<{ name: string; value?: string; valueFrom?: unknown }>[]; volumeMounts: readonly Readonly<{ name: string }>[] }>;
type Job = Readonly<{ apiVersion: string; kind: string; spec: Readonly<{ completionMode: string; completions: number; parallelism: number; template: Readonly<{ spec: Readonly<{ restartPolicy: string; containers: readonly Container[]; volumes: readonly Readonly<{ name: string }>[] }> }> }> }>;

describe('docs/shards/kubernetes-job.yaml', () => {
  const { apiVersion, kind, spec } = parse(text('kubernetes-job.yaml')) as Job;
  const { restartPolicy, containers, volumes } = spec.template.spec;
  const [container] = containers as [Container];
  it('is an Indexed Job whose pods are not tried again', () => {
    expect({ apiVersion, kind, restartPolicy }).to.deep.equal({ apiVersion: 'batch/v1', kind: 'Job', restartPolicy: 'Never' });
    expect(spec).to.include({ completionMode: 'Indexed', parallelism: spec.completions, backoffLimitPerIndex: 0 });
    expect(container.env.find(({ name }) => name === 'SHARDS')?.value).to.equal(String(spec.completions));
    expect(container.env.find(({ name }) => name === 'FLOWPROOF_RUN_ID')?.valueFrom).to.deep.equal({ fieldRef: { fieldPath: "metadata.labels['batch.kubernetes.io/job-name']" } });
    expect(container.volumeMounts.map(({ name }) => name)).to.have.members(volumes.map(({ name }) => name));
  });

  /** The pod's command with an npm that says what it was asked for, `reports` being the volume. */
  const pod = (index: number, written: readonly number[], testCode: number): Readonly<{ status: number | null; said: string }> => {
    const scratch = mkdtempSync(join(tmpdir(), 'flowproof-pod-'));
    try {
      writeFileSync(join(scratch, 'npm'), `#!/bin/sh\necho "$FLOWPROOF_SHARD: npm $*" | sed "s#${scratch}/##g"\n[ "$1" != test ] || exit ${testCode}\nexit 3\n`, { mode: 0o755 });
      for (const number of written) {
        const oneOf = readShard(`${number}/${spec.completions}`, 'flowproof-x7k');
        const folder = join(scratch, 'shards', oneOf === null ? '' : shardFolder(oneOf), 'latest');
        mkdirSync(folder, { recursive: true });
        writeFileSync(join(folder, 'manifest.json'), '');
      }
      const env = { PATH: `${scratch}:${process.env.PATH}`, FLOWPROOF_REPORTS: scratch, FLOWPROOF_RUN_ID: 'flowproof-x7k', SHARDS: String(spec.completions), JOB_COMPLETION_INDEX: String(index) };
      const { status, stdout, stderr } = spawnSync('sh', [...container.command.slice(1), ...container.args], { encoding: 'utf8', env, timeout: 20_000 });
      return { status, said: stdout + stderr };
    } finally {
      rmSync(scratch, { recursive: true });
    }
  };
  it('asks each pod for its own shard, whose exit code is the pod\'s', () => {
    for (const code of [0, 1]) expect(pod(3, [], code)).to.deep.equal({ status: code, said: '4/5: npm test\n' });
  });
  it('merges in the first, whatever came of its own shard, once all reports are there', () => {
    const folders = [1, 2, 3, 4, 5].map((number) => `shards/flowproof-x7k-${number}-of-5/latest`).join(' ');
    for (const code of [0, 1]) expect(pod(0, [1, 2, 3, 4, 5], code)).to.deep.equal({ status: 3, said: `1/5: npm test\n1/5: npm run --silent reports -- merge ${folders}\n` });
  });
});

it('docs/shards.md names the files that there are', () => {
  const page = readFileSync(join(docs, 'shards.md'), 'utf8');
  expect([...page.matchAll(/\]\((\S+?)\)/g)].map(([, file]) => file)).to.have.members(['shards/github-actions.yml', 'shards/kubernetes-job.yaml']);
});
