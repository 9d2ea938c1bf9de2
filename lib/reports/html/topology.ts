// The site as a picture: a circle for each machine, an arrow for each from × to, in the colour of the worst cell on it. Pure.
import type { Finding, RunRecord } from '../../model.ts';
import { internet } from '../cells.ts';
import { list } from '../words.ts';
import { grouped } from '../../grouped.ts';
import { placesOf, stateOf, stateOfAll, type State } from './states.ts';
import { escaped } from './text.ts';

type Point = Readonly<{ x: number; y: number }>;
type Arrow = Readonly<{ from: string; to: string; state: State; cells: readonly Finding[] }>;

// All in units of the picture.
const width = 800, height = 560, radius = 46;
/** How far an arrow bends to its right, so that the one back does not lie on it. */
const bend = 34;
/** Letters that fit into a circle. */
const letters = 10;

const words: Readonly<Record<State, string>> = { fail: 'not as the matrix says', untold: 'could not be told', waived: 'waived', open: 'open as listed, the rest blocked', blocked: 'all blocked, as it should be' };
const drawn: readonly State[] = ['blocked', 'open', 'waived', 'untold', 'fail']; // the worst on top

export function topology(record: RunRecord): string {
  const placeOf = placesOf(record);
  const key = (finding: Finding): string => JSON.stringify([finding.flow.from, placeOf(finding).to]);
  const arrows = [...grouped(record.findings, key).values()].flatMap((cells): readonly Arrow[] => {
    const [first] = cells;
    const state = stateOfAll(cells);
    return first === undefined || state === null ? [] : [{ ...placeOf(first), state, cells }];
  });
  const names = [...new Set(arrows.flatMap(({ from, to }) => [from, to]))].toSorted((a, b) => Number(a === internet) - Number(b === internet));
  const at = new Map(names.map((name, index) => [name, onEllipse(index, names.length)]));
  const sorted = arrows.filter(({ from, to }) => from !== to).toSorted((a, b) => drawn.indexOf(a.state) - drawn.indexOf(b.state));
  const wrong = sorted.filter(({ state }) => state !== 'open' && state !== 'blocked').map(told);
  const alt = wrong.length === 0 ? 'Every arrow is as the matrix says.' : list(wrong, 12);
  return `<figure><div class="wide" tabindex="0" role="region" aria-label="Picture of the site"><svg class="topology" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(`Machines and the flows between them. ${alt}`)}">` +
    `<defs>${drawn.map(head).join('')}</defs>${sorted.map((arrow) => drawArrow(arrow, at)).join('')}${names.map((name) => circle(name, at.get(name))).join('')}</svg></div>` +
    `<figcaption>${drawn.toReversed().filter((state) => arrows.some((arrow) => arrow.state === state)).map((state) => `<span class="key ${state}">${words[state]}</span>`).join(' ')}</figcaption></figure>`;
}

function told({ from, to, state, cells }: Arrow): string {
  const count = cells.filter((finding) => stateOf(finding) === state).length;
  return `${from} to ${to}: ${count} of ${cells.length} cells ${words[state]}`;
}

function onEllipse(index: number, count: number): Point {
  const angle = -Math.PI / 2 + ((index + 0.5) / count) * 2 * Math.PI;
  return { x: width / 2 + (width / 2 - radius - 30) * Math.cos(angle), y: height / 2 + (height / 2 - radius - 8) * Math.sin(angle) };
}

const head = (state: State): string => `<marker id="head-${state}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="11" markerHeight="11" markerUnits="userSpaceOnUse" orient="auto"><path class="head ${state}" d="M0 0 8 4 0 8z"/></marker>`;

function drawArrow(arrow: Arrow, at: ReadonlyMap<string, Point>): string {
  const [start, end] = [at.get(arrow.from), at.get(arrow.to)];
  if (start === undefined || end === undefined) return '';
  const length = Math.hypot(end.x - start.x, end.y - start.y);
  const control = { x: (start.x + end.x) / 2 - (bend * (end.y - start.y)) / length, y: (start.y + end.y) / 2 + (bend * (end.x - start.x)) / length };
  const [tail, tip] = [towards(start, control, radius + 2), towards(end, control, radius + 3)];
  const count = arrow.cells.filter((finding) => stateOf(finding) === arrow.state).length;
  const middle = { x: (tail.x + 2 * control.x + tip.x) / 4, y: (tail.y + 2 * control.y + tip.y) / 4 };
  const label = arrow.state === 'open' || arrow.state === 'blocked' ? '' : `<text class="count ${arrow.state}" x="${round(middle.x)}" y="${round(middle.y)}">${count}</text>`;
  return `<g><title>${escaped(told(arrow))}</title><path class="arrow ${arrow.state}" marker-end="url(#head-${arrow.state})" d="M${pair(tail)}Q${pair(control)} ${pair(tip)}"/>${label}</g>`;
}

function circle(name: string, at: Point | undefined): string {
  if (at === undefined) return '';
  const short = [...name].length > letters ? `${[...name].slice(0, letters - 1).join('')}…` : name;
  return `<g><title>${escaped(name)}</title><circle class="${name === internet ? 'machine outside' : 'machine'}" cx="${round(at.x)}" cy="${round(at.y)}" r="${radius}"/><text class="name" x="${round(at.x)}" y="${round(at.y)}">${escaped(short)}</text></g>`;
}

function towards(from: Point, to: Point, distance: number): Point {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  return { x: from.x + ((to.x - from.x) * distance) / length, y: from.y + ((to.y - from.y) * distance) / length };
}

const round = (value: number): string => value.toFixed(1);
const pair = ({ x, y }: Point): string => `${round(x)} ${round(y)}`;
