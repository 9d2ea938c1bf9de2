// `npm run schema`: writes inventory.schema.json, which editors complete inventory.json from.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inventorySchema } from '../lib/inventory.ts';

writeFileSync(join(import.meta.dirname, '../inventory.schema.json'), `${JSON.stringify(inventorySchema(), null, 2)}\n`);
