// report.html with the page's own style and script, which lie beside this file.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Earlier } from '../../changes.ts';
import type { RunRecord } from '../../model.ts';
import { root } from '../../root.ts';
import { renderHtml } from './index.ts';

/** @throws where the style or the script cannot be read */
export function htmlFile(record: RunRecord, earlier: Earlier | null): string {
  return renderHtml(record, earlier, { style: asset('style.css'), script: asset('script.js') });
}

const asset = (name: string): string => readFileSync(join(root, 'lib/reports/html', name), 'utf8');
