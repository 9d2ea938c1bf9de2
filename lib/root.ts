// Where the project's files are: what is carried to a host, or into a report, is read from there, wherever the code itself was compiled to.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

const above = (folder: string): string => (existsSync(join(folder, 'package.json')) ? folder : above(dirname(folder)));

export const root = above(import.meta.dirname);
