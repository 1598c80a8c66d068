import { registerHooks } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Edit } from './scenario.ts'

/**
 * Changes source texts as this process loads them: `node --import …/preload.ts` with the edits as JSON in
 * TORTURE_EDITS. So a guard can be taken out, or a wait be shortened, while the files stay as they are.
 */
const root = join(import.meta.dirname, '../..')
const edits = JSON.parse(process.env.TORTURE_EDITS ?? '[]') as Edit[]
const byUrl = Map.groupBy(edits, ({ file }) => pathToFileURL(join(root, file)).href)

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    const mine = byUrl.get(url)
    if (mine === undefined || loaded.source === undefined || loaded.source === null) return loaded
    let source = typeof loaded.source === 'string' ? loaded.source : new TextDecoder().decode(loaded.source)
    for (const { file, from, to } of mine) {
      if (source.split(from).length !== 2)
        throw new Error(`torture: ${file} does not hold this text exactly once: ${from}`)
      source = source.replace(from, () => to)
    }
    return { ...loaded, source }
  },
})
