// `npm run schema`: writes inventory.schema.json, which editors complete inventory.json from.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inventorySchema } from '../lib/inventory.ts';
import { root } from '../lib/root.ts';

writeFileSync(join(root, 'inventory.schema.json'), `${JSON.stringify(inventorySchema(), null, 2)}\n`);
