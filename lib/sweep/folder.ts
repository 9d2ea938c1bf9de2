// A sweep's folder under reports/: what has been found so far, a line a unit, so that it can be gone on with; and what came of it in the end.
import { appendFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { sha256 } from '../hash.ts';
import type { Pair, Phase, UnitResult } from '../model.ts';
import { UsageError } from './options.ts';
import type { Range } from './units.ts';

const text = z.string();
const count = z.int();
const header = z.strictObject({ schema: z.literal(1), plan: text, startedAt: text });
const port = z.strictObject({ port: count, result: z.enum(['fail', 'inconclusive']), reason: text });
const bound = z.strictObject({ most: count, of: count }).optional();
const bounds = z.strictObject({ conntrack: bound, descriptors: bound, processes: bound });
const unitResult = z.strictObject({
  pair: text, first: count, last: count, passed: z.record(text, count), open: z.array(count), red: z.array(port), more: count, told: z.array(port).default([]), packets: count, ms: z.number(), bounds: z.record(text, bounds).default({}),
});

const fileIn = (folder: string): string => join(folder, 'sweep.jsonl');

export type Progress = Readonly<{ plan: string; startedAt: string; results: readonly UnitResult[] }>;

/** So long after its beginning a sweep may be gone on with: what it found is told as one state of the firewalls. */
const goesOnForHours = 24;

/**
 * What an earlier sweep has found. A last line that is cut off was not finished, and what could not be told is no result: those are swept anew.
 * @throws UsageError on any other line that is none of a sweep, and where it was begun too long ago; an Error where there is no such file
 */
export function readProgress(folder: string, now = new Date()): Progress {
  const [first = '', ...rest] = readFileSync(fileIn(folder), 'utf8').split('\n').slice(0, -1);
  const parsed = <T>(schema: z.ZodType<T>, line: string, index: number): T => {
    try {
      return schema.parse(JSON.parse(line));
    } catch (error) {
      throw new UsageError(`${fileIn(folder)}, line ${index + 1}: no line of a sweep (${(error as Error).message.split('\n')[0]}). Nothing was sent: begin a new sweep`);
    }
  };
  const { plan, startedAt } = parsed(header, first, 0);
  if (!(now.getTime() - new Date(startedAt).getTime() < goesOnForHours * 3_600_000)) throw new UsageError(`${folder} was begun at ${startedAt}, more than ${goesOnForHours} hours ago: what it found then says nothing of today's firewalls. Nothing was sent: begin a new sweep`);
  const results = rest.map((line, index) => parsed(unitResult, line, index + 1));
  return { plan, startedAt, results: results.filter(({ red }) => red.every(({ result }) => result === 'fail')) };
}

/** What a sweep is of: another of these is another sweep. */
export type Of = Readonly<{ inventory: string; phase: Phase; rate: number; ports: Range; pairs: readonly Pair[] }>;

export function planHash({ inventory, phase, rate, ports, pairs }: Of): string {
  return sha256(JSON.stringify([sha256(inventory), phase, rate, ports, pairs.map(({ id, address, named }) => [id, address, named])]));
}

/** Makes the folder and its first line. */
export function beginProgress(folder: string, plan: string, startedAt: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(fileIn(folder), `${JSON.stringify({ schema: 1, plan, startedAt })}\n`);
}

export function noteResult(folder: string, result: UnitResult): void {
  appendFileSync(fileIn(folder), `${JSON.stringify(result)}\n`);
}

/** Puts a whole file in its place, or leaves what was there. */
export function put(folder: string, name: string, content: string): void {
  writeFileSync(join(folder, `${name}.part`), content);
  renameSync(join(folder, `${name}.part`), join(folder, name));
}
