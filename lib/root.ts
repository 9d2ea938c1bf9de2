// Where the project's files are: what is carried to a host, or into a report, is read from there, wherever the code itself was compiled to.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

function above(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  if (dirname(folder) === folder) throw new Error(`no package.json above ${import.meta.dirname}: the project's own files are not there`);
  return above(dirname(folder));
}

export const root = above(import.meta.dirname);
