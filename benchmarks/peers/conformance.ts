/** What the conformance run knows to install and to start, for use here: it is not compiled, so its types are told here. */

const load = (file: string): Promise<unknown> =>
  // From dist/benchmarks/peers, where this runs.
  import(new URL(`../../../test/conformance/${file}`, import.meta.url).href)

interface ApacheKafka {
  readonly port: number
  readonly pid: number
  readonly startMs: number
  readonly stop: () => Promise<void>
}

export const { kafkaVersion, jarsOf } = (await load('maven.mjs')) as {
  readonly kafkaVersion: string
  /** The folder of the jars. */
  readonly jarsOf: (name: string, version: string) => Promise<string>
}

export const { startApacheKafka } = (await load('apache-kafka.mjs')) as {
  readonly startApacheKafka: (
    settings: Readonly<Record<string, string | number>>,
    security: null,
    jvmFlags: readonly string[],
  ) => Promise<ApacheKafka>
}

export const { installed } = (await load('cache.mjs')) as {
  /** The folder made of `key`, filled by `install` when it is not there yet. */
  readonly installed: (
    name: string,
    key: string,
    install: (folder: string) => Promise<unknown>,
  ) => Promise<string>
}

export const { runProcess } = (await load('processes.mjs')) as {
  readonly runProcess: (
    command: string,
    args: readonly string[],
    options?: { readonly cwd?: string },
  ) => Promise<string>
}

export const { missingToolchain } = (await load('toolchains.mjs')) as {
  /** What to install; null when nothing is missing. */
  readonly missingToolchain: (commands: readonly string[]) => string | null
}

export const { clients, prepare } = (await load('clients/list.mjs')) as {
  readonly clients: Readonly<Record<string, { readonly needs: readonly string[] }>>
  readonly prepare: (name: string) => Promise<{ readonly folder: string }>
}
