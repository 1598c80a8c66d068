import { createInterface } from 'node:readline'
import { BadInput } from '../core/errors.ts'
import type { Terminal } from './terminal.ts'

/**
 * The address that a command was given, or for `-` the one line on stdin: what stands on a command line is seen by others
 * on the machine and kept by shells. `name` is that of the argument. Throws `BadInput` when stdin has none or several.
 */
export async function emailGiven(terminal: Terminal, given: string, name = 'EMAIL'): Promise<string> {
  if (given !== '-') return given
  const { stdin } = terminal
  if (stdin.isTTY) terminal.note('Type the address and press Enter.')
  const typed: string[] = []
  for await (const line of createInterface({ input: stdin })) {
    if (line.trim() !== '') typed.push(line.trim())
    if (typed.length > 1 || stdin.isTTY) break
  }
  const [email, ...more] = typed
  if (email !== undefined && more.length === 0) return email
  const found = email === undefined ? 'there was none' : 'there was more than one line'
  throw new BadInput(`${name}: - reads one address from stdin, and ${found}`)
}
