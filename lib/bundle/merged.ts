// What a merged run keeps of its shards: the manifest of each, and its signature, which hold for the evidence as the shard wrote it. Pure but
// for signerOf, which reads the folder.
import { sha256, sha256Of } from '../hash.ts';
import type { RunRecord } from '../model.ts';
import { jsonPieces } from '../reports/json.ts';
import { rejudge } from '../rejudge.ts';
import { shardName } from '../shard.ts';
import type { readParts } from './evidence.ts';
import { readManifest } from './manifest.ts';
import { recordOf, wholeRecordOf } from './record.ts';
import { signerOf } from './sign.ts';

type Files = ReadonlyMap<string, Buffer | string>;
type Read = ReturnType<typeof readParts>;
type Verified = Readonly<{ differences: readonly string[]; notes: readonly string[] }>;

/** The name under which a shard's manifest stands in the merged run's folder; its signature has `.sig` behind it. */
export const shardManifest = (number: number): string => `shard-${number}.manifest.json`;

/** Every shard's evidence is rebuilt from the merged file, held to its manifest and judged again, and the whole is merged again. */
export function verifyMerged(folder: string, files: Files, read: Read, signers: string | null): Verified {
  const notes: string[] = [];
  const differences = read.parts.flatMap((part) => {
    if (part.shard === null) return [];
    // One machine's batches have left nothing of their own: the run's manifest holds them.
    if (read.kind === 'batches') return rejudge(part).map((line) => `batch ${part.shard?.number}/${part.shard?.of}: ${line}`);
    const name = shardName(part.shard);
    const file = shardManifest(part.shard.number);
    const manifest = files.get(file);
    if (manifest === undefined) return [`${file}: not there; nothing holds ${name} to what it left`];
    const own = readManifest(manifest.toString(), file).files['evidence.json'];
    if (signers !== null && files.has(`${file}.sig`)) notes.push(`${name} signed by ${signerOf(folder, signers, file)}`);
    return [...(own === evidenceHash(recordOf(part)) ? [] : [`${name}: its evidence is not what ${file} has the SHA-256 of`]), ...rejudge(part).map((line) => `${name}: ${line}`)];
  });
  if (differences.length > 0) return { differences, notes };
  return { differences: evidenceHash(wholeRecordOf(read)) === sha256(files.get('evidence.json') ?? '') ? [] : [`evidence.json: not what its ${read.kind} make when they are merged`], notes };
}

/** Of the evidence.json that the record makes. */
const evidenceHash = (record: RunRecord): string => sha256Of(jsonPieces(record));
