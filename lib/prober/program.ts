// What is carried to a host: a prober, put together from its parts in their order.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../root.ts';

/** Each part may use what those before it have defined when it is read, and all of them later on. */
export const parts = {
  python: ['loop.py', 'task.py', 'look.py', 'stream.py', 'datagram.py', 'packet.py', 'raw.py', 'frame.py', 'sweep.py', 'sweeps.py', 'listen.py', 'halves.py', 'conntrack.py', 'facts.py', 'command.py', 'start.py'],
  shell: ['engine.sh', 'words.sh', 'knock.sh', 'look.sh', 'sweep.sh', 'facts.sh', 'configuration.sh', 'witness.sh', 'commands.sh'],
} as const;

const read = (folder: keyof typeof parts, part: string): string => readFileSync(join(root, 'lib/prober', folder, part), 'utf8');
const text = (folder: keyof typeof parts): string => parts[folder].map((part) => read(folder, part)).join('\n');
/** Asking for the configuration is a shell's work in both; what JSON writes of plain ASCII is a string for python as well. */
const configuration = (): string => `CONFIGURATION = ${JSON.stringify(read('shell', 'configuration.sh'))}\n`;

/** For python exactly its bytes, whose number the far end must know; for sh with the end mark that it reads up to. */
export function program(kind: 'python' | 'sh'): Buffer {
  return Buffer.from(kind === 'python' ? configuration() + text('python') : `${text('shell')}#END\n`);
}
