// Search over all cells; a cell opens to its evidence. Everything is set as text.
const cells = JSON.parse(document.getElementById('data').textContent);
const search = document.getElementById('search'), verdict = document.getElementById('verdict'), list = document.getElementById('list');
const shown = 200;

function entry([id, expected, row, result, reason, grade, controls, replies]) {
  const item = document.createElement('li'), details = document.createElement('details'), summary = document.createElement('summary'), evidence = document.createElement('pre');
  summary.textContent = `${result}: ${id}`;
  evidence.textContent = [`expected ${expected}, by row ${row}`, grade ? `${reason} (${grade})` : reason, ...controls, ...replies.map((reply) => JSON.stringify(reply))].join('\n');
  details.append(summary, evidence);
  item.append(details);
  return item;
}

function show() {
  const words = search.value.toLowerCase().split(/\s+/);
  const found = cells.filter(([id, , row, result, reason]) => (!verdict.value || result === verdict.value) && words.every((word) => `${id} ${row} ${reason}`.toLowerCase().includes(word)));
  document.getElementById('count').textContent = found.length > shown ? `${found.length} cells, the first ${shown} shown` : `${found.length} cells`;
  list.replaceChildren(...found.slice(0, shown).map(entry));
}

search.addEventListener('input', show);
verdict.addEventListener('change', show);
document.getElementById('cells').hidden = false;
show();
