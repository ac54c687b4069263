/** How the pages look: one style sheet for screens of any width, light and dark, and for paper. */

export const styleSheet = `
:root { color-scheme: light dark;
  --page: #ffffff; --card: #f6f7f9; --text: #1b1f24; --muted: #57606a; --rule: #d5dae0; --grid: #e4e8ec;
  --one: #0b5cad; --two: #a8480a; --three: #6b3fa0; --good: #17692f; --bad: #b3261e; --doubt: #7a5200; --track: #e4e8ec; }
@media (prefers-color-scheme: dark) { :root {
  --page: #12151a; --card: #1a1f26; --text: #e6e9ee; --muted: #a3adba; --rule: #343c47; --grid: #272e37;
  --one: #6cb2ff; --two: #ffa657; --three: #c9a3ff; --good: #56d07f; --bad: #ff8b80; --doubt: #e3b341; --track: #2b333d; } }
* { box-sizing: border-box; }
html { font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; background: var(--page); color: var(--text); -webkit-text-size-adjust: 100%; }
body { max-width: 62rem; margin: 0 auto; padding: 1.25rem 1rem 3rem; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: .1rem 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2.5rem 0 .5rem; padding-top: .75rem; border-top: 1px solid var(--rule); }
h3 { font-size: 1rem; margin: 1.5rem 0 .25rem; }
p { margin: .4rem 0; max-width: 46rem; }
.muted, figcaption, dt, th { color: var(--muted); }
.eyebrow { margin: 0; color: var(--muted); font-size: .875rem; }
.verdict { border-left: .375rem solid var(--muted); padding: .1rem 0 .1rem 1rem; margin: 0 0 1.25rem; }
.verdict.good { border-color: var(--good); } .verdict.good h1, .good > .word { color: var(--good); }
.verdict.bad { border-color: var(--bad); } .verdict.bad h1, .bad > .word { color: var(--bad); }
.verdict.doubt { border-color: var(--doubt); } .verdict.doubt h1, .doubt > .word { color: var(--doubt); }
.word { font-weight: 600; } .flag { white-space: nowrap; } .arg { display: inline-block; max-width: 100%; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(7rem, 1fr)); gap: .6rem; margin: 0; }
.tiles > div { background: var(--card); border-radius: .5rem; padding: .6rem .8rem; }
.tiles dt { font-size: .8125rem; } .tiles dd { margin: 0; font-size: 1.15rem; font-weight: 600; line-height: 1.3; }
.tiles dd span { display: block; font-size: .8125rem; font-weight: 400; color: var(--muted); }
pre { background: var(--card); border-radius: .5rem; padding: .7rem .8rem; margin: .5rem 0; white-space: pre-wrap; font: .875rem/1.5 ui-monospace, Menlo, Consolas, monospace; }
ul.plain { list-style: none; margin: .5rem 0; padding: 0; } ul.plain > li { margin: .35rem 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .875rem; min-width: 100%; }
th, td { text-align: right; padding: .3rem 0 .3rem 1rem; border-bottom: 1px solid var(--grid); overflow-wrap: normal; white-space: nowrap; }
td.long { white-space: normal; min-width: 12rem; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
thead th { font-weight: 500; vertical-align: bottom; white-space: normal; min-width: 4.5rem; } p.muted { font-size: .875rem; } tbody th { font-weight: 400; color: var(--text); }
.facts td { text-align: left; white-space: normal; overflow-wrap: anywhere; width: 75%; } .facts th { color: var(--muted); white-space: normal; min-width: 7.5rem; }
tr.bad > * { color: var(--bad); font-weight: 600; } tr.all > * { font-weight: 600; }
figure { margin: 1rem 0 1.25rem; }
figcaption { font-size: .875rem; } figcaption strong { color: var(--text); }
.legend { display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; font-size: .8125rem; margin: .15rem 0; padding: 0; list-style: none; color: var(--text); }
.legend svg { width: 1.75rem; height: .6rem; overflow: visible; margin-right: .4rem; vertical-align: baseline; }
figure > svg { display: block; width: 100%; overflow: visible; margin-top: .5rem; }
details { font-size: .875rem; } summary { cursor: pointer; color: var(--muted); padding: .25rem 0; width: fit-content; }
:focus-visible { outline: 2px solid var(--one); outline-offset: 2px; border-radius: 2px; }
svg text { font-size: 12px; fill: var(--muted); }
svg .halo { paint-order: stroke; stroke: var(--page); stroke-width: 4px; stroke-linejoin: round; }
svg .end { text-anchor: end; } svg .middle { text-anchor: middle; } svg .strong { fill: var(--text); }
.grid { stroke: var(--grid); } .axis { stroke: var(--rule); }
.line { fill: none; stroke-width: 2; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
.one { stroke: var(--one); } .two { stroke: var(--two); stroke-dasharray: 7 3; } .three { stroke: var(--three); stroke-dasharray: 2 3; }
.asked { stroke: var(--muted); stroke-dasharray: 4 4; stroke-width: 1.5; vector-effect: non-scaling-stroke; fill: none; }
.area { fill: var(--one); opacity: .12; } .hit { fill: transparent; } .hit:hover { fill: var(--muted); fill-opacity: .16; }
.mark { stroke: var(--muted); stroke-dasharray: 2 3; } .mark.bad { stroke: var(--bad); }
.life { stroke: var(--muted); stroke-width: 1.5; } .track { fill: var(--track); }
.owned { fill: var(--one); } svg .inbar { fill: var(--page); font-weight: 600; } .idle { fill: none; stroke: var(--doubt); stroke-dasharray: 3 2; stroke-width: 2; } svg .inidle { fill: var(--doubt); }
.full { fill: var(--bad); }
.dot.one { fill: var(--one); stroke: none; } .dot.two { fill: var(--page); stroke: var(--two); stroke-width: 2; stroke-dasharray: none; }
.median { stroke-width: 3; stroke-dasharray: none; } .within { fill: var(--track); fill-opacity: .7; }
.interval { stroke: var(--text); stroke-width: 2; } .point { fill: var(--text); }
footer { margin-top: 3rem; padding-top: .75rem; border-top: 1px solid var(--rule); font-size: .8125rem; color: var(--muted); }
@media (max-width: 40rem) { th, td { padding-left: .6rem; } tbody th { white-space: normal; min-width: 5.5rem; } }
@media print { html { font-size: 11px; } body { max-width: none; padding: 0; } h2 { break-after: avoid; } figure, tr, .tiles > div { break-inside: avoid; } .scroll { overflow: visible; } th, td { white-space: normal; } }
`
