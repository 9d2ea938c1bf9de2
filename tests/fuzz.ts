// `npm run fuzz`: the properties of the unit tests, each tried with fresh inputs for its share of the time.
// usage: npm run fuzz -- [--seconds N] [--seed S]
import { parseArgs } from 'node:util';
import { hostile } from './fixtures/hostile.ts';

function fail(message: string): never {
  console.error(`${message}\nusage: npm run fuzz -- [--seconds N] [--seed S]`);
  process.exit(2);
}

function told(): Readonly<{ seconds?: string; seed?: string }> {
  try {
    return parseArgs({ options: { seconds: { type: 'string' }, seed: { type: 'string' } } }).values;
  } catch (error) {
    return fail((error as Error).message);
  }
}

const { seconds = '60', seed = String(Date.now() % 2 ** 31) } = told();
if (!/^[1-9]\d{0,5}$/.test(seconds)) fail(`--seconds ${seconds}: a whole number, at least 1`);
if (!/^\d{1,10}$/.test(seed) || Number(seed) >= 2 ** 31) fail(`--seed ${seed}: a whole number below 2^31, as an earlier run has printed it`);

const properties = Object.entries(hostile).flatMap(([from, all]) => all.map((property) => ({ from, property })));
const milliseconds = (Number(seconds) * 1_000) / properties.length;
let [inputs, broken] = [0, 0];
for (const { from, property } of properties) {
  const begun = Date.now();
  let tried = 0;
  let counterexample: string | null = null;
  for (let next = Number(seed); counterexample === null && Date.now() - begun < milliseconds; next += 1) {
    const result = await property.attempt(next);
    tried += result.tried;
    counterexample = result.broken;
  }
  inputs += tried;
  broken += counterexample === null ? 0 : 1;
  console.log(`${String(tried).padStart(9)}  ${from}: ${property.name}${counterexample === null ? '' : `\nBROKEN: ${counterexample}\n`}`);
}
console.log(`fuzz: ${properties.length} properties, ${inputs} inputs, ${broken} broken (seed ${seed})`);
process.exitCode = broken === 0 ? 0 : 1;
