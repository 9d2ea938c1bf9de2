// `node cli/start.mjs NAME …`: the command cli/NAME.ts, compiled where that can be kept, and by tsx where not. In this one process, which
// answers signals itself.
import { compiled } from './compiled.cjs';

const [node, , name, ...words] = process.argv;
const folder = compiled();
if (folder === null) (await import('tsx/esm/api')).register();
process.argv = [node, `cli/${name}`, ...words];
await import(folder === null ? `./${name}.ts` : `${folder}/cli/${name}.mjs`);
