/** The effective options as the result file holds them: units in the names, no secret. */
import type { RunConfig } from '../results/result.ts'
import type { RunOptions } from './options.ts'
import { pacerOf } from './pacing.ts'

const isSecret = (name: string): boolean => /password|secret|token|jaas/i.test(name)

const withoutSecrets = (properties: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(properties).map(([name, value]) => [name, isSecret(name) ? '***' : value]),
  )

/** `topic` and `consumerGroup` are the names really used; both may be fresh ones. */
export const effectiveConfig = (
  options: RunOptions,
  used: { topic: string; consumerGroup: string | null },
): RunConfig => {
  const { payloadFile, security, clientProperties, failIf, label: _label, ...plain } = options
  const { tls, sasl } = security
  return {
    ...plain,
    ...used,
    pacer: pacerOf(options),
    payloadFile: payloadFile?.path ?? null,
    payloadFileSizeBytes: payloadFile?.content.length ?? null,
    tls: tls && { ...tls },
    sasl: sasl && { mechanism: sasl.mechanism, username: sasl.username },
    clientProperties: withoutSecrets(clientProperties),
    failIf: failIf.map((threshold) => threshold.text),
  }
}
