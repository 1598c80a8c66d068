import { Stopped } from '../core/errors.ts'
import { type Given, type Practice, problemWith, suggestionsFor } from '../core/intake/new-session.ts'
import { folded } from './layout.ts'
import type { Prompt } from './prompt.ts'
import type { Terminal } from './terminal.ts'

/** What `sessions add` asks, in this order. */
const QUESTIONS: readonly { column: string; label: string; form?: string }[] = [
  { column: 'group', label: 'Group' },
  { column: 'topic', label: 'Topic' },
  { column: 'kind', label: 'Kind', form: 'therapy or skills' },
  { column: 'therapist', label: 'Therapist' },
  { column: 'time_zone', label: 'Time zone' },
  { column: 'starts_at', label: 'First start', form: 'like 12/1/2026 7:00 PM' },
  { column: 'repeats', label: 'Repeats', form: 'weekly or once' },
  { column: 'duration_minutes', label: 'Minutes' },
  { column: 'seats_left', label: 'Spots left', form: 'Enter to leave out' },
  { column: 'booking_url', label: 'Booking link' },
]

/** Said when the questions end early. */
export const NOTHING_ADDED = 'Stopped. Nothing was added.'

/** Asks for what is not given, one question after the other, and again with the reason where an answer is not right. */
export async function askForSession(
  terminal: Terminal,
  prompt: Prompt,
  given: Given,
  practice: Practice & { topicNames: ReadonlyMap<string, string> },
): Promise<Given> {
  let answers = given
  for (const { column, label, form } of QUESTIONS) {
    if (answers[column] !== undefined) continue
    if (column === 'topic') terminal.note(folded('Topics:', [...practice.topics]))
    const suggested = suggestionsFor(answers, practice)[column]
    const question = [label, form && `(${form})`, suggested && `[${suggested}]`].filter(Boolean).join(' ')
    for (;;) {
      const typed = await prompt.ask(`${question}: `)
      if (typed === null) throw new Stopped(`\n${NOTHING_ADDED}`)
      const answer = (column === 'topic' && slugNamed(typed, practice.topicNames)) || typed || suggested || ''
      const problem = problemWith(column, { ...answers, [column]: answer }, practice)
      if (problem === null) {
        if (answer !== '') answers = { ...answers, [column]: answer }
        break
      }
      terminal.note(`  ${label} ${problem.message}${problem.message.endsWith('?') ? '' : '.'}`)
    }
  }
  return answers
}

/** The slug of a topic that was typed by its name. */
function slugNamed(typed: string, names: ReadonlyMap<string, string>): string | undefined {
  return [...names].find(([, name]) => name.toLowerCase() === typed.toLowerCase())?.[0]
}
