// What comes from outside may be anything: each property, tried some times. `npm run fuzz` tries the same ones for long.
import { expect } from 'chai';
import { hostile } from '../fixtures/hostile.ts';

for (const [from, properties] of Object.entries(hostile))
  describe(`hostile: ${from}`, () => {
    for (const { name, attempt } of properties)
      it(name, async () => {
        const { broken } = await attempt();
        expect(broken, broken ?? '').to.equal(null);
      });
  });
