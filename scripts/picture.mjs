// `npm run picture`: runs the real bench, a produce and then a staggered group, in a folder of its own, and makes of what
// it printed docs/report.svg (the group) and the block of text in README.md (the produce). No figure is typed by hand.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const bin = path.join(root, 'dist', 'bin', 'bench.js')

const produce =
  'bench --topic bench-test --mode produce --concurrency 128 --message-size 256 --duration 10s'
const consume =
  'bench --mode consume --topic bench-test --consumer-group test-group --consumers 3 --stagger 1s'

/** The lines that the bench printed. */
const run = (command, cwd) => {
  process.stderr.write(`$ ${command}\n`)
  const { KAFKA_BOOTSTRAP_SERVERS: _servers, KAFKA_TOPIC: _topic, ...env } = process.env
  const args = [bin, ...command.split(' ').slice(1), '--no-save']
  const { stdout, status } = spawnSync(process.execPath, args, {
    cwd,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (status !== 0) throw new Error(`${command}: exit ${status}\n${stdout}`)
  return stdout.trimEnd().split('\n')
}

const headingOf = (line) => /^║ ([A-Z]{5,})\b/.exec(line)?.[1] ?? null
const isRule = (line) => line.startsWith('╠')

/** The box without the named sections; a line of dots stands where they were. */
const without = (lines, names) => {
  const kept = []
  for (let at = 0; at < lines.length; at++) {
    const heading = isRule(lines[at]) ? headingOf(lines[at + 1] ?? '') : null
    if (heading === null || !names.includes(heading)) {
      kept.push(lines[at])
      continue
    }
    const width = lines[at].length
    kept.push(lines[at], `║ ⋮${' '.repeat(width - 4)}║`)
    // Rule, heading and rule, then the section up to the next rule or the end of the box.
    at += 2
    while (!/^[╠╚]/.test(lines[at + 1])) at++
  }
  return kept
}

/** The box with the first rows of its head only. */
const withShortHead = (lines) => {
  const head = lines.findIndex(isRule) + 1
  const shown = head + lines.slice(head).findIndex((line) => line.startsWith('║ Status:')) + 1
  const end = head + lines.slice(head).findIndex(isRule)
  const dots = `║ ⋮${' '.repeat(lines[0].length - 4)}║`
  return [...lines.slice(0, shown), dots, ...lines.slice(end)]
}

const charWidth = 7.8
const lineHeight = 18
const margin = 22
const barHeight = 30

const escapeXml = (text) => text.replace(/[&<>]/g, (c) => `&#${c.charCodeAt(0)};`)
const xOf = (column) => (margin + column * charWidth).toFixed(1)
const yOf = (row) => barHeight + margin + row * lineHeight

const styleOf = (text) => {
  if (text.startsWith('ok:') || /^Status: .* held$/.test(text)) return 'good'
  if (text.startsWith('FAILED') || /^Status: .*FAILED/.test(text)) return 'bad'
  if (text.startsWith('!')) return 'warn'
  if (/^(bench Benchmark|[A-Z]{5,}\b)/.test(text)) return 'head'
  return null
}

/** As wide as its characters are many, whatever font there is. */
const drawText = (text, column, row, style) => {
  const width = ([...text].length * charWidth).toFixed(1)
  const look = style === null ? '' : ` class="${style}"`
  return `<text${look} x="${xOf(column)}" y="${yOf(row) + 13}" textLength="${width}" lengthAdjust="spacingAndGlyphs">${escapeXml(text)}</text>`
}

/** What two spaces part is placed by itself, since renderers differ in how they keep spaces. Labels fade. */
const drawRow = (line, row) => {
  const style = styleOf(line.slice(1, -1).trim())
  return [...line.matchAll(/[^║ ]+(?: [^║ ]+)*/g)].map(({ 0: text, index }) => {
    const isLabel = index === 2 && text.endsWith(':')
    return drawText(text, index, row, isLabel && style !== 'good' ? 'dim' : style)
  })
}

const rule = (from, to, y) => `M${xOf(from)} ${y}H${xOf(to)}`

const drawBox = (lines, firstRow) => {
  const lastColumn = lines[0].length - 0.5
  const [x, y] = [Number(xOf(0.5)), yOf(firstRow) + 9]
  const width = (lastColumn - 0.5) * charWidth
  const height = (lines.length - 1) * lineHeight
  const frame = (inset) =>
    `<rect class="line" x="${x + inset}" y="${y + inset}" width="${(width - 2 * inset).toFixed(1)}" height="${height - 2 * inset}" rx="${5 - inset}"/>`
  const rules = lines.flatMap((line, index) => {
    if (!isRule(line)) return []
    const middle = yOf(firstRow + index) + 9
    return [rule(0.7, lastColumn - 0.2, middle - 1.5), rule(0.7, lastColumn - 0.2, middle + 1.5)]
  })
  return [
    frame(-1.5),
    frame(1.5),
    `<path class="line" d="${rules.join('')}"/>`,
    ...lines.flatMap((line, index) =>
      line.startsWith('║') ? drawRow(line, firstRow + index) : [],
    ),
  ]
}

const look = `
text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace;fill:#1f2328}
.page{fill:#ffffff;stroke:#d1d9e0}.bar{fill:#f6f8fa}.line{fill:none;stroke:#b6bfc8}
.dim{fill:#59636e}.head{font-weight:600;fill:#0550ae}.good{fill:#1a7f37}.bad{fill:#cf222e}.warn{fill:#9a6700}.prompt{fill:#8250df}
@media (prefers-color-scheme:dark){
text{fill:#e6edf3}.page{fill:#0d1117;stroke:#30363d}.bar{fill:#161b22}.line{stroke:#3d444d}
.dim{fill:#9198a1}.head{fill:#79c0ff}.good{fill:#56d364}.bad{fill:#ff7b72}.warn{fill:#e3b341}.prompt{fill:#d2a8ff}
}`

const wrap = (command, width) => {
  const lines = ['']
  for (const word of command.split(/ (?=--)/)) {
    const last = lines.at(-1)
    if (last !== '' && last.length + word.length + 3 > width) lines.push(word)
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`
  }
  return lines
}

const drawPicture = (command, lines) => {
  const columns = lines[0].length
  const typed = wrap(command, columns - 4)
  const firstRow = typed.length + 0.5
  const width = Math.ceil(columns * charWidth + 2 * margin)
  const height = Math.ceil(yOf(firstRow + lines.length) + margin - 6)
  const dots = [0, 1, 2].map((i) => `<circle class="line" cx="${20 + i * 18}" cy="15" r="5"/>`)
  const prompt = typed.flatMap((text, row) => [
    ...(row === 0 ? [drawText('$', 1, row, 'prompt')] : []),
    drawText(text + (row < typed.length - 1 ? ' \\' : ''), row === 0 ? 3 : 5, row, null),
  ])
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="The report of a staggered consumer group">`,
    `<style>${look}</style>`,
    `<rect class="page" x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="8"/>`,
    `<path class="bar" d="M1 ${barHeight}V9a8 8 0 0 1 8-8H${width - 9}a8 8 0 0 1 8 8V${barHeight}z"/>`,
    ...dots,
    ...prompt,
    ...drawBox(lines, firstRow),
    '</svg>\n',
  ].join('\n')
}

const [begin, end] = ['<!-- made by npm run picture -->', '<!-- end -->']

const writeBlock = (text) => {
  const file = path.join(root, 'README.md')
  const readme = readFileSync(file, 'utf8')
  const [from, to] = [readme.indexOf(begin), readme.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`README.md: '${begin}' … '${end}' is missing`)
  const block = `${begin}\n\`\`\`text\n${text}\n\`\`\`\n`
  writeFileSync(file, readme.slice(0, from) + block + readme.slice(to))
}

const folder = mkdtempSync(path.join(tmpdir(), 'bench-picture-'))
try {
  const produced = run(produce, folder)
  const consumed = run(consume, folder)
  const picture = drawPicture(consume, without(consumed, ['LATENCY']))
  if (picture.length >= 60_000) throw new Error(`the picture has ${picture.length} bytes`)
  writeFileSync(path.join(root, 'docs', 'report.svg'), picture)
  writeBlock([`$ ${produce}`, ...withShortHead(without(produced, ['WARNINGS']))].join('\n'))
} finally {
  rmSync(folder, { recursive: true, force: true })
}
