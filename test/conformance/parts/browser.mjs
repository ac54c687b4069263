// The HTML reports in Chromium: at three widths, light and dark, nothing fails, nothing is asked for, nothing hangs over.
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { benchBin } from '../bench-run.mjs'
import { browserNeeds, launchBrowser } from '../playwright.mjs'
import { makeFolder, runProcess } from '../processes.mjs'

const widths = [320, 768, 1280]
/** About that of A4 in CSS pixels. */
const paperWidth = 768
const schemes = ['light', 'dark']

/** Pages of real runs: name -> file. */
const makePages = async () => {
  const cwd = makeFolder()
  const bench = (...args) =>
    runProcess(process.execPath, [benchBin, ...args, '--quiet'], { cwd, timeoutMs: 60_000 })
  const load = [
    '-m',
    'produce',
    '-t',
    'pages',
    '-s',
    '200',
    '-d',
    '3s',
    '-w',
    '0s',
    '--rate',
    '2000',
  ]
  const label = ['--label', '</script><script>fetch("/label")</script>']
  await bench(...load, ...label, '--html', 'produce.html', '--json-output', 'a.json')
  await bench(...load, '--json-output', 'b.json')
  const group = ['-t', 'pages', '--consumers', '3', '--stagger', '1s']
  await bench('-m', 'consume', ...group, '--html', 'consume.html')
  await bench('compare', 'a.json', 'b.json', '--html', 'compare.html')
  const play = [
    'scenario',
    'run',
    'staggered-1s',
    '--prove',
    '--no-save',
    '--html',
    'scenario.html',
  ]
  await bench(...play)
  return ['produce', 'consume', 'compare', 'scenario'].map((name) => [
    name,
    path.join(cwd, `${name}.html`),
  ])
}

/** Runs in the page: texts whose contrast to what is behind them is below 4.5. */
const paleTexts = () => {
  const channels = (color) => color.match(/[\d.]+/g).map(Number)
  const luminance = (color) => {
    const [red, green, blue] = channels(color)
      .slice(0, 3)
      .map((value) => value / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
  }
  const behind = (element) => {
    const bar = element.closest('svg')?.querySelector(':scope > .owned')
    if (bar && element.classList.contains('inbar')) return getComputedStyle(bar).fill
    for (let at = element; at !== null; at = at.parentElement) {
      const { backgroundColor } = getComputedStyle(at)
      if ((channels(backgroundColor)[3] ?? 1) > 0) return backgroundColor
    }
    return getComputedStyle(document.documentElement).backgroundColor
  }
  const isShown = (element) =>
    element.tagName !== 'title' && element.getClientRects().length > 0 && element.checkVisibility()
  return [...document.body.querySelectorAll('*')]
    .filter((element) =>
      [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== ''),
    )
    .filter((element) => !['SCRIPT', 'STYLE'].includes(element.tagName) && isShown(element))
    .flatMap((element) => {
      const style = getComputedStyle(element)
      const color = element instanceof SVGElement ? style.fill : style.color
      const pair = [luminance(color), luminance(behind(element))]
      const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05)
      return ratio < 4.5 ? [`${ratio.toFixed(2)}: ${element.textContent.slice(0, 40)}`] : []
    })
}

/** Runs in the page: what a reader without eyes or mouse would miss. */
const unreadable = () => {
  const faults = []
  for (const figure of document.querySelectorAll('figure')) {
    const name = figure.querySelector('figcaption')?.textContent
    if (!figure.querySelector('svg[role=img][aria-label]')) faults.push(`${name}: no name`)
    if (!figure.querySelector('details table')) faults.push(`${name}: no table`)
  }
  for (const table of document.querySelectorAll('table')) {
    if (!table.querySelector('th[scope]'))
      faults.push(`table without headings: ${table.textContent}`)
  }
  const ranks = [...document.querySelectorAll('h1, h2, h3')].map(({ tagName }) => tagName)
  if (ranks[0] !== 'H1' || ranks.lastIndexOf('H1') !== 0) faults.push(`headings: ${ranks.join()}`)
  for (const landmark of ['header', 'main', 'footer']) {
    if (document.querySelectorAll(`body > ${landmark}`).length !== 1) faults.push(landmark)
  }
  if (document.querySelectorAll('figure').length === 0) faults.push('no figure')
  return faults
}

/** The order of the tab key, and of the page. */
const tabOrder = async (page) => {
  const stops = 'summary, [tabindex="0"]'
  const count = await page.evaluate((selector) => {
    const shown = [...document.querySelectorAll(selector)].filter((one) => one.checkVisibility())
    shown.forEach((one, index) => {
      one.dataset.stop = String(index)
    })
    return shown.length
  }, stops)
  const order = []
  for (let index = 0; index < count; index++) {
    await page.keyboard.press('Tab')
    order.push(await page.evaluate(() => document.activeElement?.dataset.stop ?? 'nowhere'))
  }
  return { order, expected: Array.from({ length: count }, (_, index) => String(index)) }
}

const overhang = (page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)

const judge = (report, check, faults) =>
  faults.length === 0 ? report.pass(check) : report.fail(check, faults.join('\n'))

const openPage = async (browser, { name, file, width, scheme }, report) => {
  const at = `${name} at ${width} px, ${scheme}`
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme: scheme })
  const said = []
  const asked = []
  page.on('console', (message) => said.push(message.text()))
  page.on('pageerror', (error) => said.push(String(error)))
  page.on('request', (request) => asked.push(request.url()))
  await page.goto(pathToFileURL(file).href)
  const hanging = [await overhang(page)]
  if (width === widths[0]) {
    const { order, expected } = await tabOrder(page)
    judge(
      report,
      `${at}: the tab key follows the page`,
      order.join() === expected.join() ? [] : [order.join()],
    )
    judge(report, `${at}: can be read otherwise`, await page.evaluate(unreadable))
  }
  await page.evaluate(() => {
    for (const details of document.querySelectorAll('details')) details.open = true
  })
  hanging.push(await overhang(page))
  judge(report, `${at}: contrast`, await page.evaluate(paleTexts))
  if (width === paperWidth) {
    await page.emulateMedia({ media: 'print' })
    hanging.push(await overhang(page))
  }
  judge(report, `${at}: no message`, said)
  judge(report, `${at}: asks for nothing`, asked.slice(1))
  const wide = hanging.filter((px) => px > 0).map((px) => `${px} px`)
  judge(report, `${at}: nothing hangs over`, wide)
  await page.close()
}

const run = async ({ report }) => {
  const pages = await makePages()
  const browser = await launchBrowser()
  try {
    for (const [name, file] of pages) {
      for (const width of widths) {
        for (const scheme of schemes) await openPage(browser, { name, file, width, scheme }, report)
      }
    }
  } finally {
    await browser.close()
  }
}

export default { name: 'browser', needs: browserNeeds, run }
