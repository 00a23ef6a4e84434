// Script of the report: shows values under the pointer, for mouse, touch and keyboard. The report works without it.

/** The script. */
export const script = `
for (const box of document.querySelectorAll('.chart')) {
  const series = JSON.parse(box.dataset.chart);
  const plot = box.querySelector('.plot');
  const tip = box.appendChild(document.createElement('div'));
  const rule = box.appendChild(document.createElement('div'));
  tip.className = 'tip';
  rule.className = 'rule';
  tip.hidden = rule.hidden = true;
  const places = [...new Set(series.flatMap((s) => s.points.map((p) => p[0])))].sort((a, b) => a - b);
  let place = places.length;
  const nearest = (list, x) => list.reduce((a, b) => (Math.abs(b[0] - x) < Math.abs(a[0] - x) ? b : a));
  const hide = () => { tip.hidden = rule.hidden = true; };
  const show = (x) => {
    const gap = Math.max(0.02, 1 / places.length);
    const found = series.filter((s) => s.points.length).map((s) => [s, nearest(s.points, x)]);
    const close = found.filter(([, p]) => Math.abs(p[0] - x) <= gap);
    const rows = close.length ? close : [found.reduce((a, b) => (Math.abs(b[1][0] - x) < Math.abs(a[1][0] - x) ? b : a))];
    tip.textContent = '';
    tip.append('step ' + rows[0][1][2]);
    for (const [s, p] of rows) {
      const line = tip.appendChild(document.createElement('div'));
      const mark = line.appendChild(document.createElement('i'));
      mark.className = 'look' + s.look;
      line.append(s.name + ' ');
      line.appendChild(document.createElement('b')).textContent = p[3];
    }
    const area = plot.getBoundingClientRect();
    const left = area.left - box.getBoundingClientRect().left + rows[0][1][0] * area.width;
    tip.hidden = rule.hidden = false;
    rule.style.left = left + 'px';
    const room = box.clientWidth - tip.offsetWidth;
    tip.style.left = Math.max(0, Math.min(room, left < box.clientWidth / 2 ? left + 12 : left - tip.offsetWidth - 12)) + 'px';
  };
  box.tabIndex = 0;
  box.addEventListener('pointermove', (event) => {
    const area = plot.getBoundingClientRect();
    show(Math.max(0, Math.min(1, (event.clientX - area.left) / area.width)));
  });
  box.addEventListener('pointerleave', hide);
  box.addEventListener('blur', hide);
  box.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') hide();
    if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
    event.preventDefault();
    place = Math.max(0, Math.min(places.length - 1, place + (event.key === 'ArrowLeft' ? -1 : 1)));
    show(places[place]);
  });
}
`;

/** SHA-256 of the script for the content security policy of the page, which allows no other script. */
export const scriptHash = 'sha256-IHofJrCP5u3X1G0YXT7Vcbrbyjo+zhAca/oftzrehsk=';
