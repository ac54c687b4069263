// `npm run compare-session`: the session of docs/COMPARE.md by the real bench on the embedded broker: nothing compared with
// nothing, and a planted loss of a tenth. Fails when the first is claimed to differ or the second is not found. With
// `-- --write` what bench printed goes into docs/COMPARE.md, and figures of its pages become docs/compare-*.svg.
// Other options after `--` go to every run, such as `-d 1s` for a quick try.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const bin = path.join(root, 'dist', 'bin', 'bench.js')
const document = path.join(root, 'docs', 'COMPARE.md')

const given = process.argv.slice(2)
const isWritten = given.includes('--write')
const more = given.filter((arg) => arg !== '--write')

const load = ['-c', '1', '-s', '256', '-w', '1s', '-d', '3s', '--data-dir', 'ring']

const comparisons = [
  {
    name: 'same',
    sides: ['--a', '', '--b', ''],
    // A change is found by few runs; that there is none takes many.
    repeat: '40',
    exitCode: 0,
    isRight: ({ verdict }) => ['equivalent', 'inconclusive'].includes(verdict),
  },
  {
    name: 'slow',
    sides: ['--a', '', '--b', '--defect slow'],
    repeat: '6',
    exitCode: 1,
    isRight: ({ verdict }) => verdict === 'regression',
  },
]

const quoted = (arg) => (/^[\w./=-]+$/.test(arg) ? arg : `'${arg}'`)

/** What bench printed, its comparison and its page. */
const runComparison = ({ name, sides, repeat }, cwd) => {
  const typed = ['ab', ...sides, '--repeat', repeat, ...load, ...more, '--html', `${name}.html`]
  const command = `bench ${typed.map(quoted).join(' ')}`
  process.stderr.write(`$ ${command}\n`)
  const { KAFKA_BOOTSTRAP_SERVERS: _servers, KAFKA_TOPIC: _topic, ...env } = process.env
  const args = [bin, ...typed, '--json', `${name}.json`, '--results-dir', name]
  const { stdout, status } = spawnSync(process.execPath, args, {
    cwd,
    env: { ...env, GITHUB_ACTIONS: '', GITHUB_STEP_SUMMARY: '' },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  process.stdout.write(stdout)
  const file = (ending) => readFileSync(path.join(cwd, `${name}.${ending}`), 'utf8')
  if (status > 1) throw new Error(`${command}: exit ${status}`)
  return {
    command,
    text: stdout.trimEnd(),
    status,
    comparison: JSON.parse(file('json')),
    page: file('html'),
  }
}

const margin = 20
const width = 760

/** A figure of the page by its title: the picture, its height and what the page says above it. */
const figureOf = (page, title) => {
  const from = page.indexOf(`<figcaption><strong>${title}</strong>`)
  const begin = page.indexOf('<svg role="img"', from)
  const end = page.indexOf('</svg>\n<details>', begin)
  if (from < 0 || begin < 0 || end < 0) throw new Error(`the page has no figure '${title}'`)
  const picture = page.slice(begin, end + '</svg>'.length)
  const note = page.slice(from, begin).match(/<\/strong>(?<note>[^<]*)/)?.groups?.note ?? ''
  return { title, note: note.trim(), picture, height: Number(/height="(\d+)"/.exec(picture)?.[1]) }
}

/** Figures of a page, one below the other, as a picture that stands alone. */
const drawPicture = (page, titles) => {
  const style = page.slice(page.indexOf('<style>') + '<style>'.length, page.indexOf('</style>'))
  let y = margin
  const parts = titles.map((title) => {
    const { picture, note, height } = figureOf(page, title)
    const head = [
      `<text class="strong title" x="${margin}" y="${y + 10}">${title}</text>`,
      `<text x="${margin}" y="${y + 28}">${note}</text>`,
    ]
    const place = `<svg x="${margin}" y="${y + 44}" width="${width - 2 * margin}" `
    y += 44 + height + margin
    return [...head, picture.replace('<svg ', place)].join('\n')
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y}" viewBox="0 0 ${width} ${y}">`,
    `<style>${style}text{font-family:system-ui,-apple-system,"Segoe UI",sans-serif}`,
    'svg .title{font-size:14px;font-weight:600}.page{fill:var(--page);stroke:var(--rule)}</style>',
    `<rect class="page" x=".5" y=".5" width="${width - 1}" height="${y - 1}" rx="8"/>`,
    ...parts,
    '</svg>\n',
  ].join('\n')
}

const titles = ['Change from baseline to candidate', 'Run by run']

const write = (name, { command, text, comparison, page }) => {
  const begin = `<!-- ${name}: made by npm run compare-session -->\n`
  const whole = readFileSync(document, 'utf8')
  const from = whole.indexOf(begin) + begin.length
  const to = whole.indexOf('<!-- end -->', from)
  if (from < begin.length || to < from) throw new Error(`docs/COMPARE.md has no block '${name}'`)
  const alt = `${comparison.verdict}: ${comparison.reason}`
  const block = `\`\`\`text\n$ ${command}\n${text}\n\`\`\`\n\n![${alt}](compare-${name}.svg)\n`
  writeFileSync(document, whole.slice(0, from) + block + whole.slice(to))
  writeFileSync(path.join(root, 'docs', `compare-${name}.svg`), drawPicture(page, titles))
}

const folder = mkdtempSync(path.join(tmpdir(), 'bench-compare-session-'))
try {
  const done = comparisons.map((plan) => ({ plan, outcome: runComparison(plan, folder) }))
  const wrong = done.filter(
    ({ plan, outcome }) => outcome.status !== plan.exitCode || !plan.isRight(outcome.comparison),
  )
  for (const { plan, outcome } of wrong) {
    const { verdict, reason } = outcome.comparison
    process.stderr.write(`${plan.name}: ${verdict}, exit ${outcome.status}: ${reason}\n`)
  }
  if (wrong.length > 0) process.exitCode = 1
  else if (isWritten) for (const { plan, outcome } of done) write(plan.name, outcome)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
