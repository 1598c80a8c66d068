import { execFile } from 'node:child_process'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Compiled } from './mjml-process.ts'

const COMPILER = fileURLToPath(new URL('./mjml-process.ts', import.meta.url))

/** Compiles MJML sources in a child process. Throws if that process fails; problems of a source are in its result. */
export async function compileMjml(sources: readonly string[]): Promise<Compiled[]> {
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
