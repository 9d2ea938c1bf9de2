// `npm run loss -- [RUNS] [--labs N] [--beside]`: no wrong verdict while a fifth of all packets is lost each way and every processor is
// busy. The truth is what a clean run says: of the intact lab, and of one with holes; the runs under loss take them in turns.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { exec } from '../../lab/exec.ts';
import { mustRun } from '../../lab/inside.ts';
import { lose, lost } from '../../lab/loss.ts';
import { vmbr1, wan } from '../../lab/topology.ts';
import { repository } from '../../lab/up.ts';
import { shareFile, sideBySide } from './apart.ts';
import { compare, neverEntered, showsNothing, type Compared } from './compare.ts';
import type { Cell, Ran } from './harness.ts';
import { makeHoles } from './holes.ts';
import { runOnce, series } from './series.ts';

const percentEachWay = 20;

/** Others make the machine busy, and our loops take no more than they leave. */
const isBeside = process.argv.includes('--beside');

type Run = Compared & Readonly<{ lab: Lab; seconds: number; dropped: number; measured: Ran['loss'] }>;
/** In turns; with holes first, since cells of that lab both pass and fail. */
const labs = ['holes', 'intact'] as const;
type Lab = (typeof labs)[number];

async function underLoss(count: number, stop: AbortSignal): Promise<boolean> {
  try {
    const truth = new Map<Lab, readonly Cell[]>();
    for (const lab of labs.slice(0, count)) truth.set(lab, await truthOf(lab, stop));
    if (!stop.aborted) await showLoss();
    const runs: Run[] = [];
    for (let number = 1; number <= count && !stop.aborted; number += 1) {
      const lab = labs[(number - 1) % labs.length] ?? 'holes';
      const run = await oneRun(lab, truth.get(lab) ?? [], stop);
      if (stop.aborted) break;
      runs.push(run);
      console.log(`run ${number} of ${count} (${lab}): ${lineOf(run)}`);
      for (const sentence of [...run.wrong.map((one) => `WRONG ${one}`), ...run.regraded.map((one) => `GRADE ${one}`)]) console.log(`    ${sentence}`);
    }
    return told(count, runs);
  } finally {
    await lose(0);
    await makeHoles(false);
  }
}

async function truthOf(lab: Lab, stop: AbortSignal): Promise<readonly Cell[]> {
  await lose(0);
  await makeHoles(lab === 'holes');
  const { cells, output } = await runOnce(stop, []);
  const of = (verdict: string): readonly Cell[] => cells.filter((cell) => cell.verdict === verdict);
  if (!stop.aborted && (of('inconclusive').length > 0 || (of('fail').length > 0) !== (lab === 'holes') || cells.length === 0)) throw new Error(`the clean run of the lab (${lab}) is no truth:\n${output}`);
  console.log(`truth (${lab}): ${cells.length} cells, ${of('pass').length} pass, ${of('fail').length} fail`);
  for (const { id, reason } of of('fail')) console.log(`    ${id}: ${reason}`);
  return cells;
}

/** By ping, for which the firewalls are opened; the loss of a way and back is 1 - 0.8². */
async function showLoss(): Promise<void> {
  for (const [machine, chain] of [['mesh', 'output'], ['joi', 'input']] as const) await exec(machine, ['nft', `insert rule inet filter ${chain} icmp type echo-request accept`]);
  await lose(percentEachWay);
  for (const [network, address] of [['vmbr1', vmbr1.joi], ['wan', wan.internet]] as const) {
    const said = await mustRun('mesh', ['ping', '-q', '-c', '1000', '-i', '0.01', '-W', '1', address]);
    console.log(`ping on ${network}: ${/\d+ packets transmitted.*% packet loss/.exec(said)?.[0]}`);
  }
}

async function oneRun(lab: Lab, truth: readonly Cell[], stop: AbortSignal): Promise<Run> {
  await lose(0);
  await makeHoles(lab === 'holes');
  await lose(percentEachWay);
  const began = Date.now();
  const load = Array.from({ length: availableParallelism() }, () => spawn('nice', ['-n', isBeside ? '19' : '0', ...loop], { stdio: 'ignore' }));
  try {
    const ran = await runOnce(stop, []);
    const { frames, dropped } = await lost();
    return { lab, ...compare(truth, ran.cells, ran.blind), seconds: Math.round((Date.now() - began) / 100) / 10, dropped: dropped / frames, measured: ran.loss };
  } finally {
    for (const one of load) one.kill();
  }
}

/** One processor at work, for as long as the longest run at most. `timeout` passes its own end on to the loop. */
const loop = ['timeout', '300', 'sh', '-c', 'while :; do :; done'] as const;

const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;

function lineOf({ cells, seconds, wrong, regraded, inconclusive, dropped, measured }: Run): string {
  const found = measured === null ? 'no loss measured' : `${measured.missed} of ${measured.roundTrips} round trips missed, ${measured.extraTries} extra tries`;
  return `${cells} cells, ${seconds} s, ${wrong.length} wrong, ${regraded.length} regraded, ${inconclusive.length} inconclusive (${percent(inconclusive.length / cells)}); ${percent(dropped)} of the frames dropped, ${found}`;
}

function told(count: number, runs: readonly Run[]): boolean {
  if (runs.length === 0) return false;
  const sum = (of: (run: Run) => number): number => runs.reduce((total, run) => total + of(run), 0);
  const cells = sum((run) => run.cells);
  const wrong = runs.flatMap((run) => run.wrong);
  const regraded = runs.flatMap((run) => run.regraded);
  const doubts = new Map<string, number>();
  for (const reason of runs.flatMap((run) => run.inconclusive.map((one) => one.replace(/^.*?: /, '')))) doubts.set(reason, (doubts.get(reason) ?? 0) + 1);
  const never = neverEntered(runs);
  const empty = runs.filter(showsNothing);
  const passesWrong = wrong.filter((one) => one.includes(': pass, is fail')).length;
  const failsWrong = wrong.filter((one) => one.includes(': fail, is pass')).length;
  console.log(['',
    ...[...doubts].toSorted(([, a], [, b]) => b - a).slice(0, 10).map(([reason, times]) => `inconclusive ${times} times: ${reason}`),
    `${runs.length} of ${count} runs, ${cells} cells judged`,
    `machines not entered ${sum((run) => run.blind.length)} times${never.length === 0 ? '' : `, of which NEVER: ${never.join(', ')}`}`,
    ...(empty.length === 0 ? [] : [`MORE DOUBT THAN VERDICTS in ${empty.length} runs, which show nothing`]),
    `wrong verdicts ${wrong.length}: passes where fail is true ${passesWrong}, fails where pass is true ${failsWrong}, cells not as they are ${wrong.length - passesWrong - failsWrong}`,
    `grades changed with no cause named ${regraded.length}`,
    `inconclusive ${percent(sum((run) => run.inconclusive.length) / cells)}`,
    `loss measured by the runs ${percent(sum((run) => run.measured?.missed ?? 0) / Math.max(1, sum((run) => run.measured?.roundTrips ?? 0)))} of round trips; injected ${percentEachWay} % each way (${percent(1 - (1 - percentEachWay / 100) ** 2)} of round trips), ` +
      `counted ${percent(sum((run) => run.dropped) / runs.length)} of frames`,
  ].join('\n'));
  writeFileSync(shareFile() ?? join(repository, 'reports/loss.json'), `${JSON.stringify({ asked: count, percentEachWay, cells, wrong, regraded, doubts: Object.fromEntries(doubts), runs }, null, 1)}\n`);
  return runs.length === count && wrong.length === 0 && regraded.length === 0 && empty.length === 0 && never.length === 0;
}

/** Most of a run is waiting for what was lost. */
async function apartUnderLoss(count: number, most: number): Promise<boolean> {
  const sharers = Math.min(most, count);
  const shares = Array.from({ length: sharers }, (_none, index) => [String(Math.floor((count + index) / sharers)), ...(isBeside ? ['--beside'] : [])]);
  return told(count, (await sideBySide<{ runs: readonly Run[] }>(import.meta.filename, 'loss', shares)).flatMap(({ runs }) => runs));
}

await series('loss', 50, underLoss, apartUnderLoss, { words: process.argv.slice(2).filter((word) => word !== '--beside'), usage: ' [--beside]', about: '; --beside others, which make the machine busy' });
