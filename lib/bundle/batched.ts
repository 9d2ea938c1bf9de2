// evidence.json of a run in batches, read a batch at a time: whole, that of a hundred hosts is about as long as a string can be (V8: 512 MB). It
// goes by the lines that reports/json.ts writes; a file with others is none that such a run left.
import { closeSync, openSync, readSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { CellState } from '../changes.ts';
import { leaning } from '../lean.ts';
import type { Account, RunRecord } from '../model.ts';
import { rejudge } from '../rejudge.ts';
import { linesOf } from '../reports/file.ts';
import { headOf, renderJson } from '../reports/json.ts';
import { makeSpool } from '../reports/spool.ts';
import { EvidenceError, readCells, readEvidence } from './evidence.ts';
import { mergeBatches } from './batches.ts';
import type { Looked } from './merge.ts';
import { recordOf } from './record.ts';

/** In bytes from the file's begin; `end` is behind the last. */
type Range = Readonly<{ begin: number; end: number }>;
/** `head`: its first lines, up to the cells; these by source, and what stands behind each batch. */
export type Batches = Readonly<{ file: string; head: string; sources: ReadonlyMap<string, Range>; parts: readonly Range[] }>;

const headLines = 3;
const between = '"controls":[],\n"account":null,\n"parts":[';

/** Where things are in the file; null: it is of no run in batches, or not as such a run left it. @throws where it cannot be read */
export function batchesIn(file: string): Batches | null {
  const head: string[] = [];
  const sources = new Map<string, Range>();
  const middle: string[] = [];
  const parts: Range[] = [];
  let at = 0;
  for (const line of linesOf(file)) {
    const range = { begin: at, end: at + Buffer.byteLength(line) + 1 };
    at = range.end;
    if (head.length <= headLines) {
      head.push(line);
      if (head.length === 2 && !line.includes('"shards":null')) return null;
      continue;
    }
    const source = parts.length > 0 ? undefined : /^\{"id":"(?:[^"\\]|\\.)*","from":("(?:[^"\\]|\\.)*").*\}\]?,$/.exec(line)?.[1];
    if (source !== undefined && middle.length === 0) {
      const name = JSON.parse(source) as string;
      const known = sources.get(name);
      if (known !== undefined && known.end !== range.begin) return null;
      sources.set(name, { begin: known?.begin ?? range.begin, end: range.end });
    } else if (line.startsWith('{"run":')) parts.push(range);
    else if (parts.length === 0) middle.push(line);
    else parts.push({ begin: parts.pop()?.begin ?? 0, end: range.end });
  }
  return head.at(-1) === '"flows":[' && middle.join('\n') === between && parts.length > 0 ? { file, head: head.slice(0, headLines).join('\n'), sources, parts } : null;
}

/** The evidence.json that each batch would have left by itself, as a shard does. */
export function* textsOf({ file, sources, parts }: Batches): Generator<string> {
  for (const range of parts) {
    const [run = '', takeover = '', ...behind] = read(file, range).replace(/(?:,|\]\})\n$/, '').split('\n');
    const { shard } = (JSON.parse(`${run.replace(/,$/, '')}}`) as { run: RunRecord['run'] }).run;
    const own = [...sources].filter(([source]) => shard?.sources.includes(source));
    const cells = own.map(([, of]) => read(file, of).replace(/\]?,\n$/, '')).join(',\n');
    yield `{"schema":1,\n${run.slice(1)}\n${takeover}\n"flows":[${cells === '' ? '' : '\n'}${cells}],\n${behind.join('\n')}\n`;
  }
}

function read(file: string, { begin, end }: Range): string {
  const bytes = Buffer.alloc(end - begin);
  const from = openSync(file, 'r');
  try {
    for (let done = 0; done < bytes.length; ) {
      const length = readSync(from, bytes, done, bytes.length - done, begin + done);
      if (length === 0) throw new EvidenceError(`${file}: cut while it was read`);
      done += length;
    }
  } finally {
    closeSync(from);
  }
  return bytes.toString();
}

type Verified = Readonly<{ differences: readonly string[]; cells: readonly CellState[]; inventoryHashes: readonly string[] }>;

/**
 * Every batch judged again and held to its own bytes, and the whole to what its batches make.
 * @returns one line for each difference; what the file says of each cell, in the order of the batches
 * @throws EvidenceError, MergeError
 */
export function verifyBatches(batches: Batches, name: string): Verified {
  const lean = leaning();
  const [differences, cells, hashes, looked]: [string[], CellState[], string[], Looked[]] = [[], [], [], []];
  let inventory: Account['inventory'] | null = null;
  for (const text of textsOf(batches)) {
    const batch = `batch ${looked.length + 1}/${batches.parts.length}`;
    const evidence = readEvidence(text, `${name}, ${batch}`);
    const { run, findings, ...rest } = recordOf(evidence);
    const lines = rejudge(evidence);
    const bytes = lines.length > 0 || renderJson({ run, findings, ...rest }) === text ? [] : ['its evidence is not what it makes when it is judged again'];
    differences.push(...[...lines, ...bytes].map((line) => `${batch}: ${line}`));
    cells.push(...readCells(text, name).cells);
    hashes.push(evidence.inventoryHash);
    inventory ??= evidence.account.inventory;
    if (run.shard !== null) looked.push({ run: { ...run, shard: run.shard }, findings: findings.map(lean) });
  }
  const verified = { cells, inventoryHashes: hashes };
  if (differences.length > 0 || inventory === null) return { ...verified, differences };
  const whole = mergeBatches(looked, inventory);
  const isWhole = batches.head === `{"schema":1,\n${headOf(whole)},` && isDeepStrictEqual([...batches.sources.keys()], [...new Set(whole.findings.map(({ flow }) => flow.from))]);
  return { ...verified, differences: isWhole ? [] : ['evidence.json: not what its batches make when they are merged'] };
}

/**
 * The record that the run's reports were made from, on the disk again. Of evidence that comes out as it stands when it is judged again.
 * @param parent where the reports made again will be
 */
export function recordIn(batches: Batches, parent: string, name: string): RunRecord {
  const lean = leaning();
  const looked: Looked[] = [];
  const spool = makeSpool(parent, [...batches.sources.keys()]);
  let inventory: Account['inventory'] | null = null;
  for (const text of textsOf(batches)) {
    const evidence = readEvidence(text, name);
    const record = recordOf(evidence);
    spool.add(record);
    inventory ??= evidence.account.inventory;
    const { shard } = record.run;
    if (shard !== null) looked.push({ run: { ...record.run, shard }, findings: record.findings.map(lean) });
  }
  if (inventory === null) throw new EvidenceError(`${name}: no batch is there`);
  return { ...mergeBatches(looked, inventory), spooled: spool };
}
