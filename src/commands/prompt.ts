import { createInterface } from 'node:readline'
import { Stopped } from '../core/errors.ts'
import { printable } from '../core/text/printable.ts'
import type { Terminal } from './terminal.ts'

/** Questions to a person, one after the other. Always close it. */
export type Prompt = {
  /** The line that was typed, trimmed; null at the end of the input (Ctrl-D). Ctrl-C throws `Stopped`. */
  ask(question: string): Promise<string | null>
  close(): void
}

/** Whether someone can be asked: questions go to stderr, so that stdout holds only the result. */
export const canAsk = ({ stdin, stderr }: Terminal): boolean => Boolean(stdin.isTTY && stderr.isTTY)

/** Opens the terminal for questions. `nothingDone` is what is said if Ctrl-C ends them. */
export function openPrompt({ stdin, stderr }: Terminal, nothingDone: string): Prompt {
  const lines = createInterface({ input: stdin, output: stderr, historySize: 0 })
  // Lines that were pasted wait here until their question is asked.
  const typed: string[] = []
  let waiting: { resolve: (line: string | null) => void; reject: (error: Error) => void } | null = null
  let over: { stopped: boolean } | null = null
  const answer = () => {
    const line = typed.shift()
    if (waiting === null || (line === undefined && over === null)) return
    const { resolve, reject } = waiting
    waiting = null
    if (line === undefined && over?.stopped) reject(new Stopped(nothingDone))
    else resolve(line ?? null)
  }
  lines.on('line', (line) => {
    typed.push(line.trim())
    answer()
  })
  lines.on('SIGINT', () => {
    typed.length = 0
    over = { stopped: true }
    stderr.write('\n')
    lines.close()
  })
  lines.on('close', () => {
    over ??= { stopped: false }
    answer()
  })
  return {
    ask: (question) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject }
        if (over === null) {
          lines.setPrompt(printable(question))
          lines.prompt()
        }
        answer()
      }),
    close: () => lines.close(),
  }
}

/** Asks a question that only a typed `y` or `yes` answers with true. */
export async function confirmed(terminal: Terminal, question: string, nothingDone: string): Promise<boolean> {
  const prompt = openPrompt(terminal, nothingDone)
  try {
    const answer = await prompt.ask(`${question} [y/N] `)
    if (answer === null) terminal.note('') // Ctrl-D leaves the cursor behind the question
    return /^y(es)?$/i.test(answer ?? '')
  } finally {
    prompt.close()
  }
}
