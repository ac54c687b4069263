// The commands that parts of the conformance run need, and what to say about one that is missing.
import { spawnSync } from 'node:child_process'

const toolchains = {
  java: { what: 'a Java runtime (17 or newer)', test: ['-version'] },
  javac: { what: 'a Java development kit (17 or newer)', test: ['-version'] },
  mvn: { what: 'Apache Maven', test: ['-v'] },
  python3: { what: 'Python 3 with venv', test: ['-c', 'import venv'] },
  go: { what: 'Go', test: ['version'] },
  npm: { what: 'npm', test: ['--version'] },
  'c++': { what: 'a C++ compiler', test: ['--version'] },
  kcat: { what: 'kcat', test: ['-V'] },
  tshark: { what: 'tshark', test: ['--version'] },
}

const isThere = (command) =>
  spawnSync(command, toolchains[command]?.test ?? ['--version'], { stdio: 'ignore' }).status === 0

/** `install … and …` for those of `commands` that are not on the PATH; null when all are. */
export const missingToolchain = (commands) => {
  const missing = commands.filter((command) => !isThere(command))
  if (missing.length === 0) return null
  return `install ${missing.map((command) => toolchains[command]?.what ?? command).join(' and ')}`
}
