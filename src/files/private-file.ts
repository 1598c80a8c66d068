import { randomUUID } from 'node:crypto'
import { rename, rm, writeFile } from 'node:fs/promises'

/**
 * Writes a file that only its owner can read (mode 0600). Writes a new file and renames it: an existing link, or a file that
 * others can read, is replaced and never written to, and the file is always complete.
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
