import { execFile } from 'node:child_process'
import { hash } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { createRequire, getCompileCacheDir } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Compiled } from './mjml-process.ts'

const { version } = createRequire(import.meta.url)('mjml/package.json') as { version: string }
const COMPILER = fileURLToPath(new URL('./mjml-process.ts', import.meta.url))

/**
 * Compiles MJML sources. Throws if the compiler's process fails; problems of a source are in its result. What was compiled
 * once is kept beside Node's compiled code, as compiling takes longer than the rest of a start.
 */
export async function compileMjml(sources: readonly string[]): Promise<Compiled[]> {
  const file = await keptFile(sources)
  const kept = file && (await readFile(file, 'utf8').catch(() => null))
  if (kept) return JSON.parse(kept) as Compiled[]
  const compiled = await compileInChild(sources)
  if (file) await keep(file, JSON.stringify(compiled)).catch(() => {}) // a read-only folder: compiled at each start
  return compiled
}

/** Another version of the compiler, or a change to how we call it, makes another name. Null where Node keeps no compiled code. */
async function keptFile(sources: readonly string[]): Promise<string | null> {
  const folder = getCompileCacheDir()
  if (folder === undefined) return null
  const madeFrom = [version, await readFile(COMPILER, 'utf8'), ...sources]
  return join(folder, `mjml-${hash('sha256', JSON.stringify(madeFrom), 'hex')}.json`)
}

/** In one step: another start must not read half of it. */
async function keep(file: string, text: string): Promise<void> {
  const unfinished = `${file}.${process.pid}`
  await writeFile(unfinished, text)
  await rename(unfinished, file)
}

function compileInChild(sources: readonly string[]): Promise<Compiled[]> {
  return new Promise((resolve, reject) => {
    const options = {
      // MJML runs code that a .mjmlconfig in its working directory names, so give it a directory without one.
      cwd: tmpdir(),
      env: { NODE_NO_WARNINGS: '1' },
      maxBuffer: 64 * 1024 * 1024,
    }
    const compiler = execFile(process.execPath, [COMPILER], options, (error, stdout, stderr) => {
      if (error) reject(new Error(`could not compile the templates: ${stderr || error.message}`))
      else resolve(JSON.parse(stdout) as Compiled[])
    })
    compiler.stdin?.end(JSON.stringify(sources))
  })
}
