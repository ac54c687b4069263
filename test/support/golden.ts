import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Expected texts as files under test/golden; `UPDATE_GOLDEN=1` writes them anew, to be read before they are committed. */

/** The content of `test/golden/NAME`; `actual` becomes it when updating is asked for. */
export const golden = (name: string, actual: string): string => {
  const url = new URL(`../golden/${name}`, import.meta.url)
  if (process.env['UPDATE_GOLDEN'] === '1') {
    mkdirSync(fileURLToPath(new URL('.', url)), { recursive: true })
    writeFileSync(url, actual)
  }
  return readFileSync(url, 'utf8')
}
