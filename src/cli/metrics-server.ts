import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isIPv6 } from 'node:net'
import type { RunOptions } from '../bench/options.ts'
import { messageOf, SurroundingsError, UsageError } from '../errors.ts'
import { createRunMetrics } from '../report/exposition.ts'
import type { ProgressListener } from '../results/progress.ts'
import type { RawFlags } from './run-flags.ts'
import { parseInteger, refuse } from './values.ts'

/** `--prometheus-port`: a page for Prometheus to scrape while a run goes on. */

export interface MetricsAddress {
  host: string
  port: number
}

export interface MetricsServer {
  url: string
  onProgress: ProgressListener
  /** Scrapes under way are cut off. */
  close(): void
}

/** Null when no page is asked for. Throws a `UsageError`. */
export const parseMetrics = (
  raw: RawFlags,
  { reportIntervalMs }: Pick<RunOptions, 'reportIntervalMs'>,
): MetricsAddress | null => {
  if (raw.prometheusPort === undefined) return null
  const port = parseInteger('prometheus-port', raw.prometheusPort, 0, 65_535)
  const host = raw.prometheusHost
  if (!/^[\w.:-]+$/.test(host)) refuse('prometheus-host', host, 'an address is allowed')
  if (reportIntervalMs === 0) {
    throw new UsageError(
      `--prometheus-port ${port}: the figures are renewed every --report-interval-secs, which is 0`,
    )
  }
  return { host, port }
}

/** Throws a `SurroundingsError` when the port is taken or the address is none of this machine's. */
export const openMetrics = async (
  { host, port }: MetricsAddress,
  about: Parameters<typeof createRunMetrics>[0],
): Promise<MetricsServer> => {
  const metrics = createRunMetrics(about)
  const server = createServer((request, response) => {
    const isRead = request.method === 'GET' || request.method === 'HEAD'
    if (!isRead || request.url?.split('?', 1)[0] !== '/metrics') {
      response.writeHead(isRead ? 404 : 405, { 'content-type': 'text/plain' })
      response.end('the metrics are at /metrics\n')
      return
    }
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
    response.end(metrics.text())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(new SurroundingsError(`--prometheus-port ${port}: ${messageOf(error)}`))
    })
    server.listen(port, host, resolve)
  })
  const { port: taken } = server.address() as AddressInfo
  return {
    url: `http://${isIPv6(host) ? `[${host}]` : host}:${taken}/metrics`,
    onProgress: metrics.onProgress,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
