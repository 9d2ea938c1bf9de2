// Search over all cells; a cell opens to its evidence. Everything is set as text.
const { lines, cells } = JSON.parse(document.getElementById('data').textContent);
const [search, from, to, port, state, list, count] = ['search', 'from', 'to', 'port', 'state', 'list', 'count'].map((id) => document.getElementById(id));
const filters = [from, to, port, state];
const shown = 100;

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function entry([id, , , , cellState, indices]) {
  const item = document.createElement('li'), details = document.createElement('details'), summary = document.createElement('summary'), key = element('span', cellState);
  key.className = `key ${cellState}`;
  summary.append(key, ` ${id}`);
  details.append(summary);
  details.addEventListener('toggle', () => details.append(element('pre', indices.map((index) => lines[index]).join('\n'))), { once: true });
  item.append(details);
  return item;
}

function show() {
  const words = search.value.toLowerCase().split(/\s+/);
  const found = cells.filter(([id, ...cell]) => filters.every(({ value }, index) => value === '' || cell[index] === value) &&
    words.every((word) => id.toLowerCase().includes(word) || cell[4].some((index) => lines[index].toLowerCase().includes(word))));
  count.textContent = found.length > shown ? `${found.length} cells, the first ${shown} shown` : `${found.length} cells`;
  list.replaceChildren(...found.slice(0, shown).map(entry));
}

filters.forEach((filter, index) => {
  const all = element('option', 'all');
  all.value = '';
  filter.append(all, ...[...new Set(cells.map((cell) => cell[index + 1]))].map((value) => element('option', value)));
});
for (const field of [search, ...filters]) field.addEventListener('input', show);
search.form.addEventListener('submit', (event) => event.preventDefault());
for (const link of document.querySelectorAll('a[data-port]'))
  link.addEventListener('click', (event) => {
    event.preventDefault();
    [search.value, from.value, to.value, port.value, state.value] = ['', link.dataset.from, link.dataset.to, link.dataset.port, ''];
    show();
    search.focus();
    document.getElementById('cells').scrollIntoView();
  });
document.getElementById('cells').hidden = false;
show();
