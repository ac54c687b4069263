import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { dataNoteOf } from './target.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'bench-target-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the note on large data', () => {
  it('names the folder and its size, files of subfolders included, from the bound on', () => {
    mkdirSync(path.join(folder, 'topics'))
    writeFileSync(path.join(folder, 'topics', 'a'), Buffer.alloc(600))
    writeFileSync(path.join(folder, 'b'), Buffer.alloc(400))
    expect(dataNoteOf(folder, 1_001)).toBeNull()
    expect(dataNoteOf(folder, 1_000)).toContain(folder)
  })

  it('is silent where nothing is kept', () => {
    expect(dataNoteOf(null, 1)).toBeNull()
  })
})
