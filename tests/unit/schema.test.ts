// inventory.schema.json: as `npm run schema` writes it today, and to an editor's reader what the parser is to us.
import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { expect } from 'chai';
import { inventorySchema } from '../../lib/inventory.ts';
import { shipped } from '../fixtures/site.ts';

const committed = readFileSync(new URL('../../inventory.schema.json', import.meta.url), 'utf8');
// Formats stand beside patterns that say the same.
const validate = new Ajv({ allErrors: true, strict: true, validateFormats: false }).compile(JSON.parse(committed) as object);
type Whole = { $schema?: string; matrix: { flows: Record<string, unknown>[] }; site: Record<string, unknown>; waivers?: unknown; wavers?: unknown };
/** Where the schema finds fault with the shipped inventory after a change. */
function faults(change: (whole: Whole) => void): readonly string[] {
  const whole = JSON.parse(shipped) as Whole;
  change(whole);
  validate(whole);
  return (validate.errors ?? []).map(({ instancePath }) => instancePath);
}

describe('the schema', () => {
  it('in the file is the one of the source; else: npm run schema', () => expect(JSON.parse(committed)).to.deep.equal(inventorySchema()));
  it('finds no fault with the shipped inventory, which names it', () => {
    expect(faults(() => undefined)).to.deep.equal([]);
    expect((JSON.parse(shipped) as Whole).$schema).to.equal('./inventory.schema.json');
  });
  const waiver = { cells: 'joi -> *', reason: 'why', acceptedBy: 'who', until: '2027-01-31' };
  it('finds none with waivers and ends', () => expect(faults((whole) => Object.assign(whole, { waivers: [waiver] }) && Object.assign(whole.matrix.flows[7] ?? {}, { until: '2028-02-29' }))).to.deep.equal([]));
  const rows: readonly (readonly [sentence: string, change: (whole: Whole) => void, path: string])[] = [
    ['an unknown key', (whole) => Object.assign(whole, { wavers: [] }), ''],
    ['a port above 65535', (whole) => Object.assign(whole.matrix.flows[0] ?? {}, { ports: [65536] }), '/matrix/flows/0/ports/0'],
    ['a day that there is not', (whole) => Object.assign(whole, { waivers: [{ ...waiver, until: '2027-02-29' }] }), '/waivers/0/until'],
    ['a waiver of everything', (whole) => Object.assign(whole, { waivers: [{ ...waiver, cells: '*' }] }), '/waivers/0/cells'],
    ['a family that there is not', (whole) => Object.assign(whole.site, { without: ['source ports'] }), '/site/without/0'],
    ['a key left out', (whole) => Reflect.deleteProperty(whole.matrix.flows[0] ?? {}, 'purpose'), '/matrix/flows/0'],
  ];
  for (const [sentence, change, path] of rows) it(`finds fault with ${sentence}`, () => expect(faults(change)).to.deep.equal([path]));
});
