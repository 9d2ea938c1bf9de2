// The manifest of a run's folder: the SHA-256 of each file, and of the manifest of the run before. Pure.
import { z } from 'zod';
import { sha256 } from '../hash.ts';

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'a plain file name is wanted');
const manifest = z.strictObject({ schema: z.literal(1), previous: z.strictObject({ folder: name, sha256: hash }).nullable(), files: z.record(name, hash) });
const pruned = z.strictObject({ schema: z.literal(1), runs: z.array(z.strictObject({ folder: name, sha256: hash })) });

export type Manifest = Readonly<z.infer<typeof manifest>>;
/** Runs that were removed, and the hash that the manifest of each had. */
export type Pruned = Readonly<z.infer<typeof pruned>>;

/** `hashes` by file name; `previous`: the run before, by its folder's name and its manifest as it stands; null for the first. */
export function makeManifest(hashes: ReadonlyMap<string, string>, previous: Readonly<{ folder: string; manifest: Buffer | string }> | null): string {
  const chained: Manifest = { schema: 1, previous: previous === null ? null : { folder: previous.folder, sha256: sha256(previous.manifest) }, files: Object.fromEntries(hashes) };
  return `${JSON.stringify(chained, null, 1)}\n`;
}

export const makePruned = (runs: Pruned['runs']): string => `${JSON.stringify({ schema: 1, runs } satisfies Pruned, null, 1)}\n`;

/** @throws Error that names the place */
export const readManifest = (text: string, file: string): Manifest => read(manifest, text, file);
/** @throws Error that names the place */
export const readPruned = (text: string, file: string): Pruned['runs'] => read(pruned, text, file).runs;

function read<T>(shape: z.ZodType<T>, text: string, file: string): T {
  try {
    return shape.parse(JSON.parse(text));
  } catch (error) {
    const [issue] = error instanceof z.ZodError ? error.issues : [];
    throw new Error(`${file}: ${issue === undefined ? `not JSON, cut or altered (${(error as Error).message})` : `$.${issue.path.join('.')}: ${issue.message}`}`, { cause: error });
  }
}

/** What is in the folder, by its hashes, against what the manifest says; it names neither itself nor its signature. */
export function compareFiles({ files }: Manifest, found: ReadonlyMap<string, string>): readonly string[] {
  const named = Object.entries(files).flatMap(([file, wanted]) => {
    const stands = found.get(file);
    if (stands === undefined) return [`${file}: named in manifest.json, and not there`];
    return stands === wanted ? [] : [`${file}: altered, its SHA-256 is ${stands}, manifest.json has ${wanted}`];
  });
  const strangers = [...found.keys()].filter((file) => !Object.hasOwn(files, file) && file !== 'manifest.json' && file !== 'manifest.json.sig').map((file) => `${file}: not in manifest.json`);
  return [...named, ...strangers];
}
