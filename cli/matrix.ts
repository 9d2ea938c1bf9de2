// `npm run matrix`: the document beside the inventory.
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parseInventory } from '../lib/inventory.ts';
import { compare } from '../lib/matrix/compare.ts';
import { contradictions } from '../lib/matrix/contradictions.ts';
import { readDocument, type Document, type Note } from '../lib/matrix/document.ts';
import { edited } from '../lib/matrix/edit.ts';
import { exportMatrix } from '../lib/matrix/export.ts';
import { importDocument } from '../lib/matrix/import.ts';
import { printable } from '../lib/reports/console.ts';

const usage = `usage: npm run matrix -- check FILE.md | import FILE.md | export   [--inventory FILE.json]
  check    names what differs between the document and the inventory; exit code 1 if anything does
  import   writes the document's hosts and flows into the inventory
  export   prints the inventory's matrix as Markdown
  --inventory  another one than FLOWPROOF_INVENTORY, or inventory.json`;

class Refusal extends Error {}
const say = (line: string): void => console.log(printable(line));

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Refusal(`${file}: cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
}

function documentOf(file: string): Document {
  const document = readDocument(read(file));
  if (document.faults.length > 0) throw new Refusal(document.faults.map(({ line, text }) => `${file}:${line}: ${text}`).join('\n'));
  return document;
}

const at = (file: string, { line, text }: Note): string => (line === 0 ? `${file}: ${text}` : `${file}:${line}: ${text}`);

function check(file: string, inventory: string): number {
  const document = documentOf(file);
  const differences = [...document.unread, ...compare(document, parseInventory(read(inventory), inventory))];
  for (const note of differences) say(at(file, note));
  for (const note of contradictions(document)) say(`${at(file, note)} (a contradiction in the document itself, no difference)`);
  say(differences.length === 0 ? `${file} and ${inventory} say the same` : `${differences.length} differences between ${file} and ${inventory}`);
  return differences.length === 0 ? 0 : 1;
}

function bringIn(file: string, into: string): number {
  const document = documentOf(file);
  const before = existsSync(into) ? read(into) : null;
  const base = before === null ? null : parseInventory(before, into);
  const { inventory, told } = importDocument(document, base);
  const after = before === null || base === null ? `${JSON.stringify(inventory, null, 2)}\n` : edited(before, JSON.parse(before), inventory);
  parseInventory(after, `${into}, as ${file} would make it`);
  if (after !== before) replace(into, after);
  for (const line of told) say(line);
  say(after === before ? `${into} says all of it already` : `${into} written`);
  return 0;
}

/** All of it or nothing. */
function replace(file: string, text: string): void {
  const part = `${file}.${randomUUID()}.part`;
  try {
    writeFileSync(part, text);
    renameSync(part, file);
  } catch (error) {
    throw new Refusal(`${file}: cannot be written (${(error as NodeJS.ErrnoException).code ?? 'unknown'}); it is as it was`);
  } finally {
    rmSync(part, { force: true });
  }
}

function main(): number {
  const { values, positionals: [command, file, ...more] } = parseArgs({ allowPositionals: true, options: { inventory: { type: 'string' } } });
  const inventory = values.inventory ?? process.env['FLOWPROOF_INVENTORY'] ?? 'inventory.json';
  if (more.length > 0) throw new Refusal(`one file at a time\n${usage}`);
  if (command === 'export' && file === undefined) {
    process.stdout.write(exportMatrix(parseInventory(read(inventory), inventory)));
    return 0;
  }
  if (command === 'check' && file !== undefined) return check(file, inventory);
  if (command === 'import' && file !== undefined) return bringIn(file, inventory);
  throw new Refusal(usage);
}

try {
  process.exitCode = main();
} catch (error) {
  const known = error instanceof Refusal || (error as Error).name === 'InventoryError' || (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS') === true;
  console.error(known ? `matrix: ${(error as Error).message.split('\n').map(printable).join('\n')}` : error);
  process.exitCode = 2;
}
