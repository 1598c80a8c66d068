import { randomUUID } from 'node:crypto'
import { rename, rm, writeFile } from 'node:fs/promises'

/**
 * Writes a file for its owner alone (mode 0600). It is a new one under another name, then renamed: what was there before,
 * also a link or a file that others may read, is replaced and never written to, and a file of this name is always whole.
 */
export async function writePrivately(file: string, content: string | Buffer): Promise<void> {
  const draft = `${file}.${randomUUID()}.new`
  try {
    await writeFile(draft, content, { flag: 'wx', mode: 0o600 })
    await rename(draft, file)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}
