// The commands that parts of the conformance run need, and what to say about one that is missing.
import { spawnSync } from 'node:child_process'

/** What librdkafka is built with. */
const headers = ['sasl/sasl.h', 'openssl/ssl.h', 'zlib.h', 'curl/curl.h', 'zstd.h', 'lz4.h']

/** `test`: arguments that succeed; `command` where it is not the name itself. */
const toolchains = {
  java: { what: 'a Java runtime (17 or newer)', test: ['-version'] },
  javac: { what: 'a Java development kit (17 or newer)', test: ['-version'] },
  mvn: { what: 'Apache Maven', test: ['-v'] },
  python3: { what: 'Python 3 with venv', test: ['-c', 'import venv'] },
  go: { what: 'Go', test: ['version'] },
  npm: { what: 'npm', test: ['--version'] },
  'c++': { what: 'a C++ compiler', test: ['--version'] },
  'rdkafka-headers': {
    what: 'libsasl2-dev, libssl-dev, zlib1g-dev, libcurl4-openssl-dev, libzstd-dev and liblz4-dev',
    command: 'c++',
    test: ['-E', '-x', 'c++', ...headers.flatMap((header) => ['-include', header]), '/dev/null'],
  },
  kcat: { what: 'kcat', test: ['-V'] },
  tshark: { what: 'tshark', test: ['--version'] },
  chromium: { what: 'chromium', test: ['--version'] },
}

const isThere = (name) => {
  const { command = name, test = ['--version'] } = toolchains[name] ?? {}
  return spawnSync(command, test, { stdio: 'ignore' }).status === 0
}

/** `install … and …` for those of `commands` that are not on the PATH; null when all are. */
export const missingToolchain = (commands) => {
  const missing = commands.filter((command) => !isThere(command))
  if (missing.length === 0) return null
  return `install ${missing.map((command) => toolchains[command]?.what ?? command).join(' and ')}`
}
