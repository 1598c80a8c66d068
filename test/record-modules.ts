import { appendFileSync } from 'node:fs'
import { registerHooks } from 'node:module'

// Loaded with `--import`: writes the URL of every module of this process to the file that MODULES_FILE names.
const loaded = new Set<string>()

registerHooks({
  resolve(specifier, context, nextResolve) {
    const resolved = nextResolve(specifier, context)
    loaded.add(resolved.url)
    return resolved
  },
})

process.once('exit', () => appendFileSync(process.env.MODULES_FILE ?? '', `${[...loaded].join('\n')}\n`))
