import { createInterface } from 'node:readline'
import { BadInput } from '../core/errors.ts'
import type { Terminal } from './terminal.ts'

/**
 * The address given to a command, or for `-` the one line on stdin: other users of the machine can see a command line, and
 * shells save it. `name` is the name of the argument. Throws `BadInput` if stdin has no address or several.
 */
export async function addressGiven(terminal: Terminal, given: string, name = 'EMAIL'): Promise<string> {
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
