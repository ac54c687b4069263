import { standingOf } from '../../results/calibration.ts'
import type { Resources, RunResult } from '../../results/result.ts'
import { formatHundredths, formatMegabytes, formatPercent, formatRate } from '../format.ts'
import { perMillion } from '../resources.ts'
import { figure, picture } from './chart.ts'
import { type Child, el, type Markup, percent } from './markup.ts'
import { dataTable } from './page.ts'

/** Was it the broker that was measured, or the generator? What each used of what it could. */

const busyLimit = 0.9
const stallLimitMs = 50
const foreignCoresLimit = 0.2

const foreignSentence = ({ machine }: Resources): string | null =>
  machine.foreignCores === null || machine.foreignCores <= foreignCoresLimit
    ? null
    : `Other programs used ${formatHundredths(machine.foreignCores)} cores meanwhile: run again on a quiet machine before you compare.`

/** One plain sentence, and whether it casts a doubt on the figures. */
export const limitSentence = ({
  generator,
  ceiling,
}: Resources): { text: string; isDoubtful: boolean } => {
  const { eventLoopUtilization, eventLoopDelayMaxMs, gcMaxMs } = generator
  const busy = formatPercent(eventLoopUtilization, 1)
  if (eventLoopUtilization > busyLimit) {
    const text = `The generator was the limit: it was busy ${busy} of the time, so these figures say more about the client and this machine than about the broker.`
    return { text, isDoubtful: true }
  }
  if (ceiling !== undefined && standingOf(ceiling) === 'near') {
    const text = `The generator was the limit: it ran at ${formatPercent(ceiling.share, 1)} of what this client can do on this machine.`
    return { text, isDoubtful: true }
  }
  const stall = formatHundredths(eventLoopDelayMaxMs)
  if (eventLoopDelayMaxMs > stallLimitMs) {
    const text = `The generator had room, busy ${busy} of the time, but once stood still for ${stall} ms (longest garbage collection ${formatHundredths(gcMaxMs)} ms): the highest latencies hold its share.`
    return { text, isDoubtful: true }
  }
  const text = `The generator had room: it was busy ${busy} of the time and never stood still for more than ${stall} ms.`
  return { text, isDoubtful: false }
}

interface Gauge {
  name: string
  share: number
  text: string
}

const gaugesOf = (result: RunResult, resources: Resources): Gauge[] => {
  const { generator, broker, machine, ceiling } = resources
  const { totals, environment } = result
  const cores = Math.max(1, environment.cores)
  const ofCores = (name: string, used: number): Gauge => ({
    name,
    share: used / cores,
    text: `${formatHundredths(used)} of ${cores} cores`,
  })
  const elapsedMs = Math.max(1, totals.elapsedMs)
  return [
    {
      name: 'Event loop of the generator',
      share: generator.eventLoopUtilization,
      text: `${formatPercent(generator.eventLoopUtilization, 1)} busy`,
    },
    ...(ceiling === undefined
      ? []
      : [
          {
            name: 'Rate, of the most that the client can do here',
            share: Math.min(1, ceiling.share),
            text: `${formatPercent(ceiling.share, 1)} of ${formatRate(ceiling.recordsPerSec)} msg/s`,
          },
        ]),
    ofCores('CPU of the generator', generator.cpuMs / elapsedMs),
    ...(broker === null ? [] : [ofCores('CPU of the embedded broker', broker.cpuMs / elapsedMs)]),
    ...(machine.foreignCores === null
      ? []
      : [ofCores('CPU of other programs', machine.foreignCores)]),
    ...(machine.steal === null
      ? []
      : [
          {
            name: 'Taken by the hypervisor',
            share: machine.steal,
            text: formatPercent(machine.steal, 1),
          },
        ]),
  ]
}

const rowHeight = 38

const gaugeRow = ({ name, share, text }: Gauge, index: number): Markup => {
  const y = index * rowHeight
  return el(
    'g',
    {},
    el('text', { class: 'strong', x: 0, y: y + 13 }, name),
    el('text', { class: 'end', x: '100%', y: y + 13 }, text),
    el('rect', { class: 'track', y: y + 19, width: '100%', height: 8, rx: 4 }),
    el('rect', {
      class: share > busyLimit ? 'full' : 'owned',
      y: y + 19,
      width: percent(share),
      height: 8,
      rx: 4,
    }),
  )
}

const memory = (bytes: number): string => `${formatMegabytes(bytes)} MB`

const ms = (value: number): string => `${formatHundredths(value)} ms`

/** Null for results that hold no measurement. */
export const resourcePanel = (result: RunResult): Child => {
  const { resources, totals } = result
  if (resources === undefined) return null
  const { generator, broker } = resources
  const gauges = gaugesOf(result, resources)
  const { text, isDoubtful } = limitSentence(resources)
  const foreign = foreignSentence(resources)
  const cpu = (cpuMs: number): string => `${perMillion(cpuMs, totals.records)} s`
  return el(
    'div',
    {},
    el(
      'p',
      { class: isDoubtful ? 'doubt' : 'good' },
      el('span', { class: 'word' }, isDoubtful ? 'Mind: ' : 'Fine: '),
      text,
    ),
    foreign === null
      ? null
      : el('p', { class: 'doubt' }, el('span', { class: 'word' }, 'Mind: '), foreign),
    figure({
      title: 'What was used of what there is',
      picture: picture(
        `What was used of what there is: ${gauges.map(({ name, text: used }) => `${name} ${used}`).join('; ')}`,
        gauges.length * rowHeight,
        ...gauges.map(gaugeRow),
      ),
      table: dataTable(
        'Use of the machine',
        ['Measured', 'Value'],
        gauges.map((gauge) => ({ cells: [gauge.name, gauge.text] })),
      ),
    }),
    dataTable(
      'Costs',
      ['Cost', 'Generator', ...(broker === null ? [] : ['Embedded broker'])],
      [
        ['CPU per million records', cpu(generator.cpuMs), broker && cpu(broker.cpuMs)],
        ['Most memory', memory(generator.maxMemoryBytes), broker && memory(broker.maxMemoryBytes)],
        ['Event-loop delay, p99', ms(generator.eventLoopDelayP99Ms), broker && ''],
        ['Event-loop delay, longest', ms(generator.eventLoopDelayMaxMs), broker && ''],
        ['Garbage collection, in all', ms(generator.gcMs), broker && ''],
        ['Garbage collection, longest', ms(generator.gcMaxMs), broker && ''],
      ].map((cells) => ({ cells: cells.filter((cell) => cell !== null) })),
    ),
  )
}
