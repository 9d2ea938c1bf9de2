// The same command in several labs side by side: each does its share and leaves its results in a file of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { apart } from '../../lab/apart.ts';
import { repository } from '../../lab/up.ts';

const signals = ['SIGINT', 'SIGTERM'] as const;

/** The file that a share's results are wanted in; undefined: it is no share, but all. */
export const shareFile = (): string | undefined => process.env['FLOWPROOF_SHARE'];

/**
 * Starts `script` once a lab; what they print comes with the lab's number before it.
 * @param argvs a lab's words each
 * @returns the results of each, as it left them
 */
export async function sideBySide<T>(script: string, name: string, argvs: readonly (readonly string[])[]): Promise<readonly T[]> {
  const files = argvs.map((_argv, index) => join(repository, `reports/${name}-${index + 1}.json`));
  await Promise.all(argvs.map(async (argv, index) => {
    const file = files[index] ?? '';
    rmSync(file, { force: true });
    const [command = '', ...rest] = apart([process.execPath, '--import', 'tsx', script, ...argv]);
    const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, FLOWPROOF_SHARE: file } });
    for (const stream of [child.stdout, child.stderr]) createInterface(stream).on('line', (line) => console.log(`${index + 1}| ${line}`));
    for (const signal of signals) process.on(signal, () => child.kill(signal));
    await once(child, 'close');
  }));
  return files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as T);
}
