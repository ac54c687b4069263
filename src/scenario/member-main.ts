/**
 * The file that runs as a member: `node member-main.js CLIENT`, a name as given with `--client`, or `scripted`. A scenario
 * starts many, so what the build has made one file of is run without compiling it anew.
 */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { runCachedScript } from '../cached-script.ts'

type MemberLife = Pick<typeof import('./member-life.ts'), 'runMember'>

const lifeFile = fileURLToPath(new URL('./member-life.cjs', import.meta.url))

const loadLife = async (client: string): Promise<MemberLife> => {
  if (!existsSync(lifeFile)) return import('./member-life.ts')
  const { exports, isFromCache, keep } = runCachedScript(lifeFile, client)
  if (!isFromCache) process.once('exit', keep)
  return exports as MemberLife
}

const client = process.argv[2] ?? ''
const { runMember } = await loadLife(client)
process.exit(await runMember(client))
