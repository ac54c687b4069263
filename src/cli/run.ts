import path from 'node:path'
import type { Command } from 'commander'
import type { RunOptions } from '../bench/options.ts'
import { headerSizeBytes } from '../bench/record-header.ts'
import { createResourceProbe } from '../bench/resource-probe.ts'
import { type RunOutcome, runBench } from '../bench/run.ts'
import type { ConnectionOptions, Driver } from '../clients/driver.ts'
import { loadDriver } from '../clients/index.ts'
import { openAdmin } from '../clients/kafkajs/admin.ts'
import { systemClock } from '../clock.ts'
import { SurroundingsError, UsageError } from '../errors.ts'
import { createLiveView } from '../report/live.ts'
import { type CalibratedWork, loadCalibration } from '../results/calibration.ts'
import { readBenchVersion, readEnvironment } from '../results/environment.ts'
import type { ProgressListener } from '../results/progress.ts'
import type { RunResult } from '../results/result.ts'
import { newRunId } from '../results/run-id.ts'
import type { Io } from './io.ts'
import { openMetrics, parseMetrics } from './metrics-server.ts'
import { deliver, type Outputs, parseOutputs } from './outputs.ts'
import { isSeries, type RawFlags } from './run-flags.ts'
import { parseRunOptions, unusedFlags } from './run-options.ts'
import { readSeriesOrder, withSeries } from './series-child.ts'
import { type StopRequest, watchSignals } from './signals.ts'
import { checkTarget, openTarget, type Target } from './target.ts'
import { inFlag } from './values.ts'
import { withoutSecrets } from './words.ts'
import { createWorkerPool } from './worker-pool.ts'

/** `bench run`: flags to options, a broker, one run, its outputs and its exit code. */

/** Throws a `UsageError` that names the client for what its library lacks. */
const checkDriver = (options: RunOptions, driver: Driver): void => {
  inFlag('-X', () => driver.checkProperties(options.clientProperties))
  if (!driver.assignors.includes(options.assignor)) {
    throw new UsageError(
      `--assignor '${options.assignor}': ${driver.name} has ${driver.assignors.join(', ')}`,
    )
  }
  if (!driver.compressions.includes(options.compression)) {
    throw new UsageError(
      `--compression '${options.compression}': ${driver.name} has ${driver.compressions.join(', ')}`,
    )
  }
  const isSending = options.mode === 'produce' || options.mode === 'round-trip'
  if (isSending && driver.hasOnlyTextHeaders && options.messageSizeBytes < headerSizeBytes) {
    throw new UsageError(
      `--message-size ${options.messageSizeBytes}: ${driver.name} takes ${headerSizeBytes} bytes or more; it cannot write bench's header beside a smaller value`,
    )
  }
}

const connectionOf = (options: RunOptions, target: Target): ConnectionOptions => ({
  bootstrapServers: target.bootstrapServers,
  clientId: options.clientProperties['client.id'] ?? 'bench',
  connectTimeoutMs: options.connectTimeoutMs,
  requestTimeoutMs: options.requestTimeoutMs,
  security: options.security,
  properties: options.clientProperties,
})

const brokerNameOf = ({ kind, defect }: Target): string => {
  if (kind === 'external') return ''
  const name = `bench ${readBenchVersion()}, embedded`
  return defect === null ? name : `${name}, with the defect ${defect}`
}

/** Runs once against `target` and shows progress; the caller delivers the result. */
export const runOnce = async (
  options: RunOptions,
  parts: {
    target: Target
    driver: Driver
    args: readonly string[]
    io: Io
    isQuiet: boolean
    calibrated?: readonly CalibratedWork[]
    /** Besides the live view. */
    onProgress?: ProgressListener
  },
  stop: AbortSignal,
): Promise<RunOutcome> => {
  const { target, driver, args, io, isQuiet, calibrated = [] } = parts
  const live = createLiveView({
    stream: io.stderr,
    isTty: io.isStderrTty,
    hasColor: !process.env['NO_COLOR'],
    quiet: isQuiet,
  })
  try {
    return await runBench(options, {
      driver,
      openAdmin: () => openAdmin(connectionOf(options, target)),
      clock: systemClock,
      target,
      runId: newRunId(),
      command: withoutSecrets(args),
      environment: readEnvironment({
        client: `${driver.name} ${driver.version}`,
        broker: brokerNameOf(target),
      }),
      workers: createWorkerPool(),
      onProgress: (event) => {
        live.onProgress(event)
        parts.onProgress?.(event)
      },
      probe: createResourceProbe(systemClock, target.brokerPid),
      calibrated,
      stop,
      lost: target.lost,
    })
  } finally {
    live.stop()
  }
}

/** Precedence of CLI.md: a signal, the surroundings, a failed check. */
export const exitCodeOf = (
  outcome: { result: RunResult; lost: string | null },
  stop: StopRequest,
): number => {
  const signalCode = stop.exitCode()
  if (signalCode !== null) return signalCode
  if (outcome.lost !== null) return 3
  return outcome.result.checks.every((check) => check.ok) ? 0 : 1
}

const deliverOutcome = (
  outcome: RunOutcome,
  parts: { target: Target; outputs: Outputs; stop: StopRequest; io: Io },
): number => {
  const { target, outputs, stop, io } = parts
  const exitCode = exitCodeOf(outcome, stop)
  if (outcome.lost !== null) {
    const hint = outcome.lost.includes('KAFKA_STORAGE_ERROR') ? `; ${target.storageHint()}` : ''
    io.stderr.write(`bench: ${outcome.lost}${hint}\n`)
  }
  try {
    deliver(outcome.result, outputs, io)
  } catch (error) {
    if (!(error instanceof SurroundingsError)) throw error
    io.stderr.write(`bench: ${error.message}\n`)
    return stop.exitCode() ?? 3
  }
  return exitCode
}

const givenFlags = (command: Command): string[] =>
  Object.keys(command.opts()).filter((name) => command.getOptionValueSource(name) === 'cli')

export const runCommand = async (
  raw: RawFlags,
  command: Command,
  args: readonly string[],
  io: Io,
): Promise<number> => {
  const options = parseRunOptions(raw, process.env)
  const outputs = parseOutputs(raw)
  const metricsAddress = parseMetrics(raw, options)
  checkTarget(options)
  const driver = await loadDriver(options.client)
  checkDriver(options, driver)
  if (raw.findMax === true) {
    const { runFindMax } = await import('./find-max.ts')
    return runFindMax(raw, args, io)
  }
  if (isSeries(raw)) {
    const { runRepeated } = await import('./repeat.ts')
    return runRepeated(raw, args, io)
  }
  for (const name of unusedFlags(options, givenFlags(command))) {
    const flag = command.options.find((option) => option.attributeName() === name)?.long ?? name
    io.stderr.write(`bench: ${flag} has no effect in --mode ${options.mode}\n`)
  }
  const about = { mode: options.mode, version: readBenchVersion(), client: options.client }
  const metrics = metricsAddress && (await openMetrics(metricsAddress, about))
  // A port that nobody else knows is told also to those who asked for quiet.
  if (metrics && (!outputs.isQuiet || metricsAddress.port === 0))
    io.stderr.write(`metrics on ${metrics.url}\n`)
  const stop = watchSignals()
  let target: Target | null = null
  try {
    target = await openTarget(options, stop.signal)
    if (outputs.isVerbose) {
      const data = target.dataDir ? `, data in ${path.resolve(target.dataDir)}` : ''
      io.stderr.write(`${target.kind} broker ${target.bootstrapServers.join(',')}${data}\n`)
    }
    const calibrated = loadCalibration(raw.resultsDir)
    const parts = {
      target,
      driver,
      args,
      io,
      isQuiet: outputs.isQuiet,
      calibrated,
      ...(metrics && { onProgress: metrics.onProgress }),
    }
    const outcome = await runOnce(options, parts, stop.signal)
    const result = withSeries(outcome.result, readSeriesOrder(process.env))
    const exitCode = deliverOutcome({ ...outcome, result }, { target, outputs, stop, io })
    const note = target.dataNote()
    if (note !== null && !outputs.isQuiet) io.stderr.write(`${note}\n`)
    return exitCode
  } catch (error) {
    const signalCode = stop.exitCode()
    if (signalCode !== null) return signalCode
    throw error
  } finally {
    await target?.release()
    metrics?.close()
    stop.dispose()
  }
}
