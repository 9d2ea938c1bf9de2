// Changes a text of JSON in the places that differ alone, so that its author's layout stays. Pure.
import { applyEdits, modify, type JSONPath, type ModificationOptions } from 'jsonc-parser';

const layout: ModificationOptions = { formattingOptions: { insertSpaces: true, tabSize: 2 } };

/** @returns the text that says `after`; the very same one where nothing differs */
export function edited(source: string, before: unknown, after: unknown, path: JSONPath = []): string {
  if (isSame(before, after)) return source;
  if (isRecord(before) && isRecord(after))
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].reduce((text, key) => edited(text, before[key], after[key], [...path, key]), source);
  if (!hasIds(before) || !hasIds(after)) return applyEdits(source, modify(source, path, after, layout));
  // From the end, so that the places before stay where they are.
  const gone = before.flatMap(({ id }, index) => (after.some((one) => one.id === id) ? [] : [index])).toReversed();
  let text = gone.reduce((rest, index) => applyEdits(rest, modify(rest, [...path, index], undefined, layout)), source);
  const left = before.filter((_item, index) => !gone.includes(index));
  for (const [index, item] of after.entries())
    text = index < left.length ? edited(text, left[index], item, [...path, index]) : applyEdits(text, modify(text, [...path, index], item, { ...layout, isArrayInsertion: true }));
  return text;
}

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value);
const hasIds = (value: unknown): value is readonly Readonly<{ id: unknown }>[] => Array.isArray(value) && value.every((item) => isRecord(item) && 'id' in item);
