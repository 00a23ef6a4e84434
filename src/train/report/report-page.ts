// The page of a report: one HTML file with its script and style sheet. The script shows values under the
// pointer, for mouse, touch and keyboard; the report works without it. Colour is never the only difference:
// lines have their own strokes, marks their own shapes.

import { Html, html, type Part } from './markup.ts';

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

/** The style sheet. */
export const style = `
:root {
  color-scheme: light dark;
  --page: #f6f5f1; --card: #fffefb; --ink: #1d2129; --soft: #5b6270; --line: #e3e0d8; --fill: #efece4;
  --c1: #2a5bd7; --c2: #b4500b; --c3: #0b7a6b; --c4: #7b3fb5; --good: #1a6e3c; --bad: #a8321e; --tint: #f9e3dd;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #121419; --card: #1a1d24; --ink: #e8e9ed; --soft: #9ba3b1; --line: #2d323d; --fill: #242933;
    --c1: #82a9ff; --c2: #f0a35e; --c3: #52cdb8; --c4: #c39bf5; --good: #6fce94; --bad: #ff9a86; --tint: #45241f;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; padding: 0 20px 64px; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif;
}
main, header, footer { max-width: 1040px; margin: 0 auto; }
header { padding: 40px 0 8px; }
.brand { display: flex; align-items: center; gap: 9px; margin: 0; color: var(--soft); font-size: 14px; letter-spacing: .02em; }
.brand svg { width: 22px; height: 22px; }
.brand .warp { stroke: var(--c1); } .brand .weft { stroke: var(--c2); }
h1 { margin: 14px 0 4px; font-size: clamp(26px, 5vw, 38px); line-height: 1.15; letter-spacing: -.02em; overflow-wrap: anywhere; }
h2 { margin: 44px 0 14px; font-size: 21px; letter-spacing: -.01em; }
h3 { margin: 0; font-size: 15px; }
p { margin: 0; } .lead, .hint { color: var(--soft); } .hint { font-size: 14px; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 18px 20px; min-width: 0; }
.figures { display: flex; flex-wrap: wrap; gap: 12px; margin: 26px 0 0; }
.figures .card { flex: 1 1 168px; display: flex; flex-direction: column-reverse; justify-content: flex-end; padding: 14px 16px; }
.figures dt { color: var(--soft); font-size: 13px; line-height: 1.35; }
.figures dd { margin: 0; font-size: 25px; line-height: 1.3; font-weight: 640; letter-spacing: -.02em; font-variant-numeric: tabular-nums; }
.figures .main { flex: 2 1 340px; background: var(--c1); border-color: var(--c1); color: #fff; }
.figures .main dt { color: #fff; } .figures .main dd { font-size: 42px; line-height: 1.1; }
@media (prefers-color-scheme: dark) { .figures .main { background: #24468f; border-color: #3559a8; } }
.note { margin-top: 16px; padding: 10px 14px; border-left: 4px solid var(--bad); background: var(--card); border-radius: 0 8px 8px 0; }
.charts { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 16px; }
.wide { grid-column: 1 / -1; }
figure { margin: 0; } figcaption { margin-bottom: 2px; }
.chart { position: relative; padding: 12px 10px 46px 52px; outline-offset: 4px; touch-action: pan-y; }
.plot { display: block; width: 100%; height: 190px; } .plot, .plot svg { overflow: visible; }
.wide .plot { height: 270px; }
.plot text { fill: var(--soft); font-size: 12px; font-variant-numeric: tabular-nums; }
.plot .y { text-anchor: end; } .plot .x { text-anchor: middle; }
.grid { stroke: var(--line); }
.axis { position: absolute; right: 10px; bottom: 2px; color: var(--soft); font-size: 12px; }
.look1 { --c: var(--c1); } .look2 { --c: var(--c2); } .look3 { --c: var(--c3); } .look4 { --c: var(--c4); }
.line, .dots, .key path { fill: none; stroke: var(--c); stroke-width: 2; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
.look2 .line, .key.look2 path { stroke-dasharray: 7 4; } .look3 .line, .key.look3 path { stroke-dasharray: 2 4; stroke-linecap: round; }
.look4 .line, .key.look4 path { stroke-dasharray: 12 4 2 4; }
.dots { stroke-width: 7; stroke-linecap: round; } .range { fill: var(--c); opacity: .16; }
.keys { display: flex; flex-wrap: wrap; gap: 2px 18px; color: var(--soft); font-size: 13px; }
.key { display: inline-flex; align-items: center; gap: 7px; } .key svg { flex: none; }
.none { padding: 40px 0; color: var(--soft); text-align: center; }
.rule { position: absolute; top: 12px; bottom: 46px; width: 1px; background: var(--soft); pointer-events: none; }
.tip {
  position: absolute; top: 4px; z-index: 1; padding: 7px 11px; pointer-events: none; white-space: nowrap; font-size: 13px; line-height: 1.45;
  background: var(--card); color: var(--soft); border: 1px solid var(--line); border-radius: 8px; box-shadow: 0 4px 16px #0003;
}
.tip b { color: var(--ink); font-variant-numeric: tabular-nums; }
.tip i { display: inline-block; width: 9px; height: 9px; margin-right: 7px; border-radius: 3px; background: var(--c); }
.tabs { display: flex; flex-wrap: wrap; gap: 4px; align-items: center; }
.tabs > input { position: absolute; opacity: 0; pointer-events: none; }
.tabs > label { padding: 3px 12px; border: 1px solid var(--line); border-radius: 99px; color: var(--soft); font-size: 13px; cursor: pointer; }
.tabs > :checked + label { background: var(--ink); border-color: var(--ink); color: var(--card); }
.tabs > :focus-visible + label { outline: 2px solid var(--c1); outline-offset: 2px; }
.tabs > h3 { margin-right: auto; padding-right: 12px; }
.tabs > .panel { width: 100%; }
.tabs > .first:checked ~ .panel.second, .tabs > .second:checked ~ .panel.first { display: none; }
.tabs > .second:checked ~ .panel .exact { display: none; }
.samples { width: 100%; border-collapse: collapse; table-layout: fixed; }
.samples th { padding: 4px 12px 8px 0; color: var(--soft); font-size: 13px; font-weight: 400; text-align: left; }
.samples td { padding: 9px 12px 9px 0; border-top: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
.samples bdi { display: block; overflow: hidden; }
.samples .mark { width: 104px; font-size: 13px; line-height: 24px; white-space: nowrap; }
.yes { color: var(--good); } .no { color: var(--bad); } .mark b { display: inline-block; width: 1.2em; font-weight: 700; }
.samples del, .samples ins { color: inherit; text-decoration: underline; text-underline-offset: 3px; text-decoration-thickness: 2px; }
.samples ins { text-decoration-color: var(--bad); background: var(--tint); border-radius: 3px; }
.samples del { text-decoration-color: var(--soft); text-decoration-style: dotted; }
.inside h3 { margin-top: 18px; } .maps { display: flex; flex-wrap: wrap; gap: 12px; margin-top: 8px; font-size: 13px; color: var(--soft); }
.maps svg { display: block; width: 132px; height: 132px; background: var(--fill); border-radius: 4px; fill: var(--c1); --c: var(--c1); }
.maps .gates { flex: 1 1 300px; } .maps .gates svg { width: 100%; }
details { margin-top: 14px; } summary { cursor: pointer; color: var(--soft); font-size: 14px; padding: 4px 0; }
.scroll { overflow-x: auto; }
.numbers { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; white-space: nowrap; }
.numbers th, .numbers td { padding: 4px 0 4px 22px; text-align: right; border-top: 1px solid var(--line); }
.numbers th { color: var(--soft); font-weight: 400; border-top: 0; } .numbers :first-child { padding-left: 0; }
.facts { columns: 3 280px; column-gap: 16px; }
.facts .card { break-inside: avoid; margin-bottom: 16px; }
.facts dl { display: grid; grid-template-columns: fit-content(62%) minmax(0, 1fr); gap: 3px 16px; margin: 10px 0 0; font-size: 14px; }
.facts dt { color: var(--soft); } .facts dd { margin: 0; text-align: right; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
pre { margin: 10px 0 0; font-size: 12.5px; white-space: pre-wrap; overflow-wrap: anywhere; }
footer { margin-top: 44px; padding-top: 16px; border-top: 1px solid var(--line); color: var(--soft); font-size: 13px; }
@media (max-width: 720px) {
  body { padding: 0 14px 40px; } header { padding-top: 26px; }
  .charts { grid-template-columns: minmax(0, 1fr); } .card { padding: 14px; } .chart { padding-left: 44px; }
  .wide .plot { height: 220px; } .plot { height: 170px; }
  .figures { gap: 10px; } .figures .card { flex-basis: 140px; } .figures .main { flex-basis: 100%; } .figures dd { font-size: 22px; }
  .tabs > h3 { width: 100%; margin-bottom: 4px; }
  .samples, .samples tbody, .samples tr, .samples td { display: block; } .samples thead { display: none; }
  .samples tr { padding: 10px 0; border-top: 1px solid var(--line); } .samples td { padding: 1px 0; border: 0; }
  .samples tr.exact { display: block; } .tabs > .second:checked ~ .panel tr.exact { display: none; }
  .samples .mark { width: auto; } .samples td::before { content: attr(data-side); display: block; color: var(--soft); font-size: 12px; }
  .samples .mark::before { display: none; } .samples .exact [data-side='reference'] { display: none; }
}
@media print { body { background: none; } .card { border-color: #bbb; } .tabs > label { display: none; } }
`;

/** The parts of a report's page. */
export interface ReportParts {
  readonly title: string;
  /** The line above the heading. */
  readonly brand: Part;
  readonly heading: string;
  /** The line below the heading. */
  readonly lead: string;
  readonly main: Part;
  readonly footer?: Part;
}

/** Returns the HTML of a report. It loads nothing and runs no script but its own. */
export function reportPage({ title, brand, heading, lead, main, footer }: ReportParts): string {
  const policy = `default-src 'none'; style-src 'unsafe-inline'; script-src '${scriptHash}'; base-uri 'none'; form-action 'none'`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Html(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${new Html(style)}</style>
</head>
<body>
<header>
<p class="brand">${brand}</p>
<h1>${heading}</h1>
<p class="lead">${lead}</p>
</header>
<main>
${main}
</main>
${footer && html`<footer>${footer}</footer>\n`}<script>${new Html(script)}</script>
</body>
</html>
`.markup;
}
