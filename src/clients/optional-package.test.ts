import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findPackage, loadWith } from './optional-package.ts'

const wanted = { client: 'swift', name: '@some/swift', install: 'npm install @some/swift@2.0.0' }
let folder = ''

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'bench-package-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const install = (project: string, version: string, manifest: object = {}): void => {
  const home = path.join(folder, project, 'node_modules', '@some', 'swift')
  mkdirSync(path.join(home, 'dist'), { recursive: true })
  writeFileSync(
    path.join(home, 'package.json'),
    JSON.stringify({ name: '@some/swift', version, exports: './dist/index.js', ...manifest }),
  )
  writeFileSync(path.join(home, 'dist', 'index.js'), '')
}
const bases = () => ['mine', 'bench'].map((project) => path.join(folder, project, 'x.js'))

test('the package beside the user goes before the one beside bench', () => {
  install('bench', '1.0.0')
  expect(findPackage(wanted, bases()).version).toBe('1.0.0')
  install('mine', '2.1.0')
  const found = findPackage(wanted, bases())
  expect(found.version).toBe('2.1.0')
  expect(found.file).toContain(path.join('mine', 'node_modules', '@some', 'swift', 'dist'))
})

test('a missing package is one line that says how to install it', () => {
  expect(() => findPackage(wanted, bases())).toThrow(
    expect.objectContaining({
      exitCode: 2,
      message:
        'client swift: the package @some/swift is not installed; npm install @some/swift@2.0.0',
    }),
  )
})

test('a package that cannot be loaded is one line with the reason', async () => {
  const load = () => Promise.reject(new Error('compiled for\n another Node.js'))
  await expect(loadWith(wanted, load)).rejects.toMatchObject({
    exitCode: 2,
    message:
      'client swift: the package @some/swift cannot be loaded: compiled for another Node.js; npm install @some/swift@2.0.0',
  })
})
